"""Recovery codes: ten codes on paper, each of which stands for the second factor once."""

import secrets

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from lms.accounts.models import RecoveryCode, User
from lms.core import clock, crypto

NUMBER = 10
LENGTH = 12
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
            RecoveryCode.code_hash == _hash(user, code),
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


def _hash(user: User, code: str) -> bytes:
    return crypto.cipher().blind_index(_COLUMN, f"{user.ref}\0{code}")
