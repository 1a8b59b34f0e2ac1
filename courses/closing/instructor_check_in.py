"""The check-in of an instructor at a session: arriving and leaving.

Trainees are checked in by `courses.attendance.recording`.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from courses.closing.open_session import refuse_unless_open
from courses.models.offerings import CourseSession, SessionInstructor
from courses.offerings.staffing import session_instructor_of
from lms.core import audit
from lms.core.errors import N_, DomainError, NotFound

INSTRUCTORS_OPEN_BEFORE = timedelta(hours=3)


def arrive(db: Session, meeting: CourseSession, user_id: int, *, now: datetime) -> None:
    """Check the instructor in. The first arrival stands; checking in again takes back a check-out.

    A first check-in after the end of the session means that the instructor was present from its start to its end.
    Raises NotFound for a user who does not teach at the session, and DomainError for a session that is not open, or
    more than `INSTRUCTORS_OPEN_BEFORE` before its start.
    """
    teaching = _teaching(db, meeting, user_id)
    refuse_unless_open(meeting)
    opens = meeting.starts_at - INSTRUCTORS_OPEN_BEFORE
    if now < opens:
        raise DomainError("too_early", N_("Your own check-in opens at %(opens)s."), opens=opens)
    before = _audited(teaching)
    if now <= meeting.ends_at:
        teaching.arrived_at, teaching.left_at = teaching.arrived_at or now, None
    elif teaching.arrived_at is None:
        teaching.arrived_at, teaching.left_at = meeting.starts_at, meeting.ends_at
    audit.record(db, "instructor.arrive", meeting, before=before, after=_audited(teaching))


def leave(db: Session, meeting: CourseSession, user_id: int, *, now: datetime) -> None:
    """Check the instructor out; the first check-out stands. Raises DomainError without a check-in before it."""
    teaching = _teaching(db, meeting, user_id)
    if teaching.arrived_at is None:
        raise DomainError("not_present", N_("You are not checked in. Check in first."))
    if teaching.left_at is not None:
        return
    before = _audited(teaching)
    teaching.left_at = max(now, teaching.arrived_at)
    audit.record(db, "instructor.leave", meeting, before=before, after=_audited(teaching))


def _teaching(db: Session, meeting: CourseSession, user_id: int) -> SessionInstructor:
    teaching = session_instructor_of(db, meeting, user_id)
    if teaching is None:
        raise NotFound
    return teaching


def _audited(teaching: SessionInstructor) -> dict[str, str | int | None]:
    return {
        "instructor": teaching.instructor_id,
        "arrived_at": teaching.arrived_at.isoformat() if teaching.arrived_at else None,
        "left_at": teaching.left_at.isoformat() if teaching.left_at else None,
    }
