"""Repeating: messages that were put aside are sent again, once their cause is mended."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.core import audit, clock, events
from lms.core.messages.models import Message, MessageState
from lms.core.messages.owing import Content, MessageOwed, purpose_of

RETRIED = (MessageState.ASIDE, MessageState.TO_CALL)


def retry(db: Session, *, purpose: str | None = None, reason: str | None = None, to_call: bool = False) -> int:
    """Let messages that were put aside wait again from their first address, and return their number.

    purpose, reason: only those of this code. to_call: also those on the list of people to call. Messages without an
    address, without content or past their time stay as they are.
    """
    now = clock.now()
    statement = (
        select(Message)
        .where(Message.state.in_(RETRIED if to_call else RETRIED[:1]), Message.content.is_not(None))
        .where((Message.expires_at.is_(None)) | (Message.expires_at > now))
        .order_by(Message.id)
        .with_for_update(skip_locked=True)
    )
    if purpose is not None:
        statement = statement.where(Message.purpose == purpose)
    if reason is not None:
        statement = statement.where(Message.reason == reason)
    count = 0
    for message in db.scalars(statement):
        if message.reason == "unreadable" or not (addresses := Content.of(message).addresses):
            continue
        message.state, message.settled_at, message.settled_by = MessageState.WAITING, None, None
        message.channel, message.position, message.attempts = addresses[0].channel, 0, 0
        message.trying_since = message.next_at = now
        message.called = purpose_of(message.purpose).called
        count += 1
    if count:
        audit.record(db, "message.retry", "message:aside", after={"count": count})
        events.publish(db, MessageOwed())
    db.flush()
    return count
