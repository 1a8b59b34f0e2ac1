"""Counting heads where people checked themselves in: a code can be passed on, a head cannot."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.attendance import Attendance, AttendanceEvent, AttendanceMethod
from courses.models.offerings import CourseSession
from courses.models.self_check_in import SpotCheck
from lms.core import audit
from lms.core.errors import N_, DomainError

LARGEST = 100_000


@dataclass(frozen=True)
class Due:
    """What the list says of the room: how many came in by themselves, and how many heads there should be.

    `expected` leaves out who left early and adds the headcount of those who are not on the list.
    """

    by_self: int
    expected: int


@dataclass(frozen=True)
class Heads:
    """What was counted, and why it differs from the list if it does."""

    counted: int | None
    reason: str | None = None


def due(db: Session, meeting: CourseSession) -> Due | None:
    """What closing has to be told of a session; None where nobody came in by themselves."""
    by_self, there = db.execute(
        select(
            func.count().filter(AttendanceEvent.method == AttendanceMethod.SELF),
            func.count().filter(Attendance.left_at.is_(None)),
        )
        .select_from(Attendance)
        .join(AttendanceEvent, AttendanceEvent.id == Attendance.event_id)
        .where(Attendance.course_session_id == meeting.id)
    ).one()
    return Due(by_self, there + meeting.headcount) if by_self else None


def enter(db: Session, meeting: CourseSession, wanted: Due, heads: Heads, *, now: datetime) -> None:
    """Keep the heads that were counted. Raises DomainError without a number, and where it differs and nobody says why."""
    counted, reason = heads.counted, " ".join((heads.reason or "").split()) or None
    if counted is None or not 0 <= counted <= LARGEST:
        raise DomainError("heads_missing", N_("Count the heads in the room and enter the number."), field="heads")
    if counted != wanted.expected and reason is None:
        raise DomainError(
            "heads_differ",
            N_(
                "You counted %(counted)s; by the list, there are %(expected)s in the room. Look at the list again, or say"
                " why they differ."
            ),
            field="heads_reason",
            counted=counted,
            expected=wanted.expected,
        )
    db.merge(
        SpotCheck(
            course_session_id=meeting.id,
            counted=counted,
            expected=wanted.expected,
            by_self=wanted.by_self,
            reason=reason,
            counted_at=now,
            user_id=audit.actor(db),
        )
    )
    audit.record(
        db,
        "session.spot_check",
        meeting,
        after={"counted": counted, "expected": wanted.expected, "by_self": wanted.by_self},
        reason=reason,
    )


def of(db: Session, meeting: CourseSession) -> SpotCheck | None:
    """What was counted when a session closed."""
    return db.get(SpotCheck, meeting.id)
