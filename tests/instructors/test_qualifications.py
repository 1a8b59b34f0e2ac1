"""Qualifications: periods of one programme never overlap, and one can end early."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from instructors import qualifications, register
from instructors.models import Instructor, Qualification
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from tests.factories import Make

TODAY = date(2026, 6, 1)


def periods(person: Instructor, *spans: tuple[int, int], programme: str = "RESCUE") -> Instructor:
    """Give an instructor these periods instead, in days from TODAY."""
    person.qualifications[:] = [
        Qualification(
            programme_code=programme,
            valid_from=TODAY + timedelta(days=first),
            valid_until=TODAY + timedelta(days=last),
        )
        for first, last in spans
    ]
    return person


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(-50, 50), st.integers(0, 60))
def test_periods_of_one_programme_never_overlap(  # noqa: PLR0917  # drawn by hypothesis
    db: Session, make: Make, start: int, length: int, other_start: int, other_length: int
) -> None:
    person = periods(make.instructor(), (start, start + length))
    db.flush()
    first, last = TODAY + timedelta(days=other_start), TODAY + timedelta(days=other_start + other_length)
    apart = other_start > start + length or other_start + other_length < start
    if apart:
        qualifications.add(db, person, programme_code="RESCUE", valid_from=first, valid_until=last)
        assert len(person.qualifications) == 2
    else:
        with pytest.raises(DomainError) as refusal:
            qualifications.add(db, person, programme_code="RESCUE", valid_from=first, valid_until=last)
        assert refusal.value.code == "periods_overlap"
    qualifications.add(db, person, programme_code="INSTRUCTOR", valid_from=first, valid_until=last)


def test_a_qualification_ends_early_and_only_early(db: Session, make: Make) -> None:
    person, stranger = periods(make.instructor(), (-10, 10)), make.instructor()
    db.flush()
    row = person.qualifications[0]
    for days, code in ((10, "not_earlier"), (-11, "period")):
        with pytest.raises(DomainError) as refusal:
            qualifications.end(db, person, row.id, last_day=TODAY + timedelta(days=days), reason="x")
        assert refusal.value.code == code
    with pytest.raises(NotFound):
        qualifications.end(db, stranger, row.id, last_day=TODAY, reason="x")
    qualifications.end(db, person, row.id, last_day=TODAY, reason="转岗")
    assert register.may_lead(db, person.id, "RESCUE", TODAY)
    assert not register.may_lead(db, person.id, "RESCUE", TODAY + timedelta(days=1))
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "qualification.end")).one()
    assert entry.reason == "转岗"
    assert entry.before is not None
    assert entry.before["valid_until"] == (TODAY + timedelta(days=10)).isoformat()
