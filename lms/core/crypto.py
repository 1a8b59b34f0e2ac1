"""Encryption of personal data in the database: AES-256-GCM for each field, and blind indexes to search by.

A ciphertext is bound to its row and column, and cannot be decrypted when it is copied to another. The blind index is an
HMAC: equal values have equal indexes, and without the key it reveals nothing.

Several keys can be configured at once, so that `FIELD_KEY` can be replaced while the system runs (docs/operations.md). The
first byte of a ciphertext is the number of its key. New values are sealed and indexed with the newest key; a value is
searched by its indexes under all keys.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ColumnElement, SQLColumnExpression

from lms.field_keys import KEY_BYTES, NumberedKey

NONCE_BYTES = 12
INDEX_BYTES = 16
NUMBER_BYTES = 1


class UnknownKey(Exception):
    """Raised for a ciphertext whose key is not configured: neither as FIELD_KEY nor among FIELD_KEY_FALLBACKS."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"sealed with field key number {number}, which is not configured: add it to FIELD_KEY_FALLBACKS as {number}:<base64>"
        )
        self.number = number


class _Keys:
    """Keys derived from one field key: the cipher, and the key of the blind indexes."""

    def __init__(self, key: NumberedKey) -> None:
        self.number = key.number
        self.aead = AESGCM(_derive(key.secret, b"lms/field/encrypt/1"))
        self.index_key = _derive(key.secret, b"lms/field/index/1")

    def blind_index(self, message: bytes) -> bytes:
        return hmac.digest(self.index_key, message, hashlib.sha256)[:INDEX_BYTES]

    def derive(self, info: bytes) -> bytes:
        """A further key, from which the field key cannot be computed."""
        return _derive(self.index_key, info)


class FieldCipher:
    """Encrypts and indexes personal fields with keys derived from `FIELD_KEY`, and reads those of its fallbacks."""

    def __init__(self, field_key: str, fallbacks: Iterable[str] = ()) -> None:
        keys = [_Keys(NumberedKey.parse(text)) for text in (field_key, *fallbacks)]
        self._newest = keys[0]
        self._keys = keys
        self._by_number = {key.number: key for key in keys}
        self._lead = bytes([self._newest.number])

    @property
    def number(self) -> int:
        """The number of the key with which new values are sealed."""
        return self._newest.number

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all keys that are configured, the newest first."""
        return tuple(key.number for key in self._keys)

    def encrypt(self, column: str, row: UUID | str, value: str) -> bytes:
        """Encrypt a value for one column ("trainee.phone") of one row."""
        return self.seal(column, row, value.encode())

    def decrypt(self, column: str, row: UUID | str, sealed: bytes) -> str:
        """Decrypt a value. Raises cryptography's InvalidTag when it was altered or belongs to another row or column."""
        return self.open(column, row, sealed).decode()

    def seal(self, column: str, row: UUID | str, content: bytes) -> bytes:
        """Encrypt bytes, such as a file, for one column of one row."""
        nonce = os.urandom(NONCE_BYTES)
        return self._lead + nonce + self._newest.aead.encrypt(nonce, content, self._place(column, row))

    def open(self, column: str, row: UUID | str, sealed: bytes) -> bytes:
        """Decrypt what `seal` encrypted. Raises cryptography's InvalidTag as `decrypt` does, and UnknownKey."""
        keys = self._newest if sealed[:NUMBER_BYTES] == self._lead else self._key_of(sealed)
        body = sealed[NUMBER_BYTES:]
        return keys.aead.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], self._place(column, row))

    def opener(self, column: str) -> Callable[[bytes, bytes], bytes]:
        """A function like `open`, for a million values of one column: (row reference as text, ciphertext) → content.

        Everything that does not depend on the value is computed here, once.
        """
        decrypts = {key.number: key.aead.decrypt for key in self._keys}
        column_of, key_of = self._place(column, ""), self._key_of
        begin, end = NUMBER_BYTES, NUMBER_BYTES + NONCE_BYTES

        def opened(row: bytes, sealed: bytes) -> bytes:
            decrypt = decrypts.get(sealed[0]) if sealed else None
            return (decrypt or key_of(sealed).aead.decrypt)(sealed[begin:end], sealed[end:], column_of + row)

        return opened

    def sealer(self, column: str) -> Callable[[bytes, bytes], bytes]:
        """A function like `seal`, for a million values of one column: (row reference as text, content) → ciphertext."""
        encrypt, lead, column_of, random = self._newest.aead.encrypt, self._lead, self._place(column, ""), os.urandom

        def sealed(row: bytes, content: bytes) -> bytes:
            nonce = random(NONCE_BYTES)
            return lead + nonce + encrypt(nonce, content, column_of + row)

        return sealed

    def indexer(self, column: str) -> Callable[[bytes], bytes]:
        """A function like `blind_index`, for a million values of one column: value in UTF-8 → index."""
        index, column_of = self._newest.blind_index, self._message(column, "")

        def indexed(value: bytes) -> bytes:
            return index(column_of + value)

        return indexed

    def blind_index(self, column: str, value: str) -> bytes:
        """The blind index of a value, to be stored: 16 bytes, equal for equal values of one column."""
        return self._newest.blind_index(self._message(column, value))

    def blind_indexes(self, column: str, value: str) -> list[bytes]:
        """The blind indexes of a value under all keys, the newest first, to be searched for."""
        message = self._message(column, value)
        return [key.blind_index(message) for key in self._keys]

    def device_key(self, device: int) -> bytes:
        """The key of the hashes by which one paired device searches its rosters; no other device has the same."""
        return self._newest.derive(f"lms/device/search/1\0{device}".encode())

    def _key_of(self, sealed: bytes) -> _Keys:
        number = sealed[0] if sealed else 0
        keys = self._by_number.get(number)
        if keys is None:
            raise UnknownKey(number)
        return keys

    @staticmethod
    def _message(column: str, value: str) -> bytes:
        return f"{column}\0{value}".encode()

    @staticmethod
    def _place(column: str, row: UUID | str) -> bytes:
        return f"{column}\0{row}".encode()


