"""Attendance: check-in events as they were received, decisions about events in review, and the attendances they result
in.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession
from lms.core import clock
from lms.core.constraints import register_refusal
from lms.core.db import Base, EnumText
from lms.core.errors import N_
from lms.core.records import of_record
from lms.core.scope import Scope

PHONE = "walk_in.phone"


class AttendanceKind(StrEnum):
    """The act that an event reports."""

    ARRIVE = "arrive"
    LEAVE = "leave"
    UNDO = "undo"


class AttendanceMethod(StrEnum):
    """How a check-in was made."""

    TAP = "tap"
    SCAN = "scan"
    PHOTO = "photo"
    WALK_IN = "walk_in"
    CORRECTION = "correction"
    SELF = "self"
    IMPORT = "import"


class ReviewReason(StrEnum):
    """Why an event is in the review queue: it does not count until a person decides about it."""

    OUTSIDE_WINDOW = "outside_window"
    SESSION_CLOSED = "session_closed"
    NOT_ENROLLED = "not_enrolled"
    UNKNOWN_TICKET = "unknown_ticket"
    WALK_IN_MATCH = "walk_in_match"
    SECOND_FROM_BROWSER = "second_from_browser"
    NOT_RUNNING = "not_running"


class ReviewDecision(StrEnum):
    """A decision about an event in review.

    accept: the event counts as it was sent. merge: it counts for another enrolment. reject: it never counts.
    """

    ACCEPT = "accept"
    MERGE = "merge"
    REJECT = "reject"


@of_record("received_at")
class AttendanceEvent(Base):
    """A check-in event.

    The device makes the id, so that sending the event twice changes nothing. The row is never altered.

    `happened_at` is the moment that counts: the device's own time (`told_at`), corrected by the offset between the
    device's clock and the server's. `undoes` is the id of the event that an undo takes back. `ticket` is the SHA-256 of
    a scanned ticket. `review` is null when the event counted at once. `answer` is the answer that the device received,
    kept so that a second delivery of the event gets the same answer. Triggers enforce the references to session, user
    and device (migration 0014), because a trigger looks them up once for all rows of a statement and a foreign key once
    for each row.
    """

    __tablename__ = "attendance_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int] = mapped_column(BigInteger)
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id"), index=True)
    kind: Mapped[AttendanceKind] = mapped_column(EnumText(AttendanceKind))
    method: Mapped[AttendanceMethod] = mapped_column(EnumText(AttendanceMethod))
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None]
    device_id: Mapped[int | None] = mapped_column(BigInteger)
    told_at: Mapped[datetime | None]
    offset_ms: Mapped[int | None]
    undoes: Mapped[UUID | None]
    ticket: Mapped[str | None]
    walk_in_id: Mapped[UUID | None] = mapped_column(ForeignKey("walk_in.id"))
    review: Mapped[ReviewReason | None] = mapped_column(EnumText(ReviewReason))
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

    __table_args__ = (
        Index("ix_attendance_event_session", "course_session_id", "enrolment_id", "received_at"),
        Index("ix_attendance_event_review", "course_session_id", postgresql_where="review IS NOT NULL"),
        Index("ix_attendance_event_undoes", "undoes", postgresql_where="undoes IS NOT NULL"),
        Index("ix_attendance_event_walk_in_id", "walk_in_id", postgresql_where="walk_in_id IS NOT NULL"),
        CheckConstraint("kind IN ('arrive', 'leave', 'undo')", name="kind"),
        CheckConstraint("method IN ('tap', 'scan', 'photo', 'walk_in', 'correction', 'self', 'import')", name="method"),
        CheckConstraint("kind <> 'undo' OR reason IS NOT NULL", name="undo_reason"),
        CheckConstraint(
            "review IN ('outside_window', 'session_closed', 'not_enrolled', 'unknown_ticket', 'walk_in_match',"
            " 'second_from_browser', 'not_running')",
            name="review",
        ),
        CheckConstraint("enrolment_id IS NOT NULL OR review IS NOT NULL", name="whose"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The events of the sessions that the scope covers."""
        return cls.course_session_id.in_(select(CourseSession.id).where(CourseSession.visible_to(scope)))


@of_record("decided_at")
class AttendanceDecision(Base):
    """The decision about one event in review. There is one for each event, and it is never altered."""

    __tablename__ = "attendance_decision"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("attendance_event.id"), primary_key=True)
    decision: Mapped[ReviewDecision] = mapped_column(EnumText(ReviewDecision))
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id"), index=True)
    reason: Mapped[str | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    decided_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("decision IN ('accept', 'merge', 'reject')", name="decision"),
        CheckConstraint("(decision = 'reject') = (enrolment_id IS NULL)", name="whose"),
        CheckConstraint("decision <> 'reject' OR reason IS NOT NULL", name="reject_reason"),
    )


class Attendance(Base):
    """A trainee present at one course session. The row exists while the person counts as present."""

    __tablename__ = "attendance"

    # Triggers enforce this reference, as they do for AttendanceEvent.
    course_session_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    enrolment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("enrolment.id"), primary_key=True, autoincrement=False, index=True
    )
    event_id: Mapped[UUID] = mapped_column(ForeignKey("attendance_event.id"), unique=True)
    arrived_at: Mapped[datetime]
    left_at: Mapped[datetime | None]

    enrolment: Mapped[Enrolment] = relationship()

    __table_args__ = (CheckConstraint("left_at >= arrived_at", name="order"),)


register_refusal("pk_attendance_decision", "decided_already", N_("Another user has already decided on this check-in."))
