"""The database's side of signing keys: which there are, when each may sign, and which one signs now.

Private halves are files (certificates.keys). A new key's file is written before its row is committed; if the process
dies between the two, the next attempt takes the file that lies there.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates.keys import key_files
from certificates.keys.public_keys import MAX_KEY_NUMBER, PublicKey, qr_kid
from certificates.models import Certificate, KeyState, LedgerEntry, SigningKey
from lms.core import audit, clock
from lms.core.db import Reads
from lms.core.errors import N_, DomainError

DEFAULT_DAYS = 366  # a year and the day on which the next key takes over
_LOCK = 0x424A_5243_4B45_5953  # "BJRCKEYS": one change of keys at a time


@dataclass(frozen=True, slots=True)
class Compromise:
    """What came of it. `refused_count`: certificates that the ledger learnt of at or after the moment; they are refused now."""

    key: SigningKey
    successor: SigningKey | None
    refused_count: int


def public_keys(db: Reads) -> list[PublicKey]:
    """All public keys by number."""
    statement = select(
        SigningKey.number,
        SigningKey.public_key,
        SigningKey.not_before,
        SigningKey.not_after,
        SigningKey.state,
        SigningKey.compromised_at,
    ).order_by(SigningKey.number)
    return [
        PublicKey(
            number=row.number,
            kid=qr_kid(row.number),
            public_key=row.public_key,
            not_before=row.not_before,
            not_after=row.not_after,
            state=KeyState(row.state),
            compromised_at=row.compromised_at,
        )
        for row in db.execute(statement)
    ]


def ensure(db: Session, folder: Path, *, not_before: date, not_after: date, replace_lost: bool = False) -> SigningKey:
    """The active key, made when there is none yet. Doing it again, or twice at once, changes nothing.

    replace_lost: make the next key when the active one's file is gone; else DomainError `signing_key_missing`.
    """
    _lock_changes(db)
    active = _active(db)
    if active is None:
        return _make(db, folder, not_before, not_after)
    try:
        key_files.load(folder, qr_kid(active.number))
    except DomainError as error:
        if error.code != "signing_key_missing" or not replace_lost:
            raise
        return rotate(db, folder, today=max(active.not_before, not_before), not_after=not_after)
    return active


def create(db: Session, folder: Path, *, not_before: date, not_after: date) -> SigningKey:
    """Make the first key, or one after the last was retired. Raises DomainError `signing_key_active`: then rotate."""
    _lock_changes(db)
    if _active(db) is not None:
        raise DomainError("signing_key_active", N_("There is an active signing key already. Rotate it instead."))
    return _make(db, folder, not_before, not_after)


def rotate(db: Session, folder: Path, *, today: date, not_after: date) -> SigningKey:
    """Retire the active key as of today and put a new one in its place. What the old one signed stays valid.

    Waits for workers that are signing; none signs with the old key after this commits.
    """
    _lock_changes(db)
    old = _active(db, lock=True)
    if old is not None:
        _retire(db, old, today)
    return _make(db, folder, today, not_after)


def retire(db: Session, *, today: date) -> SigningKey:
    """Let the active key sign no more, with nothing in its place: certificates wait until `create`. What it signed stays valid.

    Raises DomainError `signing_key_none`.
    """
    _lock_changes(db)
    old = _active(db, lock=True)
    if old is None:
        raise DomainError("signing_key_none", N_("There is no active signing key. Make one with: flask keys ensure"))
    _retire(db, old, today)
    return old


def compromise(db: Session, folder: Path, number: int, at: datetime, *, today: date, not_after: date) -> Compromise:
    """Believe a key only for what the ledger knew before a moment; an active one is replaced in the same transaction.

    Waits for workers that are signing with it. Said again, the earlier of the two moments holds: what was believed less is
    not believed more. Raises DomainError: `signing_key_unknown`, and `compromise_in_future`.
    """
    _lock_changes(db)
    key = db.scalars(select(SigningKey).where(SigningKey.number == number).with_for_update()).one_or_none()
    if key is None:
        raise DomainError("signing_key_unknown", N_("There is no signing key %(kid)s."), kid=qr_kid(number))
    if at > clock.now():
        raise DomainError("compromise_in_future", N_("The moment of a compromise is not in the future."))
    was = key.state
    moment = min(at, key.compromised_at) if key.compromised_at is not None else at
    key.state, key.compromised_at = KeyState.COMPROMISED, moment
    db.flush()
    audit.record(
        db,
        "signing_key.compromise",
        f"signing_key:{number}",
        before={"state": was.value},
        after={"state": KeyState.COMPROMISED.value, "compromised_at": moment.isoformat()},
    )
    successor = _make(db, folder, today, not_after) if was is KeyState.ACTIVE else None
    later = (
        select(func.count())
        .select_from(LedgerEntry)
        .join(Certificate, Certificate.id == LedgerEntry.certificate_id)
        .where(Certificate.key_number == number, LedgerEntry.recorded_at >= moment)
    )
    return Compromise(key, successor, db.scalar(later) or 0)


def for_signing(db: Session, folder: Path, day: date) -> tuple[int, Ed25519PrivateKey]:
    """The number and the private half of the key that signs on this day; it cannot be retired until the commit.

    Raises DomainError: `signing_key_none`, `signing_key_out_of_window`, `signing_key_mismatch` when the file is not the
    published key's, and those of `keys.load`.
    """
    row = db.execute(
        select(SigningKey.number, SigningKey.public_key, SigningKey.not_before, SigningKey.not_after)
        .where(SigningKey.state == KeyState.ACTIVE)
        .with_for_update(read=True)
    ).one_or_none()
    if row is None:
        raise DomainError("signing_key_none", N_("There is no active signing key. Make one with: flask keys ensure"))
    if not row.not_before <= day <= row.not_after:
        raise DomainError(
            "signing_key_out_of_window",
            N_("The signing key %(kid)s may not sign on %(day)s. Make the next one with: flask keys rotate"),
            kid=qr_kid(row.number),
            day=day.isoformat(),
        )
    private = key_files.load(folder, qr_kid(row.number))
    if key_files.public_bytes(private) != row.public_key:
        raise DomainError(
            "signing_key_mismatch",
            N_("The file of signing key %(kid)s is not the key that was published."),
            kid=qr_kid(row.number),
        )
    return row.number, private


def _retire(db: Session, key: SigningKey, today: date) -> None:
    before = {"state": KeyState.ACTIVE, "not_after": key.not_after.isoformat()}
    key.state = KeyState.RETIRED
    key.not_after = max(key.not_before, min(key.not_after, today))
    db.flush()
    audit.record(
        db,
        "signing_key.retire",
        f"signing_key:{key.number}",
        before=before,
        after={"state": KeyState.RETIRED, "not_after": key.not_after.isoformat()},
    )


def _active(db: Session, *, lock: bool = False) -> SigningKey | None:
    statement = select(SigningKey).where(SigningKey.state == KeyState.ACTIVE)
    return db.scalars(statement.with_for_update() if lock else statement).one_or_none()


def _lock_changes(db: Session) -> None:
    db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _make(db: Session, folder: Path, not_before: date, not_after: date) -> SigningKey:
    number = (db.scalar(select(func.max(SigningKey.number))) or 0) + 1
    if number > MAX_KEY_NUMBER:
        raise DomainError("signing_key_numbers", N_("All 255 key numbers are used."))
    kid = qr_kid(number)
    public = key_files.create_or_take(folder, kid)
    row = SigningKey(
        number=number, public_key=public, not_before=not_before, not_after=not_after, state=KeyState.ACTIVE
    )
    db.add(row)
    db.flush()
    audit.record(
        db,
        "signing_key.create",
        f"signing_key:{number}",
        after={"not_before": not_before.isoformat(), "not_after": not_after.isoformat()},
    )
    return row


class PublicKeyCache:
    """The public keys, kept in this process, so that checking a signature needs no database.

    They are read again after `MAX_AGE` seconds, and for a number that is not known (the key may be a minute old) no more
    often than every `MIN_AGE` seconds: forged codes, however many, cost the database next to nothing. So every process knows
    `MAX_AGE` seconds later that a key was compromised.
    """

    MAX_AGE = 5.0
    MIN_AGE = 2.0

    def __init__(self) -> None:
        self._keys: Mapping[int, PublicKey] = {}
        self._read_at = time.monotonic() - self.MAX_AGE
        self._lock = Lock()

    def get(self, db: Reads, number: int) -> PublicKey | None:
        """The key of this number, if there is one."""
        self._refresh(db, self.MAX_AGE)
        key = self._keys.get(number)
        if key is None:
            self._refresh(db, self.MIN_AGE)
            key = self._keys.get(number)
        return key

    def all(self, db: Reads) -> list[PublicKey]:
        """Every key, for publishing."""
        self._refresh(db, self.MAX_AGE)
        return list(self._keys.values())

    def forget(self) -> None:
        """Read the keys again when next asked."""
        with self._lock:
            self._keys = {}
            self._read_at = time.monotonic() - self.MAX_AGE

    def _refresh(self, db: Reads, age: float) -> None:
        if time.monotonic() - self._read_at < age:
            return
        with self._lock:
            if time.monotonic() - self._read_at < age:
                return
            self._keys = {key.number: key for key in public_keys(db)}
            self._read_at = time.monotonic()


def window(today: date, days: int) -> tuple[date, date]:
    """The first and the last day of a key that begins today."""
    return today, today + timedelta(days=days - 1)