def _derive(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


class _Current:
    """The cipher of this process, set once at its start."""

    cipher: FieldCipher | None = None


def configure(field_key: str, fallbacks: Iterable[str] = ()) -> None:
    """Set the keys of this process. The application calls this once at its start."""
    _Current.cipher = FieldCipher(field_key, fallbacks)


def cipher() -> FieldCipher:
    """The cipher of this process. Raises RuntimeError before `configure`."""
    if _Current.cipher is None:
        raise RuntimeError("lms.core.crypto.configure was not called")
    return _Current.cipher


def index_is(index: SQLColumnExpression[bytes | None], column: str, value: str) -> ColumnElement[bool]:
    """Condition: the blind index of a row is that of this value, under any of the configured keys."""
    return index.in_(cipher().blind_indexes(column, value))


def is_indexed(index: bytes | None, column: str, value: str | None) -> bool:
    """Tell whether a stored blind index is that of this value; None for both is equal, too."""
    return index in cipher().blind_indexes(column, value) if value else index is None


def references() -> Iterator[str]:
    """Random UUIDs as texts, for a million rows: the random bits are drawn for many at once."""
    while True:
        digits = os.urandom(16 * 256).hex()
        for at in range(0, len(digits), 32):
            variant = "89ab"[int(digits[at + 16], 16) & 3]
            yield (
                f"{digits[at : at + 8]}-{digits[at + 8 : at + 12]}-4{digits[at + 13 : at + 16]}"
                f"-{variant}{digits[at + 17 : at + 20]}-{digits[at + 20 : at + 32]}"
            )


def token() -> str:
    """A random part of an address that cannot be guessed: 128 bits in 22 characters."""
    return base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()


def token_uuid(value: str) -> UUID:
    """The 128 bits of a token as a UUID, by which the encrypted values of a row with a token are bound to that row."""
    return UUID(bytes=base64.urlsafe_b64decode(f"{value}=="))


def hash_uuid(value: bytes) -> UUID:
    """The first 128 bits of a token's hash as a UUID, which binds the encrypted values of a row that has the hash alone."""
    return UUID(bytes=bytes(value[:16]))


def token_hash(value: str) -> bytes:
    """The SHA-256 of a token, which is stored in its place, so that a reader of the table cannot use the token."""
    return hashlib.sha256(value.encode()).digest()
