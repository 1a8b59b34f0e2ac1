"""Retention: the content of a message is erased when it was sent, and of any other message after 30 days."""

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from lms.core import clock
from lms.core.messages.models import Message, MessageState

KEPT = timedelta(days=30)


def erase(db: Session) -> None:
    """Erase the content of messages that were settled 30 days ago. Nobody can call any more whom nobody called by then."""
    old = (
        Message.settled_at <= clock.now() - KEPT,
        Message.content.is_not(None),
        Message.state != MessageState.WAITING,
    )
    db.execute(
        update(Message)
        .where(*old, Message.state == MessageState.TO_CALL)
        .values(state=MessageState.ASIDE, reason="too_old", content=None)
    )
    db.execute(update(Message).where(*old).values(content=None))
