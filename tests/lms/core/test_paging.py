"""Long lists, a page at a time."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core.paging import page_of, page_of_ids
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
