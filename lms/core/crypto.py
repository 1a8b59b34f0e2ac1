"""Encryption of personal data in the database: AES-256-GCM for each field, and blind indexes to search by.

A ciphertext is bound to its row and column, and cannot be decrypted when it is copied to another. The blind index is an
HMAC: equal values have equal indexes, and without the key it reveals nothing.
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
        """Encrypt a value for one column ("trainee.phone") of one row."""
        return self.seal(column, row, value.encode())

    def decrypt(self, column: str, row: UUID, sealed: bytes) -> str:
        """Decrypt a value. Raises cryptography's InvalidTag when it was altered or belongs to another row or column."""
        return self.open(column, row, sealed).decode()

    def seal(self, column: str, row: UUID | str, content: bytes) -> bytes:
        """Encrypt bytes, such as a file, for one column of one row."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._aead.encrypt(nonce, content, self._place(column, row))

    def open(self, column: str, row: UUID | str, sealed: bytes) -> bytes:
        """Decrypt what `seal` encrypted. Raises cryptography's InvalidTag as `decrypt` does."""
        body = sealed[len(VERSION) :]
        return self._aead.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], self._place(column, row))

    def opener(self, column: str) -> Callable[[bytes, bytes], bytes]:
        """A function like `open`, for a million values of one column: (row reference as text, ciphertext) → content.

        Everything that does not depend on the value is computed here, once.
        """
        decrypt, column_of = self._aead.decrypt, self._place(column, "")
        begin, end = len(VERSION), len(VERSION) + NONCE_BYTES
        return lambda row, sealed: decrypt(sealed[begin:end], sealed[end:], column_of + row)

    def blind_index(self, column: str, value: str) -> bytes:
        """The blind index of a value: 16 bytes, equal for equal values of one column."""
        return hmac.digest(self._index_key, f"{column}\0{value}".encode(), hashlib.sha256)[:INDEX_BYTES]

    @staticmethod
    def _place(column: str, row: UUID | str) -> bytes:
        return f"{column}\0{row}".encode()


class _Current:
    """The cipher of this process, set once at its start."""

    cipher: FieldCipher | None = None


def configure(field_key: str) -> None:
    """Set the key of this process. The application calls this once at its start."""
    _Current.cipher = FieldCipher(field_key)


def cipher() -> FieldCipher:
    """The cipher of this process. Raises RuntimeError before `configure`."""
    if _Current.cipher is None:
        raise RuntimeError("lms.core.crypto.configure was not called")
    return _Current.cipher


def token() -> str:
    """A random part of an address that cannot be guessed: 128 bits in 22 characters."""
    return base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()


def token_uuid(value: str) -> UUID:
    """The 128 bits of a token as a UUID, by which the encrypted values of a row with a token are bound to that row."""
    return UUID(bytes=base64.urlsafe_b64decode(f"{value}=="))


def token_hash(value: str) -> bytes:
    """The SHA-256 of a token, which is stored in its place, so that a reader of the table cannot use the token."""
    return hashlib.sha256(value.encode()).digest()
