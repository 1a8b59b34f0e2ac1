"""Encryption of a backup in the age format (https://age-encryption.org/v1), to public keys, a passphrase, or both.

A file for public keys alone is an age file as the programs `age` and `rage` write it. The age format allows no passphrase
beside public keys, so a file with a passphrase begins with a small age file in ASCII armour: it holds a private key of
this file alone, encrypted with the passphrase. Example:

    -----BEGIN AGE ENCRYPTED FILE-----
    …
    -----END AGE ENCRYPTED FILE-----
    age-encryption.org/v1
    …
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyrage
from pyrage import passphrase as by_passphrase
from pyrage import x25519

from lms.backup import BackupError, passphrases
from lms.backup.passphrases import ARMOUR_BEGIN, ARMOUR_END

BINARY_BEGIN = b"age-encryption.org/v1\n"
ARMOUR_LINES = 100
PRIVATE_KEY = "AGE-SECRET-KEY-"
IDENTITY_FILE_BYTES = 64 * 1024


class Sink(Protocol):
    """An object that takes the decrypted bytes as they come."""

    def write(self, content: bytes, /) -> int: ...

    def flush(self) -> None: ...


@dataclass(frozen=True)
class Opener:
    """Private keys in age's text form, a passphrase, or both: each that fits opens a backup."""

    identities: Sequence[str] = ()
    passphrase: str | None = None


def new_identity() -> tuple[str, str]:
    """A new key pair in age's text form: the private identity, and the public recipient."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def check_recipients(recipients: Iterable[str]) -> None:
    """Raise BackupError for a public key that is none."""
    for recipient in recipients:
        _recipient(recipient)


def read_identities(path: Path, passphrase: str | None) -> list[str]:
    """The private keys in a file as `age-keygen` writes it; the file itself may be encrypted with the passphrase."""
    try:
        with path.open("rb") as file:
            content = file.read(IDENTITY_FILE_BYTES)
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error
    if content.startswith((ARMOUR_BEGIN, BINARY_BEGIN)):
        content = _open_with_passphrase(content, passphrase, str(path))
    lines = [line.strip() for line in content.decode("utf-8", "replace").splitlines()]
    identities = [line for line in lines if line and not line.startswith("#")]
    if not identities:
        raise BackupError(f"{path} holds no private key ({PRIVATE_KEY}…)")
    for identity in identities:
        _identity(identity, str(path))
    return identities


def encrypt(content: Iterator[bytes], file: BinaryIO, recipients: Sequence[str], passphrase: str | None) -> Opener:
    """Encrypt all content into an open file. Returns what opens it in this process alone, to read the file again.

    The returned key is made for this file and kept nowhere; only in the header of the file its public half has a line.
    Errors of `content` and of the file are raised as they are.
    """
    own_identity, own_recipient = new_identity()
    public_keys = [_recipient(own_recipient), *map(_recipient, recipients)]
    if passphrase is not None:
        identity, recipient = new_identity()
        public_keys.append(_recipient(recipient))
        file.write(passphrases.seal(identity.encode(), passphrase))
    source, target = _Pulled(content), _Noted(file)
    try:
        pyrage.encrypt_io(source, target, public_keys)
    except (pyrage.EncryptError, OSError) as error:
        raise source.error or target.error or error from None
    return Opener([own_identity])


def decrypt(file: BinaryIO, sink: Sink, opener: Opener) -> None:
    """Decrypt an open file into the sink. Each piece is authenticated before the sink gets it, the end at the end.

    Errors of the sink are raised as they are. Raises BackupError when the file is damaged, cut off or for other keys.
    """
    identities = [_identity(identity, "the identity") for identity in opener.identities]
    armour = _read_armour(file)
    if armour is not None and opener.passphrase is not None:
        private_key = _open_with_passphrase(armour, opener.passphrase, "the backup")
        identities.append(_identity(private_key.decode("utf-8", "replace"), "the backup"))
    elif armour is None and not identities:
        raise BackupError("this backup has no passphrase; it is opened with the identity that it was made for")
    elif not identities:
        raise BackupError("give the passphrase or the identity that this backup was made for")
    target = _Noted(sink)
    try:
        pyrage.decrypt_io(file, target, identities)
    except (pyrage.DecryptError, OSError) as error:
        if target.error is not None:
            raise target.error from None
        raise BackupError(_reason(error)) from None


def _reason(error: Exception) -> str:
    if "No matching keys" in str(error):
        return "none of the given keys opens this backup: it was made for others, or its heading was altered"
    if isinstance(error, OSError) and error.errno is not None:
        return f"the backup cannot be read: {os.strerror(error.errno)}"
    return f"the backup is damaged, cut off, or none of ours ({error})"


def _read_armour(file: BinaryIO) -> bytes | None:
    """The armoured age file at the beginning, if there is one; the file then stands behind it, otherwise at the beginning."""
    lines = [file.readline(len(ARMOUR_BEGIN))]
    if lines[0] != ARMOUR_BEGIN:
        file.seek(0)
        return None
    while lines[-1] != ARMOUR_END:
        if len(lines) > ARMOUR_LINES or not lines[-1]:
            raise BackupError("the backup is damaged: its part with the passphrase has no end")
        lines.append(file.readline(len(ARMOUR_BEGIN) * 4))
    return b"".join(lines)


def _open_with_passphrase(content: bytes, passphrase: str | None, name: str) -> bytes:
    if passphrase is None:
        raise BackupError(f"{name} is encrypted with a passphrase; give it, too")
    try:
        return bytes(by_passphrase.decrypt(content, passphrase))
    except pyrage.DecryptError as error:
        raise BackupError(f"the passphrase does not open {name}, or that is damaged ({error})") from None


def _recipient(text: str) -> x25519.Recipient:
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise BackupError(f"{text!r} is not a public key of age (age1…)") from None


def _identity(text: str, name: str) -> x25519.Identity:
    try:
        return x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError:
        raise BackupError(f"{name} holds something that is not a private key of age ({PRIVATE_KEY}…)") from None


class _Pulled:
    """A readable object over pieces of any size. Notes the error that ended it, which the library turns into text."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.error: BaseException | None = None
        self._pieces = pieces
        self._piece = memoryview(b"")

    def read(self, size: int) -> bytes:
        try:
            while not self._piece:
                self._piece = memoryview(next(self._pieces))
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise
        content, self._piece = self._piece[:size], self._piece[size:]
        return bytes(content)


class _Noted:
    """A writable object that notes the error of the one beneath."""

    def __init__(self, beneath: Sink | BinaryIO) -> None:
        self.error: BaseException | None = None
        self._beneath = beneath

    def write(self, content: bytes) -> int:
        try:
            return self._beneath.write(content)
        except BaseException as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._beneath.flush()
