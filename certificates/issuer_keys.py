"""The keys that sign for the issuer's `did:web`: of badges and of status lists.

Public halves are rows that anybody reads; a private half is a file of the signing worker, which makes the first key
when it first needs one.
"""

import base64
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from certificates import keys
from certificates.models import IssuerKey
from lms.core import audit, clock
from lms.core.errors import N_, DomainError


class Purpose(StrEnum):
    """What a key signs; the beginning of its name."""

    BADGE = "badge"
    STATUS = "status"


def public_keys(db: Session) -> Sequence[IssuerKey]:
    """Every key there ever was, oldest first: what an old one signed is still verified with it."""
    return db.scalars(select(IssuerKey).order_by(IssuerKey.made_at, IssuerKey.kid)).all()


def jwk(kid: str, public_key: bytes) -> dict[str, str]:
    """A key as a JSON Web Key (RFC 8037)."""
    x = base64.urlsafe_b64encode(public_key).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x}


def for_signing(db: Session, folder: Path, purpose: Purpose) -> tuple[IssuerKey, Ed25519PrivateKey]:
    """The newest key of a purpose, both halves. For the worker alone.

    Raises DomainError: `signing_key_mismatch` when the file is not the published key's, and those of `keys.load`, as
    when the file is not on this machine.
    """
    row = _newest(db, purpose) or _first(db, folder, purpose)
    private = keys.load(folder, row.kid)
    if keys.public_bytes(private) != row.public_key:
        raise DomainError(
            "signing_key_mismatch",
            N_("The file of signing key %(kid)s is not the key that was published."),
            kid=row.kid,
        )
    return row, private


def _newest(db: Session, purpose: Purpose) -> IssuerKey | None:
    statement = select(IssuerKey).where(IssuerKey.kid.startswith(f"{purpose}-"))
    return db.scalars(statement.order_by(IssuerKey.made_at.desc(), IssuerKey.kid.desc()).limit(1)).one_or_none()


def _first(db: Session, folder: Path, purpose: Purpose) -> IssuerKey:
    """Make the first key; when two workers do so at once, both have the same one."""
    kid = f"{purpose}-1"
    db.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"issuer_key:{kid}"))))
    try:
        public = keys.create(folder, kid)
    except DomainError as error:
        if error.code != "signing_key_exists":
            raise
        # A process died between writing the file and committing the row, or another worker was first.
        public = keys.public_bytes(keys.load(folder, kid))
    made = db.scalar(
        insert(IssuerKey)
        .values(kid=kid, public_key=public, made_at=clock.now())
        .on_conflict_do_nothing()
        .returning(IssuerKey.kid)
    )
    if made is not None:
        audit.record(db, "signing_key.create", f"signing_key:{kid}")
    return db.scalars(select(IssuerKey).where(IssuerKey.kid == kid)).one()
