"""Owing messages: a message is stored in the transaction of its cause, and a worker sends it after the commit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lms.core import clock, crypto, events
from lms.core.messages.models import Channel, Message, MessageState

COLUMN = "message.content"
# A placeholder for the site's address in a text, because the rules that owe a message do not know the settings.
SITE = "{site}"


@dataclass(frozen=True)
class Purpose:
    """A purpose of messages, such as "ticket" or "code".

    label: the msgid by which lists show it. called: whether staff call a person whom the message did not reach; a code is
    not read out on the phone. parameters: the names of the values that the template of an SMS gateway takes.
    """

    code: str
    label: str
    called: bool = True
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Address:
    """An address on a channel: a phone in E.164 or an e-mail address."""

    channel: Channel
    value: str = field(repr=False)


@dataclass(frozen=True)
class Recipient:
    """The person who is told. `addresses` are tried in their order.

    person: the row, such as "trainee:17". language: "zh" or "en", for the channels that need one language.
    district_id, organisation_id: whose staff call if nothing reaches the person.
    """

    person: str | None
    name: str = field(repr=False)
    addresses: tuple[Address, ...]
    language: str = "zh"
    district_id: int | None = None
    organisation_id: int | None = None


class MessageOwed:
    """The event of a waiting message; the reaction sends the task to the queue."""


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

    subject, text: for e-mail, already in the recipient's language (or in both). parameters: the values for the SMS
    gateway's template, by the names in `purpose.parameters`. key: a second message of the same key is dropped. lives: for
    how long the message is worth sending. A recipient without an address goes to the list of people to call at once.
    """
    ref = uuid4()
    now = clock.now()
    content = {
        "name": recipient.name,
        "addresses": [[address.channel.value, address.value] for address in recipient.addresses],
        "subject": subject,
        "text": text,
        "parameters": dict(parameters or {}),
    }
    state = MessageState.WAITING
    if not recipient.addresses:
        state = MessageState.TO_CALL if purpose.called else MessageState.ASIDE
    db.execute(
        insert(Message)
        .values(
            ref=ref,
            purpose=purpose.code,
            person=recipient.person,
            language=recipient.language,
            content=crypto.cipher().encrypt(COLUMN, ref, json.dumps(content, ensure_ascii=False)),
            channel=recipient.addresses[0].channel if recipient.addresses else None,
            state=state,
            reason=None if recipient.addresses else "no_address",
            key=key,
            district_id=recipient.district_id,
            organisation_id=recipient.organisation_id,
            attempts=0,
            next_at=now,
            expires_at=now + lives if lives is not None else None,
            created_at=now,
            settled_at=None if state is MessageState.WAITING else now,
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )
    events.publish(db, MessageOwed())


def content_of(message: Message) -> dict[str, object]:
    """The content of a message in clear: name, addresses, subject, text, parameters."""
    if message.content is None:
        raise ValueError("the message's content was erased")
    content: dict[str, object] = json.loads(crypto.cipher().decrypt(COLUMN, message.ref, message.content))
    return content
