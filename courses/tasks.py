"""The worker's part of the courses: reports by mail, and exports that are too long to wait for."""

from time import monotonic

import structlog
from flask import current_app
from psycopg import Error as DriverError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from courses.events import ExportOwed, ImportOwed
from courses.imports import runs
from courses.imports.kinds import Context
from courses.reports import mails
from courses.reports.exports import exports
from lms.core import tasks
from lms.core.db import commit
from lms.core.replica import Replica

log = structlog.get_logger(__name__)

SLICE_SECONDS = 120.0  # of an import at one go; then what else waits has its turn


@tasks.task
def mail_reports(db: Session) -> None:
    """Owe the reports that are due, each committed by itself, so that a crash repeats none."""
    while mails.owe_next(db, current_app.config["SETTINGS"].zone):
        commit(db)


@tasks.task
def make_export(db: Session, export_id: int) -> None:
    """Make one that was asked for."""
    _make_export(db, export_id)


@tasks.task
def sweep_exports(db: Session) -> None:
    """Make one that is owed: what a lost message or a killed worker left behind."""
    _make_export(db, None)


@tasks.task
def remove_exports(db: Session) -> None:
    """Delete what was kept a week."""
    exports.remove_old(db)


@tasks.task
def work_at_import(db: Session, import_id: int) -> None:
    """Do what was asked for, each chunk committed."""
    _work_at_import(db, import_id)


@tasks.task
def sweep_imports(db: Session) -> None:
    """Go on with imports that a lost message or a killed worker left behind; with one that is worked at, nothing happens."""
    for import_id in runs.busy(db):
        _work_at_import(db, import_id)


@tasks.task
def erase_imports(db: Session) -> None:
    """Erase the rows of imports that can be undone no more."""
    runs.erase(db)


def _make_export(db: Session, export_id: int | None) -> None:
    """From the replica where it has all that was saved when it was asked for, else from the primary."""
    engine: Engine = current_app.extensions["engine"]
    replica: Replica | None = current_app.extensions["replica"]
    sessions, zone = current_app.extensions["sessions"], current_app.config["SETTINGS"].zone
    if replica is not None and replica.has_all():
        try:
            exports.make(db, sessions, replica.connection, zone, export_id)
        except (DBAPIError, DriverError) as error:
            if not replica.lost(error):
                raise
            db.rollback()
        else:
            return
    exports.make(db, sessions, engine.connect, zone, export_id)


def ring_export(event: ExportOwed) -> None:
    """Wake a worker after a commit that owes an export."""
    tasks.ring(make_export, event.export_id)


def _work_at_import(db: Session, import_id: int) -> None:
    """Until it is done or its slice of time is over: the next goes on where this one was."""
    until = monotonic() + SLICE_SECONDS
    try:
        for _progress in runs.work(db, import_id, Context(current_app.config["SETTINGS"].zone)):
            commit(db)
            if monotonic() > until:
                tasks.ring(work_at_import, import_id)
                return
    except OperationalError:  # the database went away, or two waited for each other: the sweep comes back
        raise
    except Exception:
        log.exception("import_broke", import_id=import_id)
        db.rollback()
        runs.give_up(db, import_id)
    commit(db)


def ring_import(event: ImportOwed) -> None:
    """Wake a worker after a commit that asks for work at an import."""
    tasks.ring(work_at_import, event.import_id)
