"""Sending what is owed: the worker's side of `lms.core.mail`."""

from flask import current_app
from sqlalchemy.orm import Session

from lms.core import mail, tasks
from lms.core.mail import MailOwed

BATCH = 200


@tasks.task
def send_owed(db: Session) -> None:
    """Send the mails that wait, each committed by itself, so that a crash repeats at most one."""
    settings = current_app.config["SETTINGS"]
    for _ in range(BATCH):
        owed = mail.take_one(db)
        if owed is None:
            return
        sent = mail.send(owed, settings)
        db.commit()
        if not sent:
            return


def ring(_event: MailOwed) -> None:
    """Wake the worker after a commit that owes a mail."""
    tasks.ring(send_owed)
