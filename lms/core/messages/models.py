"""Messages: what the system tells a person, with the channel that is tried next and the state in which each message is."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Base, EnumText, Identifier
from lms.core.scope import Scope

Small = Annotated[int, mapped_column(SmallInteger)]


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

    `channel` is the channel of the address that is tried now, `position` its place in the recipient's list (from 0),
    `trying_since` when the system began to try it, and `attempts` how often it was tried. `patient` is true for a
    message that can wait behind urgent ones such as codes. `called` is true if staff call a person whom it did not reach;
    `calls` counts calls that nobody answered, and `call_at` is the latest of them.
    """

    __tablename__ = "message"

    id: Mapped[Identifier]
    ref: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    purpose: Mapped[str]
    person: Mapped[str | None]
    language: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    channel: Mapped[Channel | None] = mapped_column(EnumText(Channel))
    position: Mapped[Small] = mapped_column(default=0)
    state: Mapped[MessageState] = mapped_column(EnumText(MessageState), default=MessageState.WAITING)
    reason: Mapped[str | None]
    key: Mapped[str | None] = mapped_column(unique=True)
    district_id: Mapped[Annotated[int | None, mapped_column(SmallInteger)]]
    organisation_id: Mapped[Annotated[int | None, mapped_column(BigInteger)]]
    patient: Mapped[bool] = mapped_column(default=True)
    called: Mapped[bool] = mapped_column(default=True)
    attempts: Mapped[Small] = mapped_column(default=0)
    trying_since: Mapped[datetime] = mapped_column(default=clock.now)
    next_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[Annotated[int | None, mapped_column(BigInteger)]]
    calls: Mapped[Small] = mapped_column(default=0)
    call_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_message_waiting", "patient", "next_at", "id", postgresql_where="state = 'waiting'"),
        Index("ix_message_to_call", "district_id", "id", postgresql_where="state = 'to_call'"),
        Index("ix_message_old", "settled_at", postgresql_where="state <> 'waiting' AND content IS NOT NULL"),
        CheckConstraint("state IN ('waiting', 'sent', 'aside', 'to_call', 'called')", name="state"),
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled"),
        CheckConstraint("state NOT IN ('waiting', 'to_call') OR content IS NOT NULL", name="content"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The messages whose district or organisation the scope covers; those of neither are the city's."""
        return scope.covers(district=cls.district_id, organisation=cls.organisation_id)


class ChannelPause(Base):
    """A channel whose server or gateway could not be reached, and until when nobody tries it again.

    `failures` counts the attempts in a row that failed; the row is deleted by the first message that is delivered.
    """

    __tablename__ = "channel_pause"

    channel: Mapped[Channel] = mapped_column(EnumText(Channel), primary_key=True)
    failures: Mapped[Small] = mapped_column(default=1)
    reason: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime]

    __table_args__ = (CheckConstraint("channel IN ('sms', 'email')", name="channel"),)
