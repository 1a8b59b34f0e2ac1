"""Reading and sending the messages that a test owes."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.config import Settings
from lms.core.messages import sending
from lms.core.messages.channels import configured
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Content


def messages(db: Session, state: MessageState = MessageState.WAITING) -> list[Message]:
    """The messages in a state, the oldest first."""
    return list(db.scalars(select(Message).where(Message.state == state).order_by(Message.id)))


def mails(db: Session) -> list[str]:
    """The content of each mail that waits to be sent, as one text with its addresses."""
    by_mail = [row for row in messages(db) if row.channel is Channel.EMAIL]
    return [json.dumps(asdict(Content.of(row)), ensure_ascii=False) for row in by_mail]


def deliver_all(db: Session, settings: Settings, **changes: Mapping[str, Any] | object) -> None:
    """Send what is due through the channels of the settings, as the task does, without its commits."""
    changed = settings.model_copy(update=changes)
    with configured.opened(changed) as gateways:
        while sending.send_next(db, gateways, changed.public_url):
            db.commit()
