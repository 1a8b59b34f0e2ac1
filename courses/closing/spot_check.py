"""The spot check: the heads counted in a room where trainees checked themselves in, compared with the roster.

A check-in code can be passed on to somebody who is absent; a head in the room cannot.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.closing.headcount import HEADCOUNT_LIMIT
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceMethod
from courses.models.offerings import CourseSession
from courses.models.spot_check import SpotCheck
from lms.core import audit
from lms.core.errors import N_, DomainError


@dataclass(frozen=True)
class ExpectedHeads:
    """The heads that should be in the room. by_self: trainees who checked themselves in.

    `expected` leaves out trainees who left early and adds the headcount of people who are not on the roster.
    """

    by_self: int
    expected: int


@dataclass(frozen=True)
class HeadCount:
    """The heads counted in the room; None without a number. `reason`: why the number differs from the roster."""

    counted: int | None
    reason: str | None = None


def expected_heads(db: Session, meeting: CourseSession) -> ExpectedHeads | None:
    """Return the heads to expect at a session; None where no trainee checked in without the instructor."""
    by_self, still_present = db.execute(
        select(
            func.count().filter(AttendanceEvent.method == AttendanceMethod.SELF),
            func.count().filter(Attendance.left_at.is_(None)),
        )
        .select_from(Attendance)
        .join(AttendanceEvent, AttendanceEvent.id == Attendance.event_id)
        .where(Attendance.course_session_id == meeting.id)
    ).one()
    return ExpectedHeads(by_self, still_present + meeting.headcount) if by_self else None


def require(expected: ExpectedHeads, heads: HeadCount) -> tuple[int, str | None]:
    """Return the number counted and the reason of a difference.

    Raises DomainError without a number, and for a difference without a reason.
    """
    counted, reason = heads.counted, " ".join((heads.reason or "").split()) or None
    if counted is None or not 0 <= counted <= HEADCOUNT_LIMIT:
        raise DomainError("heads_missing", N_("Count the people in the room and enter the number."), field="heads")
    if counted != expected.expected and reason is None:
        raise DomainError(
            "heads_differ",
            N_(
                "You counted %(counted)s; according to the list, %(expected)s should be in the room. Check the list"
                " again, or explain the difference."
            ),
            field="heads_reason",
            counted=counted,
            expected=expected.expected,
        )
    return counted, reason


def enter(db: Session, meeting: CourseSession, expected: ExpectedHeads, heads: HeadCount, *, now: datetime) -> None:
    """Store the spot check of a session. Raises DomainError as `require` does."""
    counted, reason = require(expected, heads)
    db.merge(
        SpotCheck(
            course_session_id=meeting.id,
            counted=counted,
            expected=expected.expected,
            by_self=expected.by_self,
            reason=reason,
            counted_at=now,
            user_id=audit.actor(db),
        )
    )
    audit.record(
        db,
        "session.spot_check",
        meeting,
        after={"counted": counted, "expected": expected.expected, "by_self": expected.by_self},
        reason=reason,
    )


def of_session(db: Session, meeting: CourseSession) -> SpotCheck | None:
    """Return the spot check that was entered when the session closed, if there was one."""
    return db.get(SpotCheck, meeting.id)
