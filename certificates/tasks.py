"""Issuing in the worker. Each run issues one chunk; if more may be owed, the next is rung for once this is committed."""

import structlog
from flask import current_app
from sqlalchemy.orm import Session

from certificates import badges, issuing, reissue, reminders
from certificates.branch import Branch
from certificates.events import BadgeOwed, CertificatesOwed, ReissueOwed, StatusChanged
from certificates.verification import status_lists
from courses.events import OfferingClosed
from lms.core import events, tasks
from lms.core.db import commit
from lms.core.errors import DomainError

log = structlog.get_logger(__name__)


@tasks.task
def issue(db: Session, offering_id: int) -> None:
    """Issue what one offering owes."""
    _chunk(db, offering_id)


@tasks.task
def sweep(db: Session) -> None:
    """Issue what any offering owes: what a lost message, a killed worker or a missing key left behind."""
    _chunk(db, None)


@tasks.task
def correct(db: Session) -> None:
    """Make the corrected certificates that are owed; a full chunk rings for the next."""
    try:
        done = reissue.issue_owed(db, Branch.of(current_app.config["SETTINGS"]))
    except DomainError as error:
        db.rollback()
        log.critical("corrections_wait_for_key", code=error.code, error=str(error))
        return
    if done == reissue.CHUNK:
        events.publish(db, ReissueOwed())


@tasks.task
def sign_badges(db: Session) -> None:
    """Sign the badges that holders asked for; a full chunk rings for the next."""
    try:
        done = badges.sign_owed(db, Branch.of(current_app.config["SETTINGS"]))
    except DomainError as error:
        db.rollback()
        log.critical("badges_wait_for_key", code=error.code, error=str(error))
        return
    if done == badges.CHUNK:
        events.publish(db, BadgeOwed())


@tasks.task
def sign_status_lists(db: Session) -> None:
    """Sign the status lists that changed or grow old."""
    try:
        status_lists.sign_due(db, Branch.of(current_app.config["SETTINGS"]))
    except DomainError as error:
        db.rollback()
        log.critical("status_lists_wait_for_key", code=error.code, error=str(error))


@tasks.task
def remind(db: Session) -> None:
    """Owe the reminders that are due, each batch committed by itself, so that a crash repeats none."""
    settings = current_app.config["SETTINGS"]
    while reminders.remind(db, settings.reminder_days, zone=settings.zone):
        commit(db)


def _chunk(db: Session, offering_id: int | None) -> None:
    try:
        issued = issuing.issue_owed(db, Branch.of(current_app.config["SETTINGS"]), offering_id=offering_id)
    except DomainError as error:
        # All stays owed. The sweep tries again, and says so again, each minute until the key is there.
        db.rollback()
        log.critical("certificates_wait_for_key", code=error.code, error=str(error), offering_id=offering_id)
        return
    if issued == issuing.CHUNK:
        events.publish(db, CertificatesOwed(offering_id))


def ring(event: OfferingClosed | CertificatesOwed) -> None:
    """Wake a worker after a commit that owes certificates."""
    if event.offering_id is None:
        tasks.ring(sweep)
    else:
        tasks.ring(issue, event.offering_id)


def ring_correction(_event: ReissueOwed) -> None:
    """Wake a worker after a commit that owes a correction."""
    tasks.ring(correct)


def ring_badges(_event: BadgeOwed) -> None:
    """Wake a worker after a commit that owes a badge."""
    tasks.ring(sign_badges)


def ring_status_lists(_event: StatusChanged) -> None:
    """Wake a worker after a commit that changed how a certificate stands."""
    tasks.ring(sign_status_lists)
