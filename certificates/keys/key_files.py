"""Private signing keys as files.

A private key never enters the database or git. It lies in `<keys folder>/signing/<kid>.pem`, mode 0600, in a folder of
mode 0700 that only the signing worker reads. The window and the state of a key are columns of the tables `signing_key`
(see `qr_keys`) and `issuer_key` (see `issuer_keys`).
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from lms.core.errors import N_, DomainError

_LARGEST_PEM = 4096  # bytes; a PEM file of an Ed25519 key has 119
_KID = re.compile(r"[a-z]+-[0-9]{1,3}")


def private_key_path(folder: Path, kid: str) -> Path:
    """Return the path of a private key in the keys folder."""
    if not _KID.fullmatch(kid):
        raise ValueError(f"not the name of a key: {kid!r}")
    return folder / "signing" / f"{kid}.pem"


def create(folder: Path, kid: str) -> bytes:
    """Make an Ed25519 key, write its file and return the public 32 bytes.

    The file appears whole or not at all, and never replaces another: the private half of an overwritten key would be
    lost for ever. Raises DomainError `signing_key_exists`.
    """
    path = private_key_path(folder, kid)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    key = Ed25519PrivateKey.generate()
    draft = path.with_name(f".{kid}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            _give_to_owner_of(folder, path.parent, descriptor)
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(descriptor)
        # os.link fails if the file exists; os.rename would replace it.
        os.link(draft, path)
    except FileExistsError as error:
        raise DomainError("signing_key_exists", N_("A signing key with this name already exists.")) from error
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return public_bytes(key)


def create_or_take(folder: Path, kid: str) -> bytes:
    """Do what `create` does; if the file exists already, return the public 32 bytes of the key in it.

    Such a file is left by a process that died before it committed the key's row.
    """
    try:
        return create(folder, kid)
    except DomainError as error:
        if error.code != "signing_key_exists":
            raise
        return public_bytes(load(folder, kid))


def load(folder: Path, kid: str) -> Ed25519PrivateKey:
    """Read a private key for signing.

    Raises DomainError: `signing_key_missing`, `signing_key_exposed` when anybody but the owner may use the file,
    `signing_key_unreadable` when it is not an Ed25519 key in PEM or may not be read by this process.
    """
    path = private_key_path(folder, kid)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise DomainError(
            "signing_key_missing", N_("The signing key %(kid)s is not in the keys folder."), kid=kid
        ) from error
    except OSError as error:
        raise _unreadable(kid) from error
    try:
        # The mode is read from the open file, so that the file cannot be replaced between this check and the read.
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _unreadable(kid)
        if stat.S_IMODE(mode) & ~0o600:
            raise DomainError(
                "signing_key_exposed",
                N_("The file of signing key %(kid)s can be used by others. Set its mode to 0600."),
                kid=kid,
            )
        pem = os.read(descriptor, _LARGEST_PEM)
    finally:
        os.close(descriptor)
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise _unreadable(kid) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unreadable(kid)
    return key


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 raw bytes of the public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _give_to_owner_of(folder: Path, subfolder: Path, descriptor: int) -> None:
    """Let a key that root makes belong to the owner of the keys folder, who is the user of the signing worker."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(subfolder, owner.st_uid, owner.st_gid, follow_symlinks=False)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync_folder(folder: Path) -> None:
    """Write the folder itself to disk, so that the new file's name survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unreadable(kid: str) -> DomainError:
    return DomainError("signing_key_unreadable", N_("The file of signing key %(kid)s cannot be read."), kid=kid)
