"""Qualifications of an instructor: adding one and ending it early."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from instructors.models import Instructor, Qualification
from lms.core import audit
from lms.core.errors import N_, DomainError, NotFound


def add(
    db: Session, instructor: Instructor, *, programme_code: str, valid_from: date, valid_until: date
) -> Qualification:
    """Let an instructor teach a programme from one day to another, both included.

    Raises DomainError `period` for a last day before the first, and `periods_overlap` when the instructor has another
    qualification for the programme within that time.
    """
    if valid_until < valid_from:
        raise DomainError("period", N_("The last day must not come before the first."), status=422, field="valid_until")
    # Of two administrators at the same time, the second waits for the first and then sees the first one's period.
    db.execute(select(Instructor.id).where(Instructor.id == instructor.id).with_for_update())
    overlapping = select(Qualification.id).where(
        Qualification.instructor_id == instructor.id,
        Qualification.programme_code == programme_code,
        Qualification.valid_from <= valid_until,
        Qualification.valid_until >= valid_from,
    )
    if db.scalar(overlapping.limit(1)) is not None:
        raise DomainError(
            "periods_overlap",
            N_("The periods of two qualifications for one programme must not overlap."),
            status=422,
            field="valid_from",
        )
    row = Qualification(programme_code=programme_code, valid_from=valid_from, valid_until=valid_until)
    instructor.qualifications.append(row)
    db.flush()
    audit.record(
        db,
        "qualification.add",
        instructor,
        after={
            "programme": programme_code,
            "valid_from": valid_from.isoformat(),
            "valid_until": valid_until.isoformat(),
        },
    )
    return row


def end(db: Session, instructor: Instructor, qualification_id: int, *, last_day: date, reason: str) -> None:
    """End a qualification before its last day. Sessions that were taught under it stay valid.

    Raises DomainError `not_earlier` or `period` for a last day that is not within the qualification, NotFound for a
    qualification of another instructor.
    """
    row = of_instructor(instructor, qualification_id)
    if last_day >= row.valid_until:
        raise DomainError(
            "not_earlier",
            N_("The qualification expires by then anyway. Enter an earlier day."),
            status=422,
            field="last_day",
        )
    if last_day < row.valid_from:
        raise DomainError("period", N_("The last day must not come before the first."), status=422, field="last_day")
    before = row.valid_until
    row.valid_until = last_day
    db.flush()
    audit.record(
        db,
        "qualification.end",
        instructor,
        before={"programme": row.programme_code, "valid_until": before.isoformat()},
        after={"programme": row.programme_code, "valid_until": last_day.isoformat()},
        reason=reason,
    )


def of_instructor(instructor: Instructor, qualification_id: int) -> Qualification:
    """Return a qualification of this instructor. Raises NotFound for one of another instructor."""
    for row in instructor.qualifications:
        if row.id == qualification_id:
            return row
    raise NotFound
