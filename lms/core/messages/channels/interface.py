"""The interface of a channel, and the ways in which a message is not delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True)
class Attachment:
    """A file that goes along with an e-mail. Its media type is written as "application/pdf"."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Letter:
    """A message as a channel gets it: to one address, with every placeholder filled in."""

    ref: UUID
    purpose: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    language: str
    created_at: datetime
    html: str = field(default="", repr=False)
    attachments: Sequence[Attachment] = field(default=(), repr=False)


class NotDelivered(Exception):
    """A message was not delivered. reason: a code of `lms.core.messages.labels`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RefusedForGood(NotDelivered):
    """The message cannot be built, or the address or content is refused for good. The next address is tried."""


class TryLater(NotDelivered):
    """The message is tried again after a pause. channel: the channel is paused too, for example after a timeout."""

    def __init__(self, reason: str, *, channel: bool = False) -> None:
        super().__init__(reason)
        self.channel = channel


class Unreachable(NotDelivered):
    """The server or gateway takes nothing at present. The channel is paused, and its messages stay as they are."""


class Gateway(Protocol[T]):
    """A channel's connection for one batch of messages."""

    def serves(self, purpose: str) -> bool:
        """Tell whether messages of a purpose can be sent at all; an SMS gateway needs a template for each."""
        ...

    def build(self, letter: Letter) -> T:
        """Build what is handed over. Raises RefusedForGood, or any other exception, where that is impossible."""
        ...

    def deliver(self, built: T) -> None:
        """Hand the message over. Returns when it was accepted; raises a NotDelivered otherwise."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...
