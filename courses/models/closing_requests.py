"""Requests to close a session: what an instructor asked for without a network, until a person confirms it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.offerings import CourseSession
from lms.accounts.models import User
from lms.core import clock
from lms.core.db import Base, EnumText


class ClosingRequestState(StrEnum):
    """The state of a request. Outdated: the session was closed by another way, or the sender asked again."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    OUTDATED = "outdated"


class ClosingRequest(Base):
    """A request to close one session, as a device sent it. The device makes the id.

    `happened_at` is the device's time (`told_at`), corrected by the offset of its clock. `heads` is the number of people
    counted in the room, `heads_reason` the reason for a difference from the list. `hours` is `given` or `course`: which
    hours the certificates print, where the offering plans fewer than its course has. `foreseen` holds what the device
    foresaw (`courses.closing.closing_requests.Foreseen`).
    """

    __tablename__ = "closing_request"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("course_session.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    told_at: Mapped[datetime]
    offset_ms: Mapped[int | None]
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    heads: Mapped[int | None]
    heads_reason: Mapped[str | None]
    before_end: Mapped[bool] = mapped_column(default=False)
    hours: Mapped[str | None]
    hours_reason: Mapped[str | None]
    foreseen: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[ClosingRequestState] = mapped_column(
        EnumText(ClosingRequestState), default=ClosingRequestState.WAITING
    )
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    meeting: Mapped[CourseSession] = relationship()
    user: Mapped[User] = relationship(foreign_keys=user_id)

    __table_args__ = (
        Index("ix_closing_request_course_session_id", "course_session_id"),
        Index(
            "ix_closing_request_waiting",
            "course_session_id",
            postgresql_where=text("state = 'waiting'"),
        ),
        CheckConstraint("state IN ('waiting', 'confirmed', 'withdrawn', 'outdated')", name="state"),
        CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("heads BETWEEN 0 AND 100000", name="heads"),
        CheckConstraint("hours IN ('given', 'course')", name="hours"),
    )
