"""Recovery codes: ten codes on paper, each of which stands for the second factor once.

The table holds a slow hash of each code (Argon2id, salted with the user's reference), which depends on no key of the system: a
code on paper outlives a field key. Codes that were made before have a keyed hash of 16 bytes. They are accepted as long as the
key with which they were made is configured, and `end_keyed` ends them when it is replaced.
"""

import secrets

from argon2.low_level import Type, hash_secret_raw
from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import Session

from lms.accounts import notices
from lms.accounts.models import RecoveryCode, User
from lms.accounts.notices import Notice
from lms.core import audit, clock, crypto

NUMBER = 10
LENGTH = 12
HASH_BYTES = 32
PASSES, MEMORY_KIB = 2, 19 * 1024  # Argon2id, as for passwords; to change them would make the codes on paper worthless
# No letter that is read as another letter or digit. 31 characters, so a code has 59 bits and cannot be guessed.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_COLUMN = "recovery_code"


def make(db: Session, user: User) -> list[str]:
    """Make ten new codes and return them, to be shown once. Earlier codes end."""
    forget(db, user.id)
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(NUMBER)]
    db.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(user, code)) for code in codes)
    db.flush()
    return ["-".join(code[start : start + 4] for start in range(0, LENGTH, 4)) for code in codes]


def accept(db: Session, user: User, code: str) -> bool:
    """Use a code up. `code` is written in lower case without hyphens. False if the user has no such unused code."""
    statement = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash.in_([_hash(user, code), *_keyed_hashes(user, code)]),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    return db.scalar(statement) is not None


def left(db: Session, user_id: int) -> int:
    """The number of codes that a user has not used."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return db.scalar(unused) or 0


def forget(db: Session, user_id: int) -> None:
    """Delete all codes of a user."""
    db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def count_keyed(db: Session) -> int:
    """The number of unused codes with a keyed hash."""
    return db.scalar(select(func.count()).where(_is_keyed(), RecoveryCode.used_at.is_(None))) or 0


def end_keyed(db: Session) -> int:
    """End the codes of one user that have a keyed hash, and tell the user; returns how many, 0 when none is left."""
    user = db.scalars(
        select(User)
        .where(exists().where(RecoveryCode.user_id == User.id, _is_keyed()))
        .order_by(User.id)
        .limit(1)
        .with_for_update(of=User)
    ).one_or_none()
    if user is None:
        return 0
    unused = db.scalars(
        delete(RecoveryCode).where(RecoveryCode.user_id == user.id, _is_keyed()).returning(RecoveryCode.used_at)
    ).all()
    audit.record(db, "user.recovery_codes_ended", user)
    if None in unused:
        notices.tell(db, user, Notice.RECOVERY_CODES_ENDED)
    return len(unused)


def _is_keyed() -> ColumnElement[bool]:
    return func.octet_length(RecoveryCode.code_hash) == crypto.INDEX_BYTES


def _hash(user: User, code: str) -> bytes:
    return hash_secret_raw(code.encode(), user.ref.bytes, PASSES, MEMORY_KIB, 1, HASH_BYTES, Type.ID)


def _keyed_hashes(user: User, code: str) -> list[bytes]:
    return crypto.cipher().blind_indexes(_COLUMN, f"{user.ref}\0{code}")
