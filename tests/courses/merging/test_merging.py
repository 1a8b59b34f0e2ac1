"""Merging two records of one person, and undoing it: counts and history follow, and the check stays clean after both."""

from collections.abc import Sequence

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from courses.counting import people_recount, recount
from courses.merging import facts, merging
from courses.merging.facts import Side
from courses.models.enrolment import EnrolmentState
from courses.models.merges import TraineeMerge, TraineeMergeRow
from courses.models.trainees import ANONYMOUS_REF, IdType, Trainee
from courses.privacy import data_export, erasure
from lms.core import clock, personal_data
from lms.core.errors import Denied, DomainError, NotFound
from lms.core.scope import EVERYTHING, Scope
from tests.courses.worlds import Person, Presence
from tests.factories import Make

ID_NUMBER, OTHER_NUMBER = "11010519491231002X", "110101199003071233"
_ROWS = (
    "SELECT id, trainee_id, state, cancelled_at, sessions_attended FROM enrolment ORDER BY id",
    "SELECT offering_id, trainees FROM participation ORDER BY 1",
    "SELECT id, trainee_id, withdrawn_at FROM consent ORDER BY id",
    "SELECT id, user_id, district_id, name_key, phone_index, email_index, id_number_index, birth_year, phone_proven_at,"
    " merged_into_id FROM trainee ORDER BY id",
)


def stored(db: Session) -> list[Sequence[object]]:
    """The rows that a merge may change, so that an undo can be compared with the state before."""
    db.flush()
    rows: list[Sequence[object]] = [db.execute(text(statement)).all() for statement in _ROWS]
    return [*rows, sorted(people_recount.by_copy(db).items())]


def differences(db: Session) -> list[object]:
    """The differences that `flask person-time check` finds."""
    db.flush()
    found: list[object] = [each for part in recount.ranges(db) for each in recount.check(db, part)]
    return found + [each for step in recount.check_rollups(db) for each in step]


def merge(db: Session, kept: Trainee, merged: Trainee, scope: Scope = EVERYTHING, **chosen: Side) -> TraineeMerge:
    """Merge two records and confirm it with the winning name."""
    winning = facts.winners(kept, merged, chosen)["name"]
    name = kept.name if winning is Side.KEPT else merged.name
    return merging.merge(db, kept.id, merged.id, chosen, scope, name=name)


def presence(who: int, *, came: bool, cancelled: bool = False) -> Person:
    state = EnrolmentState.CANCELLED if cancelled else EnrolmentState.COMPLETED if came else EnrolmentState.INCOMPLETE
    return Person(who, state, (Presence(0, 0, None),) if came else ())


def test_what_happened_since_a_merge_stays_with_the_record_that_was_kept(app: Flask, db: Session, make: Make) -> None:
    kept, merged = make.trainee("张三"), make.trainee("张三", email="old@example.org")
    moved = make.enrolment(make.offering(), merged)
    row = merge(db, kept, merged)
    kept.email = "new@example.org"
    new = make.enrolment(make.offering(), kept, created_at=clock.now())
    assert merging.undo(db, row.id, EVERYTHING) == ["email"]
    assert (kept.email, merged.email) == ("new@example.org", "old@example.org")
    assert (moved.trainee_id, new.trainee_id) == (merged.id, kept.id)
    with pytest.raises(DomainError, match="already been undone"):
        merging.undo(db, row.id, EVERYTHING)


def test_no_chain_no_circle_and_no_second_merge(app: Flask, db: Session, make: Make) -> None:
    first, second, third = (make.trainee("张三") for _ in range(3))
    row = merge(db, first, second)
    for kept, merged in ((third, second), (second, third), (second, first)):
        with pytest.raises(NotFound):
            merge(db, kept, merged)
    with pytest.raises(DomainError, match="part of another merge"):
        merge(db, third, first)
    merge(db, first, third)
    with pytest.raises(DomainError, match="merged into this one later"):
        merging.undo(db, row.id, EVERYTHING)


def test_who_may_not_merge_and_what_cannot_be_merged(app: Flask, db: Session, make: Make) -> None:
    own, other = make.trainee("张三", district_id=1), make.trainee("张三", district_id=2)
    nobody = make.trainee("无", ref=ANONYMOUS_REF, phone=None)
    district = Scope(district_ids=frozenset({1}))
    for kept, merged in ((own, other), (other, own), (own, own), (own, nobody)):
        with pytest.raises(NotFound):
            merge(db, kept, merged, district)
    make.enrolment(make.offering(organisation=make.organisation(1)), other)
    with pytest.raises(Denied, match="The city merges"):
        merge(db, own, other, district)
    with pytest.raises(DomainError, match="not that of the record"):
        merging.merge(db, own.id, other.id, {}, EVERYTHING, name="李四")
    own.set_id_number(IdType.RESIDENT, ID_NUMBER)
    other.set_id_number(IdType.RESIDENT, OTHER_NUMBER)
    db.flush()
    with pytest.raises(DomainError, match="two people"):
        merge(db, own, other)


def test_an_export_holds_both_records_and_an_erasure_erases_both(app: Flask, db: Session, make: Make) -> None:
    kept, merged = make.trainee("张三", email="a@example.org"), make.trainee("张三", email="b@example.org")
    row = merge(db, kept, merged)
    rows = personal_data.export(db, erasure.subject_of(kept))
    assert {each["email"] for each in rows["trainee"]} == {"a@example.org", "b@example.org"}
    assert data_export.collect(db, kept, reason="本人要求").name == "张三"
    erasure.erase(db, kept.id, reason="本人要求")
    assert kept.erased_at is not None
    assert merged.erased_at is not None
    assert db.scalars(select(TraineeMergeRow).where(TraineeMergeRow.merge_id == row.id)).all() == []
    db.refresh(row)
    with pytest.raises(DomainError, match="was erased"):
        merging.undo(db, row.id, EVERYTHING)
