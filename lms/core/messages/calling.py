"""Calling: the list of people whom no message reached, and what became of each call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lms.core import audit, clock
from lms.core.errors import N_, DomainError
from lms.core.messages.labels import REASONS
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import SITE, Content, purpose_of
from lms.core.paging import Page, page_of
from lms.core.scope import CACHED_STATEMENTS, Scope, fetch, visible

NOTE_LENGTH = 500


class CallOutcome(StrEnum):
    """The outcome of a call: the person was told, was not reached (and stays on the list), or need not be told any more."""

    CALLED = "called"
    NOT_REACHED = "not_reached"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class CallDue:
    """A person to call.

    purpose, reason: msgids. text: what to say; None where the message holds a link or code that is not read out.
    has_number: whether a number is known. calls, call_at: the calls that nobody answered, and the latest of them.
    """

    id: int
    name: str
    purpose: str
    reason: str
    text: str | None
    since: datetime
    has_number: bool
    calls: int
    call_at: datetime | None


def list_due(db: Session, scope: Scope, page: int, *, site: str) -> Page[CallDue]:
    """A page of the people to call within a scope: first those whom nobody called yet, the longest on the list first.

    site: the site's address, which stands in the texts in the place of `owing.SITE`.
    """
    statement = visible(select(Message).where(Message.state == MessageState.TO_CALL), Message, scope)
    messages = page_of(db, statement.order_by(Message.calls, Message.settled_at, Message.id), page)
    rows: Sequence[CallDue] = [_call_due(message, site) for message in messages.rows]
    return Page(rows=rows, page=messages.page, pages=messages.pages, total=messages.total)


def count_due(db: Session, scope: Scope) -> int:
    """The number of people to call within a scope."""
    return db.scalar(counting_due(scope.reach)) or 0


@lru_cache(CACHED_STATEMENTS)
def counting_due(scope: Scope) -> Select[int]:
    """The SELECT of `count_due`. scope: a `Scope.reach`."""
    due = select(func.count()).select_from(Message).where(Message.state == MessageState.TO_CALL)
    return visible(due, Message, scope)


def read_number(db: Session, message_id: int, scope: Scope) -> str | None:
    """The number of a person to call. Each read is audited, with the purpose of the message as its reason.

    Raises NotFound for a message out of the scope, and DomainError `already_settled` for one that left the list.
    """
    message = _on_list(db, message_id, scope)
    number = Content.of(message).phone
    if number is not None:
        audit.record(db, "message.read_phone", message, reason=purpose_of(message.purpose).label)
    return number


def record_call(db: Session, message_id: int, outcome: CallOutcome, note: str, scope: Scope) -> None:
    """Record a call. Raises NotFound as `read_number` does, and DomainError `note_long` for a note that is too long."""
    note = " ".join(note.split())
    if len(note) > NOTE_LENGTH:
        raise DomainError("note_long", N_("Shorten the note to 500 characters."), field="note")
    message = _on_list(db, message_id, scope)
    now = clock.now()
    if outcome is CallOutcome.NOT_REACHED:
        message.calls, message.call_at = message.calls + 1, now
    else:
        called = outcome is CallOutcome.CALLED
        message.state = MessageState.CALLED if called else MessageState.ASIDE
        message.reason = message.reason if called else "not_needed"
        message.settled_at, message.settled_by = now, audit.actor(db)
    audit.record(db, "message.call", message, after={"outcome": str(outcome)}, reason=note or None)


def _on_list(db: Session, message_id: int, scope: Scope) -> Message:
    message = fetch(db, Message, message_id, scope, lock=True)
    if message.state is not MessageState.TO_CALL:
        raise DomainError("already_settled", N_("Somebody has settled this already."), status=409)
    return message


def _call_due(message: Message, site: str) -> CallDue:
    content = Content.of(message)
    purpose = purpose_of(message.purpose)
    return CallDue(
        id=message.id,
        name=_showable(content.name),
        purpose=purpose.label,
        reason=REASONS.get(message.reason or "", message.reason or ""),
        text=None if purpose.secret else _showable(content.text.replace(SITE, site)),
        since=message.settled_at or message.created_at,
        has_number=content.phone is not None,
        calls=message.calls,
        call_at=message.call_at,
    )


def _showable(text: str) -> str:
    """The text without lone surrogates, which no page can carry: a message of poison must not take the list with it."""
    return text.encode(errors="replace").decode()
