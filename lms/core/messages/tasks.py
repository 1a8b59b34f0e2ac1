"""The Celery tasks that send owed messages, and that erase the content of old ones."""

from flask import current_app
from sqlalchemy.orm import Session

from lms.core import tasks
from lms.core.messages import retention, sending
from lms.core.messages.channels import configured
from lms.core.messages.owing import MessageOwed

BATCH = 500


@tasks.task
def send(db: Session) -> None:
    """Send the messages that are due, each committed by itself, on one connection for each channel."""
    settings = current_app.config["SETTINGS"]
    with configured.opened(settings) as gateways:
        for _ in range(BATCH):
            if not sending.send_next(db, gateways, settings.public_url):
                return
            db.commit()
    tasks.enqueue(send)


@tasks.task
def erase(db: Session) -> None:
    """Erase the content of messages that were settled long ago."""
    retention.erase(db)


def enqueue_sending(_event: MessageOwed) -> None:
    """The reaction to a message that was committed as waiting."""
    tasks.enqueue(send)
