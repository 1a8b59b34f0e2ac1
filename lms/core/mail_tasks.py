"""The Celery task that sends pending mails (`lms.core.mail`)."""

from flask import current_app
from sqlalchemy.orm import Session

from lms.core import mail, tasks
from lms.core.mail import MailOwed

BATCH = 200


@tasks.task
def send_owed(db: Session) -> None:
    """Send the pending mails. Each is committed by itself, so that a crash sends at most one mail twice."""
    settings = current_app.config["SETTINGS"]
    for _ in range(BATCH):
        owed = mail.take_one(db)
        if owed is None:
            return
        sent = mail.send(owed, settings)
        db.commit()
        if not sent:
            return


def enqueue_sending(_event: MailOwed) -> None:
    """The reaction to a mail that was committed as pending."""
    tasks.enqueue(send_owed)
