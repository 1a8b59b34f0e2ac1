"""The signing keys of a backup: the files of KEYS_DIR, compared with the public halves in the database."""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy.orm import Session

from certificates.keys import issuer_keys, qr_keys
from certificates.keys.key_files import public_bytes
from certificates.models import KeyState
from certificates.records import heads
from lms.backup import BackupError

LARGEST_BYTES = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def read_folder(folder: Path) -> dict[str, bytes]:
    """Each file of a keys folder by its path within it.

    Drafts (names with a dot in front) are left out, and the noted heads of the sealed records: those may be ahead of the
    database's snapshot, whose own heads are in the manifest.
    Raises BackupError for a file that cannot be read, or that is no file.
    """
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = path.relative_to(folder)
        if name.as_posix() == heads.FILE or any(part.startswith(".") for part in name.parts):
            continue
        if path.is_dir() and not path.is_symlink():
            continue
        if not all(_NAME.fullmatch(part) for part in name.parts):
            raise BackupError(f"{path} has a name that no key has")
        files[name.as_posix()] = _content(path)
    return files


def _content(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BackupError(f"{path} is not a file")
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise BackupError(f"{path} is too large for a key")
    return content


@dataclass(frozen=True)
class PublishedKey:
    """The public half of a key: the row of the database."""

    kid: str
    public_key: bytes
    signs: bool


def published(db: Session) -> list[PublishedKey]:
    """Every key of codes, badges and status lists."""
    rows = [(key.kid, key.public_key, key.state) for key in qr_keys.public_keys(db)]
    rows += [(key.kid, key.public_key, key.state) for key in issuer_keys.public_keys(db)]
    return [PublishedKey(kid, public_key, state is KeyState.ACTIVE) for kid, public_key, state in rows]


def without_unpublished(keys: Sequence[PublishedKey], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Leave out files of keys that are not in the snapshot: a worker made them in a transaction that had not ended."""
    known = {_path(key.kid) for key in keys}
    return {name: content for name, content in files.items() if name in known or not name.startswith("signing/")}


def faults(keys: Sequence[PublishedKey], files: Mapping[str, bytes]) -> Iterator[str]:
    """Differences between private key files and the published keys.

    A key that signs must have its file. A retired key needs none; where it has one, that must be the right one.
    """
    for key in keys:
        content = files.get(_path(key.kid))
        if content is None:
            if key.signs:
                yield f"the private file of {key.kid}, which signs, is missing"
        elif _public(content) != key.public_key:
            yield f"the private file of {key.kid} is not the key that was published"


def _path(kid: str) -> str:
    return f"signing/{kid}.pem"


def _public(pem: bytes) -> bytes | None:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return public_bytes(key) if isinstance(key, Ed25519PrivateKey) else None


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write key files into a new folder that its owner alone enters. Raises OSError."""
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
