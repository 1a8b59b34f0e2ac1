"""Owing messages: a message is stored in the transaction of its cause, and a worker sends it after the commit."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lms.core import clock, crypto, events
from lms.core.errors import N_
from lms.core.messages.channels.interface import Attachment
from lms.core.messages.models import Channel, Message, MessageState

COLUMN = "message.content"
_MESSAGES = cast("Table", Message.__table__)
# A placeholder for the site's address in a text, because the rules that owe a message do not know the settings.
SITE = "{site}"


@dataclass(frozen=True)
class Purpose:
    """A purpose of messages, such as "ticket" or "code".

    label: the msgid by which lists show it. called: whether staff call a person whom the message did not reach; a code is
    not read out on the phone. parameters: the names of the values that the template of an SMS gateway takes, in the
    template's order. secret: the text has a link or a code in it, which no list shows.
    """

    code: str
    label: str
    called: bool = True
    parameters: tuple[str, ...] = ()
    secret: bool = False

    def __post_init__(self) -> None:
        _purposes[self.code] = self


_purposes: dict[str, Purpose] = {}

# Mails that were owed before there was a purpose (migration 0018).
EARLIER = Purpose("earlier_mail", N_("Mail of an earlier version"), called=False, secret=True)
EARLIER_COLUMN = "outgoing_mail.content"


def purpose_of(code: str) -> Purpose:
    """The purpose with a code. A code that is no longer used has its code as label."""
    return _purposes.get(code) or Purpose(code, code)


def purposes() -> list[Purpose]:
    """Every purpose of the modules that are loaded, by code."""
    return sorted(_purposes.values(), key=lambda purpose: purpose.code)


@dataclass(frozen=True)
class Address:
    """An address on a channel: a phone in E.164 or an e-mail address."""

    channel: Channel
    value: str = field(repr=False)


@dataclass(frozen=True)
class Recipient:
    """The person who is told. `addresses` are tried in their order.

    person: the row, such as "trainee:17". language: "zh" or "en", for the channels that need one language.
    district_id, organisation_id: whose staff call if nothing reaches the person. phone: the number that staff call, where
    `addresses` has no number to which the system may send; None for the first number among the addresses.
    """

    person: str | None
    name: str = field(repr=False)
    addresses: tuple[Address, ...]
    language: str = "zh"
    district_id: int | None = None
    organisation_id: int | None = None
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Content:
    """The decrypted content of a message. phone: the number that staff call if nothing reaches the person."""

    name: str
    addresses: tuple[Address, ...]
    subject: str
    text: str
    parameters: Mapping[str, str]
    phone: str | None
    html: str = ""
    attachments: tuple[Attachment, ...] = ()

    @classmethod
    def of(cls, message: Message) -> "Content":
        """The content of a message. Raises ValueError when it was erased."""
        content: dict[str, Any] = content_of(message)
        return cls(
            name=content["name"],
            addresses=tuple(Address(Channel(channel), value) for channel, value in content["addresses"]),
            subject=content["subject"],
            text=content["text"],
            parameters=content["parameters"],
            phone=content.get("phone"),
            html=content.get("html", ""),
            attachments=tuple(
                Attachment(name, media_type, b64decode(data))
                for name, media_type, data in content.get("attachments", ())
            ),
        )


class MessageOwed:
    """The event of a waiting message; the reaction sends the task to the queue."""


class _Served:
    """Which channels this installation serves for which purposes; set once at the start of the process."""

    by: Callable[[Channel, str], bool] | None = None


def configure(served: Callable[[Channel, str], bool] | None) -> None:
    """Set which (channel, purpose code) this installation can send. None stands for all."""
    _Served.by = served


def is_served(channel: Channel, purpose: Purpose) -> bool:
    """Tell whether this installation can send messages of a purpose on a channel."""
    return _Served.by is None or _Served.by(channel, purpose.code)


def can_reach(purpose: Purpose, recipient: Recipient) -> bool:
    """Tell whether a message of this purpose can be sent to the recipient; otherwise somebody has to call."""
    return any(is_served(address.channel, purpose) for address in recipient.addresses)


@dataclass(frozen=True)
class Draft:
    """A message to one person before it is stored.

    subject, text: for e-mail, already in the recipient's language (or in both). parameters: the values for the SMS gateway's
    template, by the names in `purpose.parameters`. key: a second message of the same key is dropped. until: from this moment
    on, the message is not worth sending. html: the same text for e-mail programs that show it, with `SITE` as in the text.
    attachments: files of an e-mail; a text message goes without.
    """

    purpose: Purpose
    recipient: Recipient
    subject: str
    text: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    until: datetime | None = None
    html: str = ""
    attachments: Sequence[Attachment] = ()


def owe(
    db: Session,
    purpose: Purpose,
    recipient: Recipient,
    *,
    subject: str,
    text: str,
    parameters: Mapping[str, str] | None = None,
    key: str | None = None,
    lives: timedelta | None = None,
) -> None:
    """Store a waiting message in this unit of work.

    subject, text, parameters, key: as in `Draft`. lives: for how long the message is worth sending; it is sent before
    messages that have no such limit. A recipient whom no channel of this installation can reach goes to the list of people
    to call at once.
    """
    now = clock.now()
    until = now + lives if lives is not None else None
    draft = Draft(purpose, recipient, subject, text, parameters or {}, key, until)
    values = _values(draft, now, patient=lives is None)
    if key is None:
        db.add(Message(**values))  # many of one transaction are inserted in few statements
    else:
        db.execute(insert(Message).values(values).on_conflict_do_nothing(index_elements=["key"]))
    events.publish(db, MessageOwed())


def owe_many(db: Session, drafts: Sequence[Draft]) -> None:
    """Store many messages in this unit of work, in one INSERT. A draft whose key is stored already is dropped."""
    if not drafts:
        return
    now = clock.now()
    rows = [_values(draft, now, patient=True) for draft in drafts]
    # The table and not the class: SQLAlchemy groups the rows of a class by the columns that are null.
    db.execute(insert(_MESSAGES).on_conflict_do_nothing(index_elements=["key"]), rows)
    if any(row["state"] is MessageState.WAITING for row in rows):
        events.publish(db, MessageOwed())


def _values(draft: Draft, now: datetime, *, patient: bool) -> dict[str, Any]:
    """The columns of a message that is stored now."""
    purpose, recipient, ref = draft.purpose, draft.recipient, uuid4()
    position = next(
        (index for index, address in enumerate(recipient.addresses) if is_served(address.channel, purpose)), None
    )
    numbers = (address.value for address in recipient.addresses if address.channel is Channel.SMS)
    content = {
        "name": recipient.name,
        "addresses": [[address.channel.value, address.value] for address in recipient.addresses],
        "subject": draft.subject,
        "text": draft.text,
        "parameters": dict(draft.parameters),
        "phone": recipient.phone or next(numbers, None),
    }
    if draft.html:
        content["html"] = draft.html
    if draft.attachments:
        content["attachments"] = [
            [file.name, file.media_type, b64encode(file.data).decode()] for file in draft.attachments
        ]
    state = MessageState.WAITING
    if position is None:
        state = MessageState.TO_CALL if purpose.called else MessageState.ASIDE
    return {
        "ref": ref,
        "purpose": purpose.code,
        "person": recipient.person,
        "language": recipient.language,
        # ASCII alone, so that no character of a text keeps its cause from being stored.
        "content": crypto.cipher().encrypt(COLUMN, ref, json.dumps(content)),
        "channel": recipient.addresses[position].channel if position is not None else None,
        "position": position or 0,
        "state": state,
        "reason": None if position is not None else "no_channel" if recipient.addresses else "no_address",
        "key": draft.key,
        "district_id": recipient.district_id,
        "organisation_id": recipient.organisation_id,
        "patient": patient,
        "called": purpose.called,
        "attempts": 0,
        "trying_since": now,
        "next_at": now,
        "expires_at": draft.until,
        "created_at": now,
        "settled_at": None if state is MessageState.WAITING else now,
        "calls": 0,
    }


def content_of(message: Message) -> dict[str, Any]:
    """The content of a message in clear, as it is stored: name, addresses (pairs of channel and value), subject, text,
    parameters, phone. Raises ValueError when it was erased.
    """
    if message.content is None:
        raise ValueError("the message's content was erased")
    earlier = message.purpose == EARLIER.code
    clear = crypto.cipher().decrypt(EARLIER_COLUMN if earlier else COLUMN, message.ref, message.content)
    content: dict[str, Any] = json.loads(clear)
    if earlier:
        content |= {"name": "", "addresses": [[Channel.EMAIL.value, content["to"]]], "parameters": {}}
    return content
