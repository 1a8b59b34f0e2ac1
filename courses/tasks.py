"""The worker's part of the courses: reports by mail, and exports that are too long to wait for."""

from contextlib import AbstractContextManager

from flask import current_app
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from courses import exports, report_mails
from courses.events import ExportOwed
from courses.imports import runs
from lms.core import tasks
from lms.core.db import commit


@tasks.task
def mail_reports(db: Session) -> None:
    """Owe the reports that are due, each committed by itself, so that a crash repeats none."""
    while report_mails.owe_next(db, current_app.config["SETTINGS"].zone):
        commit(db)


@tasks.task
def make_export(db: Session, export_id: int) -> None:
    """Make one that was asked for."""
    exports.make(db, current_app.extensions["sessions"], _connection, current_app.config["SETTINGS"].zone, export_id)


@tasks.task
def sweep_exports(db: Session) -> None:
    """Make one that is owed: what a lost message or a killed worker left behind."""
    exports.make(db, current_app.extensions["sessions"], _connection, current_app.config["SETTINGS"].zone)


@tasks.task
def remove_exports(db: Session) -> None:
    """Delete what was kept a week."""
    exports.remove_old(db)


@tasks.task
def erase_imports(db: Session) -> None:
    """Erase the rows of imports that can be undone no more."""
    runs.erase(db)


def _connection() -> AbstractContextManager[Connection]:
    engine: Engine = current_app.extensions["engine"]
    return engine.connect()


def ring_export(event: ExportOwed) -> None:
    """Wake a worker after a commit that owes an export."""
    tasks.ring(make_export, event.export_id)
