"""Retention: the content of a message is erased when it was sent, and of any other message after the period of its rule."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import Session

from lms.core import retention_rules
from lms.core.messages.models import Message, MessageState


def due(before: datetime) -> list[ColumnElement[bool]]:
    """The conditions that a message was settled before a moment and still has its content."""
    return [Message.settled_at <= before, Message.content.is_not(None), Message.state != MessageState.WAITING]


def erase(db: Session) -> None:
    """Erase the content of messages whose period is over. Nobody can call any more whom nobody called by then."""
    before = retention_rules.before(db, "message")
    if before is not None:
        erase_before(db, before)


def erase_before(db: Session, before: datetime) -> int:
    """Erase the content of messages that were settled before a moment, and return their number."""
    old = due(before)
    gone: Any = db.execute(
        update(Message)
        .where(*old, Message.state == MessageState.TO_CALL)
        .values(state=MessageState.ASIDE, reason="too_old", content=None)
    )
    erased: Any = db.execute(update(Message).where(*old).values(content=None))
    return int(gone.rowcount) + int(erased.rowcount)
