"""Celery tasks of courses: report mails, exports and imports."""

import gc
from time import monotonic

import structlog
from flask import current_app
from psycopg import Error as DriverError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from courses.enrolment import waiting_list
from courses.events import ExportRequested, ImportRequested
from courses.imports import runs
from courses.imports.kinds import ImportContext
from courses.merging import finding
from courses.offerings import session_reminders
from courses.privacy import retention
from courses.reports import mails
from courses.reports.exports import exports
from lms.core import tasks
from lms.core.garbage import collected_on_demand
from lms.core.replica import Replica
from lms.core.transactions import commit

log = structlog.get_logger(__name__)

# An import hands its worker back after this time, so that other tasks are not kept waiting by a large file.
SLICE_SECONDS = 120.0


@tasks.task
def mail_reports(db: Session) -> None:
    """Queue the report mails that are due. Each is committed by itself, so that a crash repeats none of them."""
    while mails.owe_next(db, current_app.config["SETTINGS"].zone):
        commit(db)


@tasks.task
def remind_of_sessions(db: Session) -> None:
    """Owe the reminders of tomorrow's sessions. Each batch is committed."""
    settings = current_app.config["SETTINGS"]
    at = settings.session_reminder_at
    while at is not None and session_reminders.remind(db, at=at, zone=settings.zone):
        commit(db)


@tasks.task
def find_same_people(db: Session) -> None:
    """Find pairs of records that may be of one person. Each step is committed."""
    for _pairs in finding.search(db):
        commit(db)


@tasks.task
def settle_place_offers(db: Session) -> None:
    """Pass on the places of offers that were not answered in time. Each offering is committed by itself."""
    done: list[int] = []
    while (offering_id := waiting_list.settle_next(db, done)) is not None:
        done.append(offering_id)
        commit(db)


@tasks.task
def make_export(db: Session, export_id: int) -> None:
    """Make one ordered export."""
    _make_export(db, export_id)


@tasks.task
def sweep_exports(db: Session) -> None:
    """Make one export whose message was lost or whose worker was killed."""
    _make_export(db, None)


@tasks.task
def remove_exports(db: Session) -> None:
    """Delete what was kept a week."""
    exports.remove_expired(db)


@tasks.task
def work_at_import(db: Session, import_id: int) -> None:
    """Work at an import that a user asked for. Each chunk is committed."""
    _work_at_import(db, import_id)


@tasks.task
def sweep_imports(db: Session) -> None:
    """Resume imports whose message was lost or whose worker was killed. An import that a worker holds is left alone."""
    for import_id in runs.busy_ids(db):
        _work_at_import(db, import_id)


@tasks.task
def erase_imports(db: Session) -> None:
    """Erase the rows of imports that can no longer be undone."""
    runs.erase(db)


@tasks.task
def erase_by_retention(db: Session) -> None:
    """Erase the personal data whose period is over. Each batch is committed."""
    for _code, _number in retention.run(db):
        commit(db)


def _make_export(db: Session, export_id: int | None) -> None:
    """Make an export (the next one when `export_id` is None) from the replica.

    The primary is read instead where the replica lacks writes that were saved before the order.
    """
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


def enqueue_export(event: ExportRequested) -> None:
    """Queue the task that makes an export, after the commit of its order."""
    tasks.enqueue(make_export, event.export_id)


def _work_at_import(db: Session, import_id: int) -> None:
    """Work at an import until it is done or its time slice is over; then the next task continues at the same place."""
    slice_ends_at = monotonic() + SLICE_SECONDS
    try:
        with collected_on_demand():
            for _progress in runs.work(db, import_id, ImportContext(current_app.config["SETTINGS"].zone)):
                commit(db)
                gc.collect()
                if monotonic() > slice_ends_at:
                    tasks.enqueue(work_at_import, import_id)
                    return
    except OperationalError:  # lost connection or deadlock: the next sweep resumes the import
        raise
    except Exception:
        log.exception("import_broke", import_id=import_id)
        db.rollback()
        runs.give_up(db, import_id)
    commit(db)


def enqueue_import(event: ImportRequested) -> None:
    """Queue the task that works at an import, after the commit of the request."""
    tasks.enqueue(work_at_import, event.import_id)
