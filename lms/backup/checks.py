"""The checks after a restore: the same that the commands of their areas run, and the keys and the FIELD_KEY."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cryptography.exceptions import InvalidTag
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from certificates import ledger
from certificates.records import status_keys
from certificates.records.checking import Check as RecordsCheck
from courses.counting import recount
from courses.models.trainees import Trainee
from lms.backup import key_parts
from lms.core.transactions import transaction

SAMPLED_TRAINEES = 50
MOST_FAULTS = 100


@dataclass(frozen=True)
class Check:
    """A check by the name of its command, and what it found: nothing, where all is right. At most `MOST_FAULTS`."""

    name: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """A system to check: sessions on its database, its keys folder, and the heads that its sealed records must have."""

    sessions: sessionmaker[Session]
    keys_dir: Path
    record_heads: Mapping[str, tuple[int, str]]


def run(subject: Subject) -> Iterator[Check]:
    """Run all checks over a restored system, one after the other."""
    sessions = subject.sessions
    with transaction(sessions) as db:
        yield _check("keys", key_parts.faults(key_parts.published(db), key_parts.read_folder(subject.keys_dir)))
        yield _check("field key", _unreadable(db))
    yield _check("person-time check", _recount(sessions))
    with transaction(sessions) as db:
        faults = ledger.check(db)
        yield _check(
            "certificates ledger check", (f"certificate {fault.number or '?'}: {fault.what}" for fault in faults)
        )
    with transaction(sessions) as db:
        db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield _check("records check", _records(db, subject))


def _check(name: str, faults: Iterator[str]) -> Check:
    return Check(name, tuple(fault for _, fault in zip(range(MOST_FAULTS), faults, strict=False)))


def _unreadable(db: Session) -> Iterator[str]:
    """Trainees, of the newest with a phone, whose phone the FIELD_KEY does not open."""
    newest = (
        select(Trainee).where(Trainee.phone_sealed.is_not(None)).order_by(Trainee.id.desc()).limit(SAMPLED_TRAINEES)
    )
    for trainee in db.scalars(newest):
        try:
            _ = trainee.phone
        except InvalidTag:
            yield f"the FIELD_KEY does not open the phone of trainee {trainee.id}"


def _records(db: Session, subject: Subject) -> Iterator[str]:
    connection = db.connection()
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    known = [(table, number, digest) for table, (number, digest) in subject.record_heads.items()]
    for finding in RecordsCheck(connection, status_keys.load(connection, subject.keys_dir), known).findings():
        row = f" row {finding.key}" if finding.key is not None else ""
        block = f", block {finding.block}" if finding.block is not None else ""
        yield f"{finding.table}{row}{block}: {finding.fault}"


def _recount(sessions: sessionmaker[Session]) -> Iterator[str]:
    with transaction(sessions) as db:
        ranges = recount.ranges(db)
        for difference in chain.from_iterable(recount.check_all(sessions, ranges)):
            yield (
                f"offering {difference.offering_id}: {difference.figure} is {difference.in_ledger} in the ledger, "
                f"{difference.recounted} recounted"
            )
        for stale in chain.from_iterable(recount.check_rollups(db)):
            yield f"kept total {stale.place} is {stale.stored}, recounted {stale.recounted}"
