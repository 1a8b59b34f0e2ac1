"""The acts about a session itself, as they were received: an instructor's own check-in, and the headcount."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Base, EnumText
from lms.core.records import of_record


class SessionEventKind(StrEnum):
    """The kinds of acts.

    arrive, leave: the sender, who teaches at the session, came or went. attended: the sender says after the end of the
    session that they were there from its start to its end. headcount: the number of people who are not on the roster.
    """

    ARRIVE = "arrive"
    LEAVE = "leave"
    ATTENDED = "attended"
    HEADCOUNT = "headcount"


@of_record("received_at")
class SessionEvent(Base):
    """An act as a device or a page sent it.

    The sender makes the id. The row is never altered. `happened_at` is the moment that counts: the device's own time
    (`told_at`), corrected by the offset of the device's clock. `number`: of a headcount. `answer`: the answer as JSON, which
    a repeat of the event gets again. `user_id`: whose check-in it is, or who counted.
    """

    __tablename__ = "session_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int] = mapped_column(ForeignKey("course_session.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    kind: Mapped[SessionEventKind] = mapped_column(EnumText(SessionEventKind))
    number: Mapped[int | None]
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    told_at: Mapped[datetime | None]
    offset_ms: Mapped[int | None]
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    answer: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (
        Index("ix_session_event_course_session_id", "course_session_id"),
        CheckConstraint("kind IN ('arrive', 'leave', 'attended', 'headcount')", name="kind"),
        CheckConstraint("(kind = 'headcount') = (number IS NOT NULL)", name="number"),
        CheckConstraint("number BETWEEN 0 AND 100000", name="number_range"),
    )
