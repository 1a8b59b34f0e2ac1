"""Celery tasks of certificates. Each run handles one chunk; if more may be owed, it enqueues the next run after its
commit.
"""

from collections import deque

import structlog
from flask import current_app
from sqlalchemy.orm import Session

from certificates import badges, issuing, missing_glyphs, reissue, reminders
from certificates.branch import Branch
from certificates.events import BadgeOwed, CertificatesOwed, ListOwed, ReissueOwed, StatusChanged, WalletPassOwed
from certificates.keys.qr_keys import PublicKeyCache
from certificates.legacy import matching
from certificates.legacy import reminders as legacy_reminders
from certificates.records import sealing
from certificates.verification import list_checks, public_figures, status_lists, type_table
from certificates.wallets import passes
from courses.events import NameDecided, OfferingClosed, PeopleIdentified
from lms.core import clock, events, tasks
from lms.core.errors import DomainError
from lms.core.transactions import commit

log = structlog.get_logger(__name__)


@tasks.task
def issue(db: Session, offering_id: int) -> None:
    """Issue the certificates that one offering owes."""
    _issue_chunk(db, offering_id)


@tasks.task
def sweep(db: Session) -> None:
    """Issue the certificates that any offering owes: those that a lost message, a killed worker or a missing key left
    behind, and those that waited for a font, a corrected name or a writing of the name and can be printed now.
    """
    branch = Branch.of(current_app.config["SETTINGS"])
    issuing.release(db, branch)
    missing_glyphs.sift(db, clock.today(branch.zone))
    _issue_chunk(db, None)


@tasks.task
def find_missing_glyphs(db: Session) -> None:
    """List certificates in force with characters that no font has."""
    missing_glyphs.scan(db, clock.today(Branch.of(current_app.config["SETTINGS"]).zone))


@tasks.task
def find_coming_names(db: Session) -> None:
    """List people enrolled in classes to come whose names no font can print."""
    missing_glyphs.scan_coming(db)


@tasks.task
def correct(db: Session) -> None:
    """Make the corrected certificates that are owed; after a full chunk, enqueue the next run."""
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
    """Sign the badges that holders asked for; after a full chunk, enqueue the next run."""
    try:
        done = badges.sign_owed(db, Branch.of(current_app.config["SETTINGS"]))
    except DomainError as error:
        db.rollback()
        log.critical("badges_wait_for_key", code=error.code, error=str(error))
        return
    if done == badges.CHUNK:
        events.publish(db, BadgeOwed())


@tasks.task
def sign_passes(db: Session) -> None:
    """Sign the passes for wallets that holders asked for; after a full chunk, enqueue the next run."""
    if passes.sign_owed(db, current_app.config["SETTINGS"]) == passes.CHUNK:
        events.publish(db, WalletPassOwed())


@tasks.task
def sign_status_lists(db: Session) -> None:
    """Sign the status lists that changed or are older than 10 minutes, the table of types, and the public figures."""
    branch = Branch.of(current_app.config["SETTINGS"])
    try:
        status_lists.sign_due(db, branch)
        type_table.sign_due(db, branch)
        public_figures.sign_due(db, branch)
    except DomainError as error:
        db.rollback()
        log.critical("status_lists_wait_for_key", code=error.code, error=str(error))


@tasks.task
def seal_records(_db: Session) -> None:
    """Seal what is new in the tables of record; each block is committed by itself."""
    extensions = current_app.extensions
    branch = Branch.of(current_app.config["SETTINGS"])
    try:
        deque(sealing.seal(extensions["sessions"], extensions["engine"].connect, branch), maxlen=0)
    except DomainError as error:
        log.critical("records_wait_for_seal", code=error.code, error=str(error))
    except OSError as error:
        log.critical("record_heads_not_noted", error=type(error).__name__)


@tasks.task
def remind(db: Session) -> None:
    """Put due reminders into the outbox; each batch is committed by itself, so that a crash repeats none."""
    settings = current_app.config["SETTINGS"]
    for rule in (reminders.remind, legacy_reminders.remind):
        while rule(db, settings.reminder_days, zone=settings.zone):
            commit(db)


@tasks.task
def match_legacy_of(db: Session, trainee_ids: list[int]) -> None:
    """Match the legacy certificates of people whose ID number or proven phone is new."""
    matching.match_people(db, trainee_ids)


@tasks.task
def match_legacy(db: Session) -> None:
    """Match all legacy certificates; each chunk is committed by itself. This finds what a lost message left behind."""
    for _progress in matching.match_all(db):
        commit(db)


@tasks.task
def verify_lists(db: Session) -> None:
    """Verify a piece of a long list; where another piece waits, enqueue the next run behind the other tasks."""
    branch = Branch.of(current_app.config["SETTINGS"])
    if list_checks.work(db, today=clock.today(branch.zone), keys=PublicKeyCache(), scheme=branch.scheme):
        events.publish(db, ListOwed())


@tasks.task
def erase_lists(db: Session) -> None:
    """Delete the long lists that were sent more than a day ago."""
    list_checks.erase_old(db)


def _issue_chunk(db: Session, offering_id: int | None) -> None:
    try:
        issued = issuing.issue_owed(db, Branch.of(current_app.config["SETTINGS"]), offering_id=offering_id)
    except DomainError as error:
        # Everything stays owed. The sweep tries again, and logs it again, each minute until the key is there.
        db.rollback()
        log.critical("certificates_wait_for_key", code=error.code, error=str(error), offering_id=offering_id)
        return
    if issued == issuing.CHUNK:
        events.publish(db, CertificatesOwed(offering_id))


def enqueue_issuing(event: OfferingClosed | CertificatesOwed) -> None:
    """Enqueue the task that issues, after a commit that owes certificates."""
    if event.offering_id is None:
        tasks.enqueue(sweep)
    else:
        tasks.enqueue(issue, event.offering_id)


def enqueue_matching(event: PeopleIdentified) -> None:
    """Enqueue the task that matches legacy certificates, after a commit that says whose an ID number or a phone is."""
    tasks.enqueue(match_legacy_of, list(event.trainee_ids))


def enqueue_decided(_event: NameDecided) -> None:
    """Enqueue the sweep, which issues a certificate that waited for a writing of its holder's name."""
    tasks.enqueue(sweep)


def enqueue_correction(_event: ReissueOwed) -> None:
    """Enqueue the task that reissues, after a commit that owes a correction."""
    tasks.enqueue(correct)


def enqueue_badges(_event: BadgeOwed) -> None:
    """Enqueue the task that signs badges, after a commit that owes a badge."""
    tasks.enqueue(sign_badges)


def enqueue_passes(_event: WalletPassOwed) -> None:
    """Enqueue the task that signs passes, after a commit that owes a pass."""
    tasks.enqueue(sign_passes)


def enqueue_status_lists(_event: StatusChanged) -> None:
    """Enqueue the task that signs status lists, after a commit that changed the status of a certificate."""
    tasks.enqueue(sign_status_lists)


def enqueue_list(_event: ListOwed) -> None:
    """Enqueue the task that verifies a piece of a list, after a commit with a list or a piece."""
    tasks.enqueue(verify_lists)
