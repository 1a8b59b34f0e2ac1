"""Messages: what the system tells a person, with the channel that is tried next and the state in which each message is."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Base, EnumText, Identifier


class Channel(StrEnum):
    """A way to reach a person."""

    SMS = "sms"
    EMAIL = "email"


class MessageState(StrEnum):
    """The state of a message.

    waiting: it will be sent. sent: a server or gateway has taken it. aside: it cannot be built or was refused for good, and
    nobody has to call. to_call: nothing reached the person, so somebody calls. called: somebody did.
    """

    WAITING = "waiting"
    SENT = "sent"
    ASIDE = "aside"
    TO_CALL = "to_call"
    CALLED = "called"


class Message(Base):
    """A message to one person. Its content (name, addresses, subject, text) is encrypted.

    `person` names the row that is told ("trainee:17", "user:3"). `key` makes a message that is owed twice one message.
    `district_id` and `organisation_id` say whose staff call the person if nothing reaches them.
    """

    __tablename__ = "message"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    purpose: Mapped[str]
    person: Mapped[str | None]
    language: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    channel: Mapped[Channel | None] = mapped_column(EnumText(Channel))
    state: Mapped[MessageState] = mapped_column(EnumText(MessageState), default=MessageState.WAITING)
    reason: Mapped[str | None]
    key: Mapped[str | None] = mapped_column(unique=True)
    district_id: Mapped[Annotated[int | None, mapped_column(SmallInteger)]]
    organisation_id: Mapped[Annotated[int | None, mapped_column(BigInteger)]]
    attempts: Mapped[Annotated[int, mapped_column(SmallInteger)]] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[Annotated[int | None, mapped_column(BigInteger)]]

    __table_args__ = (
        Index("ix_message_waiting", "next_at", "id", postgresql_where="state = 'waiting'"),
        Index("ix_message_to_call", "district_id", "id", postgresql_where="state = 'to_call'"),
        CheckConstraint("state IN ('waiting', 'sent', 'aside', 'to_call', 'called')", name="state"),
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled"),
    )
