"""Attendance: the events that came in, kept for ever, what was decided about the doubtful ones, and what all adds up to."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, ForeignKey, Index, LargeBinary, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession
from lms.core import clock, crypto
from lms.core.constraints import means
from lms.core.db import Base, Word
from lms.core.errors import N_
from lms.core.scope import Scope

PHONE = "walk_in.phone"


class AttendanceKind(StrEnum):
    """What an event says."""

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


class Review(StrEnum):
    """Why an event counts for nothing until somebody decides."""

    OUTSIDE_WINDOW = "outside_window"
    SESSION_CLOSED = "session_closed"
    NOT_ENROLLED = "not_enrolled"
    UNKNOWN_TICKET = "unknown_ticket"
    WALK_IN_MATCH = "walk_in_match"
    SECOND_FROM_BROWSER = "second_from_browser"
    NOT_RUNNING = "not_running"


class Decision(StrEnum):
    """What somebody decided about an event in review: it counts as it is, for another enrolment, or never."""

    ACCEPT = "accept"
    MERGE = "merge"
    REJECT = "reject"


class WalkInPerson(Base):
    """Somebody who came without a place, known by the name that was typed at the door; the id is made by the device.

    What is personal stands here and not in the event, which is never altered: it can be wiped. `enrolment_id`: the place
    that the person was given in the end.
    """

    __tablename__ = "walk_in"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int] = mapped_column(ForeignKey("course_session.id"), index=True)
    name: Mapped[str]
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    made_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id"), index=True)
    rejected_at: Mapped[datetime | None]

    @property
    def phone(self) -> str | None:
        """The phone in E.164, opened."""
        return crypto.cipher().decrypt(PHONE, self.id, self.phone_sealed) if self.phone_sealed else None

    @phone.setter
    def phone(self, value: str | None) -> None:
        self.phone_sealed = crypto.cipher().encrypt(PHONE, self.id, value) if value else None


class AttendanceEvent(Base):
    """One check-in event. Its id is made by the device, so that sending it twice changes nothing. Never altered.

    `happened_at` is the moment that counts: the device's time (`told_at`) put right by the offset of its clock from ours.
    `undoes`: the event that an undo takes back. `ticket`: SHA-256 of a ticket that was scanned. `review`: why it counts for
    nothing until somebody decides; null when it counted at once. `answer`: what the device was told, to tell it again.
    Session, user and device are references that triggers keep (migration 0014), looked up once for all rows of a statement.
    """

    __tablename__ = "attendance_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int] = mapped_column(BigInteger)
    enrolment_id: Mapped[int | None] = mapped_column(ForeignKey("enrolment.id"), index=True)
    kind: Mapped[AttendanceKind] = mapped_column(Word(AttendanceKind))
    method: Mapped[AttendanceMethod] = mapped_column(Word(AttendanceMethod))
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
    review: Mapped[Review | None] = mapped_column(Word(Review))
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
        """Those of the sessions one may see."""
        return cls.course_session_id.in_(select(CourseSession.id).where(CourseSession.visible_to(scope)))


class AttendanceDecision(Base):
    """What somebody decided about one event in review; once, and never altered."""

    __tablename__ = "attendance_decision"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("attendance_event.id"), primary_key=True)
    decision: Mapped[Decision] = mapped_column(Word(Decision))
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
    """One trainee present at one course session. The row exists while the person counts as present."""

    __tablename__ = "attendance"

    # A reference that triggers keep, as of its event.
    course_session_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    enrolment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("enrolment.id"), primary_key=True, autoincrement=False, index=True
    )
    event_id: Mapped[UUID] = mapped_column(ForeignKey("attendance_event.id"), unique=True)
    arrived_at: Mapped[datetime]
    left_at: Mapped[datetime | None]

    enrolment: Mapped[Enrolment] = relationship()

    __table_args__ = (CheckConstraint("left_at >= arrived_at", name="order"),)


means("pk_attendance_decision", "decided_already", N_("Another user has decided about this check-in in the meantime."))
