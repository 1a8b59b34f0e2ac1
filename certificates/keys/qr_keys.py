"""Keys that sign QR codes: which exist, when each may sign, and which one signs now. Their public halves are rows.

Private halves are files (`key_files`). The file of a new key is written before its row is committed; if the process
dies between the two, the next attempt takes the file that exists. The keys for badges and status lists are in
`issuer_keys`.
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
from lms.core.autocommit import Reads
from lms.core.errors import N_, DomainError

DEFAULT_DAYS = 366  # a year and the day on which the next key takes over
_LOCK = 0x424A_5243_4B45_5953  # "BJRCKEYS": PostgreSQL's advisory lock, so that one transaction at a time changes keys


@dataclass(frozen=True, slots=True)
class Compromise:
    """The result of marking a key as compromised.

    `refused_count` is the number of certificates that the ledger recorded at or after the moment; their codes are
    refused now.
    """

    key: SigningKey
    successor: SigningKey | None
    refused_count: int


def public_keys(db: Reads) -> list[PublicKey]:
    """Return all public keys for QR codes by number."""
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
    """Return the active key, and make it when there is none yet. Calling it again, or twice at once, changes nothing.

    replace_lost: make the next key when the file of the active one is gone; without it, DomainError
    `signing_key_missing`.
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
    """Make the first key, or the next one after the last was retired.

    Raises DomainError `signing_key_active` where a key is active: then use `rotate`.
    """
    _lock_changes(db)
    if _active(db) is not None:
        raise DomainError("signing_key_active", N_("There is already an active signing key. Rotate it instead."))
    return _make(db, folder, not_before, not_after)


def rotate(db: Session, folder: Path, *, today: date, not_after: date) -> SigningKey:
    """Retire the active key as of today and put a new one in its place. Certificates of the old key stay valid.

    This waits for workers that are signing; after this commits, none signs with the old key.
    """
    _lock_changes(db)
    old = _active(db, lock=True)
    if old is not None:
        _retire(db, old, today)
    return _make(db, folder, today, not_after)


def retire(db: Session, *, today: date) -> SigningKey:
    """Retire the active key without a successor: certificates stay owed until `create`. Certificates of the key stay
    valid.

    Raises DomainError `signing_key_none`.
    """
    _lock_changes(db)
    old = _active(db, lock=True)
    if old is None:
        raise DomainError("signing_key_none", N_("There is no active signing key. Make one with: flask keys ensure"))
    _retire(db, old, today)
    return old


def compromise(db: Session, folder: Path, number: int, at: datetime, *, today: date, not_after: date) -> Compromise:
    """Mark a key as compromised since a moment, and replace it in the same transaction if it is active.

    From then on a code of this key is trusted only if the ledger recorded it before the moment. This waits for workers
    that are signing with the key. Called again, the earlier of the two moments stays: trust that was withdrawn is not
    given back. Raises DomainError: `signing_key_unknown`, and `compromise_in_future`.
    """
    _lock_changes(db)
    key = db.scalars(select(SigningKey).where(SigningKey.number == number).with_for_update()).one_or_none()
    if key is None:
        raise DomainError("signing_key_unknown", N_("There is no signing key %(kid)s."), kid=qr_kid(number))
    if at > clock.now():
        raise DomainError("compromise_in_future", N_("The time of the compromise cannot be in the future."))
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
    """Return the number and the private half of the key that signs on this day, locked against retirement until the
    commit.

    Raises DomainError: `signing_key_none`, `signing_key_out_of_window`, `signing_key_mismatch` when the file does not
    belong to the published key, and the errors of `key_files.load`.
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
    """The public keys in the memory of this process, so that verifying a signature needs no database.

    The keys are read again after `MAX_AGE` seconds. For an unknown number (the key may be a minute old) they are read
    again at most every `MIN_AGE` seconds, so that even many forged codes cost the database next to nothing. Every
    process learns within `MAX_AGE` seconds that a key was compromised.
    """

    MAX_AGE = 5.0
    MIN_AGE = 2.0

    def __init__(self) -> None:
        self._keys: Mapping[int, PublicKey] = {}
        self._read_at = time.monotonic() - self.MAX_AGE
        self._lock = Lock()

    def get(self, db: Reads, number: int) -> PublicKey | None:
        """Return the key of this number, if there is one."""
        self._refresh(db, self.MAX_AGE)
        key = self._keys.get(number)
        if key is None:
            self._refresh(db, self.MIN_AGE)
            key = self._keys.get(number)
        return key

    def all(self, db: Reads) -> list[PublicKey]:
        """Return every key, for publishing."""
        self._refresh(db, self.MAX_AGE)
        return list(self._keys.values())

    def forget(self) -> None:
        """Empty the cache: the next call reads the keys again."""
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
    """Return the first and the last day of a key that starts today."""
    return today, today + timedelta(days=days - 1)
