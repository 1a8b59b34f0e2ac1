"""Keys that sign for the issuer's `did:web`: badges and status lists. The keys for QR codes are in `qr_keys`.

Public halves are rows that anybody reads; a private half is a file of the signing worker, which makes the first key
when it first needs one. What a retired key signed can still be verified. A compromised key is not trusted for anything,
because no ledger tells which badges and lists are genuine: they are signed again.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from certificates import credentials
from certificates.keys import key_files
from certificates.models import Badge, IssuerKey, KeyState
from lms.core import audit, clock
from lms.core.errors import N_, DomainError

_MAX_NUMBER = 999


class Purpose(StrEnum):
    """The purpose of a key; its value is the beginning of the key's name."""

    BADGE = "badge"
    STATUS = "status"


def purpose_of(kid: str) -> Purpose | None:
    """Return the purpose of the key of this name; None when it is not a key of the issuer."""
    word, _, number = kid.partition("-")
    return Purpose(word) if word in set(Purpose) and number.isdecimal() else None


def public_keys(db: Session) -> Sequence[IssuerKey]:
    """Return every key that ever existed, oldest first: signatures of a retired key are still verified with it."""
    return db.scalars(select(IssuerKey).order_by(IssuerKey.made_at, IssuerKey.kid)).all()


def method(key: IssuerKey, issuer: str) -> str:
    """Return the verification method that tokens and proofs of this key name. issuer: `did:web:HOST`."""
    badge = purpose_of(key.kid) is Purpose.BADGE
    return f"{issuer}#{credentials.multikey(key.public_key) if badge else key.kid}"


def trusted(db: Session) -> list[IssuerKey]:
    """Return the keys whose signatures we trust."""
    return [key for key in public_keys(db) if key.state is not KeyState.COMPROMISED]


def for_signing(db: Session, folder: Path, purpose: Purpose) -> tuple[IssuerKey, Ed25519PrivateKey]:
    """Return the active key of a purpose, both halves, and make it when there never was one. For the worker alone.

    The key is locked against retirement until the commit. Raises DomainError: `signing_key_none_of` when the last key
    was retired, `signing_key_mismatch` when the file does not belong to the published key, and the errors of
    `key_files.load`, such as a file that is not on this machine.
    """
    row = _active(db, purpose, sharing=True)
    if row is None:
        _lock_changes(db, purpose)
        row = _active(db, purpose, sharing=True)  # another worker may have made it meanwhile
    if row is None and _count(db, purpose) == 0:
        row = _make(db, folder, purpose)
    if row is None:
        raise _none(purpose)
    private = key_files.load(folder, row.kid)
    if key_files.public_bytes(private) != row.public_key:
        raise DomainError(
            "signing_key_mismatch",
            N_("The file of signing key %(kid)s is not the key that was published."),
            kid=row.kid,
        )
    return row, private


def create(db: Session, folder: Path, purpose: Purpose) -> IssuerKey:
    """Make a key where none is active. Raises DomainError `signing_key_active`: then use `rotate`."""
    _lock_changes(db, purpose)
    if _active(db, purpose) is not None:
        raise DomainError("signing_key_active", N_("There is already an active signing key. Rotate it instead."))
    return _make(db, folder, purpose)


def rotate(db: Session, folder: Path, purpose: Purpose) -> IssuerKey:
    """Retire the active key and put a new one in its place. What the old key signed can still be verified."""
    _lock_changes(db, purpose)
    old = _active(db, purpose)
    if old is not None:
        _change(db, old, KeyState.RETIRED)
    return _make(db, folder, purpose)


def retire(db: Session, purpose: Purpose) -> IssuerKey:
    """Retire the active key without a successor: badges and lists stay owed. Raises DomainError `signing_key_none_of`."""
    _lock_changes(db, purpose)
    old = _active(db, purpose)
    if old is None:
        raise _none(purpose)
    _change(db, old, KeyState.RETIRED)
    return old


def compromise(db: Session, folder: Path, kid: str, at: datetime) -> tuple[IssuerKey, IssuerKey | None, int]:
    """Stop trusting a key. Return the key, its successor if it was active, and the number of badges that are owed
    again.

    Called again, the earlier moment stays. The caller signs the status lists again (`status_lists.sign_due`). Raises
    DomainError: `signing_key_unknown`, and `compromise_in_future`.
    """
    purpose = purpose_of(kid)
    if purpose is not None:
        _lock_changes(db, purpose)
    key = db.scalars(select(IssuerKey).where(IssuerKey.kid == kid).with_for_update()).one_or_none()
    if key is None or purpose is None:
        raise DomainError("signing_key_unknown", N_("There is no signing key %(kid)s."), kid=kid)
    if at > clock.now():
        raise DomainError("compromise_in_future", N_("The time of the compromise cannot be in the future."))
    was = key.state
    moment = min(at, key.compromised_at) if key.compromised_at is not None else at
    _change(db, key, KeyState.COMPROMISED, moment)
    successor = _make(db, folder, purpose) if was is KeyState.ACTIVE else None
    return key, successor, _owe_badges_again(db, key) if purpose is Purpose.BADGE else 0


def _owe_badges_again(db: Session, key: IssuerKey) -> int:
    """Mark each badge whose proof names this key as owed again."""
    again = (
        update(Badge)
        .where(Badge.credential.contains(credentials.multikey(key.public_key), autoescape=True))
        .values(made_at=None, credential=None, token=None)
        .returning(Badge.certificate_id)
        .execution_options(synchronize_session=False)
    )
    return len(db.scalars(again).all())


def _change(db: Session, key: IssuerKey, state: KeyState, compromised_at: datetime | None = None) -> None:
    before = key.state
    key.state, key.compromised_at = state, compromised_at
    db.flush()
    after = {"state": state.value}
    if compromised_at is not None:
        after["compromised_at"] = compromised_at.isoformat()
    action = "signing_key.compromise" if state is KeyState.COMPROMISED else "signing_key.retire"
    audit.record(db, action, f"signing_key:{key.kid}", before={"state": before.value}, after=after)


def _active(db: Session, purpose: Purpose, *, sharing: bool = False) -> IssuerKey | None:
    """Return the active key, locked until the commit: exclusively for a change, shared for signing."""
    statement = (
        select(IssuerKey)
        .where(IssuerKey.kid.startswith(f"{purpose}-"), IssuerKey.state == KeyState.ACTIVE)
        .with_for_update(read=sharing)
        .execution_options(populate_existing=True)
    )
    return db.scalars(statement).one_or_none()


def _count(db: Session, purpose: Purpose) -> int:
    return db.scalar(select(func.count()).where(IssuerKey.kid.startswith(f"{purpose}-"))) or 0


def _lock_changes(db: Session, purpose: Purpose) -> None:
    db.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"issuer_key:{purpose}"))))


def _make(db: Session, folder: Path, purpose: Purpose) -> IssuerKey:
    number = _count(db, purpose) + 1
    if number > _MAX_NUMBER:
        raise DomainError("signing_key_numbers", N_("All key numbers are used."))
    kid = f"{purpose}-{number}"
    public = key_files.create_or_take(folder, kid)
    key = IssuerKey(kid=kid, public_key=public, made_at=clock.now(), state=KeyState.ACTIVE)
    db.add(key)
    db.flush()
    audit.record(db, "signing_key.create", f"signing_key:{kid}")
    return key


def _none(purpose: Purpose) -> DomainError:
    return DomainError(
        "signing_key_none_of",
        N_("There is no active key for %(purpose)s. Make one with: flask keys create --for %(purpose)s"),
        purpose=purpose.value,
    )
