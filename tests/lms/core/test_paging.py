"""Long lists, a page at a time."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core.paging import (
    Count,
    KeyPage,
    Order,
    Part,
    Place,
    count_rows,
    page_by_key,
    page_of,
    page_of_ids,
)
from tests.factories import Make


@pytest.mark.parametrize(("asked", "page", "rows"), [(1, 1, 2), (3, 3, 1), (99, 3, 1), (0, 1, 2), (-5, 1, 2)])
def test_a_number_beyond_the_end_gives_the_last_page(db: Session, make: Make, asked: int, page: int, rows: int) -> None:
    users = [make.user().id for _ in range(5)]
    statement = select(User).where(User.id.in_(users)).order_by(User.id)
    found = page_of(db, statement, asked, size=2)
    assert (found.page, found.pages, found.total, len(found.rows)) == (page, 3, 5, rows)
    assert [user.id for user in found.rows] == users[2 * (page - 1) : 2 * page]


def test_a_list_without_rows_has_one_page(db: Session) -> None:
    found = page_of(db, select(User).where(User.id < 0), 1)
    assert (found.page, found.pages, found.total, list(found.rows)) == (1, 1, 0, [])


@pytest.mark.parametrize(("asked", "page", "rows"), [(1, 1, [4, 0]), (3, 3, [1]), (99, 3, [1])])
def test_a_page_in_an_order_that_the_database_does_not_know(
    db: Session, make: Make, asked: int, page: int, rows: list[int]
) -> None:
    users = [make.user().id for _ in range(5)]
    ids = [users[at] for at in (4, 0, 3, 2, 1)]
    found = page_of_ids(db, select(User), User.id, ids, asked, size=2)
    assert (found.page, found.pages, found.total) == (page, 3, 5)
    assert [user.id for user in found.rows] == [users[at] for at in rows]
    assert list(page_of_ids(db, select(User), User.id, [], 1).rows) == []


def _names(db: Session, parts: list[Part], place: Place) -> tuple[str, int | None, int | None]:
    page = page_by_key(db, parts, place, size=2)
    return " ".join(row.name for row in page.rows), page.before, page.after


@pytest.mark.parametrize("descending", [False, True])
def test_pages_by_key_show_each_row_once_in_both_directions(db: Session, make: Make, descending: bool) -> None:
    users = {name: make.user(name=name).id for name in ("B1", "A", "C", "B2", "D")}
    for name in ("B1", "B2"):  # two rows that only the id tells apart
        db.get_one(User, users[name]).name_sound = "!B"
    db.flush()
    order = Order("name", (User.name_sound, User.id), descending)
    parts = [Part(select(User).where(User.id.in_(users.values())), order)]
    inner, edge = ("B2 C", "A B1") if not descending else ("B2 B1", "D C")
    first = _names(db, parts, Place())
    assert first == (edge, None, users[edge.split()[1]])
    second = _names(db, parts, Place(after=first[2]))
    assert second == (inner, users[inner.split()[0]], users[inner.split()[1]])
    third = _names(db, parts, Place(after=second[2]))
    assert third == (("A" if descending else "D"), users["A" if descending else "D"], None)
    assert _names(db, parts, Place(before=third[1])) == second
    assert _names(db, parts, Place(before=second[1])) == first
    assert _names(db, parts, Place(last=True))[2] is None
    # A row that is not in the list gives the first page, as does one before which less than a page is.
    assert _names(db, parts, Place(after=2**40)) == _names(db, parts, Place(before=users[edge.split()[1]])) == first


def test_parts_of_a_list_follow_each_other(db: Session, make: Make) -> None:
    users = [make.user(name=name) for name in ("A1", "A2", "B1", "B2", "B3")]
    by_name = Order("name", (User.name_sound, User.id))
    mine = select(User).where(User.id.in_([user.id for user in users]))
    parts = [Part(mine.where(User.name.startswith(letter)), by_name) for letter in ("B", "A")]
    assert _names(db, parts, Place())[0] == "B1 B2"
    assert _names(db, parts, Place(after=users[3].id)) == ("B3 A1", users[4].id, users[0].id)
    assert _names(db, parts, Place(before=users[1].id))[0] == "B3 A1"
    assert _names(db, parts, Place(last=True))[0] == "A1 A2"
    page = page_by_key(db, parts, Place(), size=2)
    assert page.count == Count(5)
    assert count_rows(db, [part.statement for part in parts], most=3) == Count(3, over=True)


def test_a_list_by_key_without_rows(db: Session) -> None:
    parts = [Part(select(User).where(User.id < 0), Order("id", (User.id,)))]
    for place in (Place(), Place(last=True), Place(after=1), Place(before=1)):
        assert page_by_key(db, parts, place) == KeyPage(rows=[], count=Count(0))
