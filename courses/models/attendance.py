"""Attendance: the events that came in, kept for ever, and what they add up to."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.enrolment import Enrolment
from lms.core import clock
from lms.core.db import Base, Word


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


class AttendanceEvent(Base):
    """One check-in event. Its id is made by the device, so that sending it twice changes nothing. Never altered."""

    __tablename__ = "attendance_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int] = mapped_column(ForeignKey("course_session.id"))
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"), index=True)
    kind: Mapped[AttendanceKind] = mapped_column(Word(AttendanceKind))
    method: Mapped[AttendanceMethod] = mapped_column(Word(AttendanceMethod))
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    reason: Mapped[str | None]

    __table_args__ = (
        Index("ix_attendance_event_session", "course_session_id", "enrolment_id", "received_at"),
        CheckConstraint("kind IN ('arrive', 'leave', 'undo')", name="kind"),
        CheckConstraint("method IN ('tap', 'scan', 'photo', 'walk_in', 'correction')", name="method"),
        CheckConstraint("kind <> 'undo' OR reason IS NOT NULL", name="undo_reason"),
    )


class Attendance(Base):
    """One trainee present at one course session. The row exists while the person counts as present."""

    __tablename__ = "attendance"

    course_session_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("course_session.id"), primary_key=True, autoincrement=False
    )
    enrolment_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("enrolment.id"), primary_key=True, autoincrement=False, index=True
    )
    event_id: Mapped[UUID] = mapped_column(ForeignKey("attendance_event.id"), unique=True)
    arrived_at: Mapped[datetime]
    left_at: Mapped[datetime | None]

    enrolment: Mapped[Enrolment] = relationship()

    __table_args__ = (CheckConstraint("left_at >= arrived_at", name="order"),)
