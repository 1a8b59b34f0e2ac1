"""The keys with which a check verifies blocks: private files of this machine, and otherwise the published rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, select

from certificates.keys import key_files
from certificates.keys.issuer_keys import Purpose
from certificates.models import IssuerKey
from lms.core.autocommit import Reads
from lms.core.errors import DomainError


@dataclass(frozen=True, slots=True)
class StatusKeys:
    """Keys by name. private: files of this machine. public: their halves, and published rows of the other keys.

    replaced: names of keys whose row in the database is not the half of this machine's file, or is not there.
    """

    private: Mapping[str, Ed25519PrivateKey]
    public: Mapping[str, bytes]
    replaced: tuple[str, ...] = ()


def load(db: Reads | Connection, folder: Path | None) -> StatusKeys:
    """Read the keys. folder: the keys folder; None or an empty one where this machine has no private key."""
    rows = db.execute(select(IssuerKey.kid, IssuerKey.public_key).where(IssuerKey.kid.startswith(f"{Purpose.STATUS}-")))
    published = {row.kid: bytes(row.public_key) for row in rows}
    private = _files(folder) if folder is not None else {}
    here = {kid: key_files.public_bytes(key) for kid, key in private.items()}
    replaced = tuple(sorted(kid for kid, public in here.items() if published.get(kid) != public))
    return StatusKeys(private, published | here, replaced)


def _files(folder: Path) -> dict[str, Ed25519PrivateKey]:
    private = {}
    try:
        names = sorted(path.stem for path in (folder / "signing").glob(f"{Purpose.STATUS}-*.pem"))
    except OSError:
        return {}
    for kid in names:
        try:
            private[kid] = key_files.load(folder, kid)
        except (DomainError, ValueError):
            continue  # unreadable for this user: the published half is used, and the check says that the file is not here
    return private
