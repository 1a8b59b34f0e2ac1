"""The worker's part of the courses: reports by mail."""

from flask import current_app
from sqlalchemy.orm import Session

from courses import report_mails
from lms.core import tasks
from lms.core.db import commit


@tasks.task
def mail_reports(db: Session) -> None:
    """Owe the reports that are due, each committed by itself, so that a crash repeats none."""
    while report_mails.owe_next(db, current_app.config["SETTINGS"].zone):
        commit(db)
