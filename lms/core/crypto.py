"""Personal fields at rest: AES-256-GCM bound to row and column, and a keyed blind index for finding an equal value.

A ciphertext copied to another row or column does not open. The index tells equality only, to whoever holds the key.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
INDEX_BYTES = 16
VERSION = b"\x01"


class FieldCipher:
    """Encrypts and indexes personal fields with keys derived from one secret (`FIELD_KEY`)."""

    def __init__(self, field_key: str) -> None:
        secret = base64.b64decode(field_key)
        self._aead = AESGCM(self._derive(secret, b"lms/field/encrypt/1"))
        self._index_key = self._derive(secret, b"lms/field/index/1")

    @staticmethod
    def _derive(secret: bytes, info: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)

    def encrypt(self, column: str, row: UUID | str, value: str) -> bytes:
        """Seal a value for one column ("trainee.phone") of one row; another row's or column's name will not open it."""
        return self.seal(column, row, value.encode())

    def decrypt(self, column: str, row: UUID, sealed: bytes) -> str:
        """Open a value. Raises cryptography's InvalidTag when it was altered or belongs to another place."""
        return self.open(column, row, sealed).decode()

    def seal(self, column: str, row: UUID | str, content: bytes) -> bytes:
        """Seal bytes, as of a file, for one place."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._aead.encrypt(nonce, content, self._place(column, row))

    def open(self, column: str, row: UUID | str, sealed: bytes) -> bytes:
        """Open what `seal` closed. Raises cryptography's InvalidTag when it was altered or belongs to another place."""
        body = sealed[len(VERSION) :]
        return self._aead.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], self._place(column, row))

    def opener(self, column: str) -> Callable[[bytes, bytes], bytes]:
        """`open` for a million values of one column: (the row's reference as text, sealed) → the content.

        What can be done once is done here and not for each value.
        """
        decrypt, column_of = self._aead.decrypt, self._place(column, "")
        begin, end = len(VERSION), len(VERSION) + NONCE_BYTES
        return lambda row, sealed: decrypt(sealed[begin:end], sealed[end:], column_of + row)

    def blind_index(self, column: str, value: str) -> bytes:
        """16 bytes that are equal for equal values of one column, and say nothing without the key."""
        return hmac.digest(self._index_key, f"{column}\0{value}".encode(), hashlib.sha256)[:INDEX_BYTES]

    @staticmethod
    def _place(column: str, row: UUID | str) -> bytes:
        return f"{column}\0{row}".encode()


class _Current:
    """The process's cipher; set once at start, for rules that seal and open fields."""

    cipher: FieldCipher | None = None


def configure(field_key: str) -> None:
    """Give the process its key; called once by the application's start."""
    _Current.cipher = FieldCipher(field_key)


def cipher() -> FieldCipher:
    """The process's cipher. Raises RuntimeError before `configure`."""
    if _Current.cipher is None:
        raise RuntimeError("lms.core.crypto.configure was not called")
    return _Current.cipher


def token() -> str:
    """An unguessable address part: 128 random bits, 22 characters."""
    return base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()


def token_hash(value: str) -> bytes:
    """How a token is kept: whoever reads the table cannot use it."""
    return hashlib.sha256(value.encode()).digest()
