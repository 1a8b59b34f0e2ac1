"""The Celery task that looks up who asked for a password link."""

from flask import current_app
from sqlalchemy.orm import Session

from lms.accounts import password_requests
from lms.accounts.password_links import site_of
from lms.accounts.password_requests import LinkRequested
from lms.core import tasks

BATCH = 200


@tasks.task
def send_links(db: Session) -> None:
    """Handle the requests for password links, each committed by itself."""
    site = site_of(current_app.config["SETTINGS"])
    for _ in range(BATCH):
        if not password_requests.handle_next(db, site):
            return
        db.commit()
    tasks.enqueue(send_links)


def enqueue_links(_event: LinkRequested) -> None:
    """The reaction to a request that was committed."""
    tasks.enqueue(send_links)
