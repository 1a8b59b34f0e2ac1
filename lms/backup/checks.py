"""The checks after a restore: the same that the commands of their areas run, and the keys and the FIELD_KEY."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from cryptography.exceptions import InvalidTag
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from certificates import ledger
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


def run(sessions: sessionmaker[Session], keys: Mapping[str, bytes]) -> Iterator[Check]:
    """Run all checks over a restored system, one after the other. keys: its private key files, by path."""
    with transaction(sessions) as db:
        yield _check("keys", key_parts.faults(db, keys))
        yield _check("field key", _unreadable(db))
    yield _check("person-time check", _recount(sessions))
    with transaction(sessions) as db:
        faults = ledger.check(db)
        yield _check(
            "certificates ledger check", (f"certificate {fault.number or '?'}: {fault.what}" for fault in faults)
        )


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
