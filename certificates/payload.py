"""Payload of the QR code on a certificate: 82 signed bytes, written as 198 decimal digits (CERTIFICATE.md).

They are digits because a QR code packs a digit into 3.33 bits inside an ordinary web address. The layout is published
and frozen: paper cannot be recalled. A change needs a new first byte, and every version stays readable for ever. Version
2 differs from version 1 in one thing: the rule by which the holder's name is compared (`lms.core.names`).
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from lms.core.errors import N_, DomainError
from lms.core.names import norm, norm_version_1

DIGITS = 198
FIRST_BYTES = {1: 0xB1, 2: 0xB2}  # by version
NEWEST_VERSION = 2
SIGNATURE_DOMAIN = b"BJRC-CERT-QR/1\0\0"
NAME_DOMAIN = b"BJRC-NAME/1"
NAME_ROUNDS = 20_000
NAME_TAG_BYTES = 6
EPOCH = date(2020, 1, 1)
NO_EXPIRY = 0xFFFF

_BODY = struct.Struct(">BBBBIHH6s")
_SIGNATURE_BYTES = 64
_TOTAL_BYTES = _BODY.size + _SIGNATURE_BYTES
_LIMIT = 1 << (8 * _TOTAL_BYTES)
_VERSIONS = {first_byte: version for version, first_byte in FIRST_BYTES.items()}


@dataclass(frozen=True, slots=True)
class Payload:
    """The signed values. `certificate_type` and `unit` are codes of published tables (unit 0 is the branch).

    `valid_until` is the last valid day, None when the certificate does not expire. `version` is 1 or 2; new codes have 2.
    """

    key_number: int
    certificate_type: int
    unit: int
    serial: int
    issued_on: date
    valid_until: date | None
    name_tag: bytes
    version: int = NEWEST_VERSION


class Decoded(NamedTuple):
    """A payload that could be read. Nothing in it is trustworthy before `verify_signature`."""

    payload: Payload
    signature: bytes
    signed: bytes

    @property
    def raw(self) -> bytes:
        """The 82 bytes, as the database stores them."""
        return self.signed[len(SIGNATURE_DOMAIN) :] + self.signature

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the 82 bytes, by which the issuance ledger identifies this code."""
        return hashlib.sha256(self.raw).digest()


def encode(payload: Payload, sign: Callable[[bytes], bytes]) -> str:
    """Return the 198 digits. `sign` makes an Ed25519 signature of 64 bytes.

    Raises ValueError for a value that does not fit its field, such as an issue day before 2020 (those certificates are
    legacy certificates and carry no code).
    """
    signed = SIGNATURE_DOMAIN + _body(payload)
    signature = sign(signed)
    if len(signature) != _SIGNATURE_BYTES:
        raise ValueError(f"an Ed25519 signature has 64 bytes, not {len(signature)}")
    return digits_of(signed[len(SIGNATURE_DOMAIN) :] + signature)


def digits_of(raw: bytes) -> str:
    """Return the 198 digits of the 82 bytes that the database stores."""
    if len(raw) != _TOTAL_BYTES:
        raise ValueError(f"a payload has {_TOTAL_BYTES} bytes, not {len(raw)}")
    return f"{int.from_bytes(raw, 'big'):0{DIGITS}d}"


def decode(digits: str) -> Decoded:
    """Read 198 digits; the signature is not checked here.

    Raises DomainError `payload_unreadable` for anything else: another length, other characters, a number of more than
    82 bytes, another first byte.
    """
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise _unreadable()
    number = int(digits)
    if number >= _LIMIT:
        raise _unreadable()
    raw = number.to_bytes(_TOTAL_BYTES, "big")
    version = _VERSIONS.get(raw[0])
    if version is None:
        raise _unreadable()
    body, signature = raw[: _BODY.size], raw[_BODY.size :]
    _, key_number, certificate_type, unit, serial, issued, last, name_tag = _BODY.unpack(body)
    payload = Payload(
        key_number=key_number,
        certificate_type=certificate_type,
        unit=unit,
        serial=serial,
        issued_on=EPOCH + timedelta(days=issued),
        valid_until=None if last == NO_EXPIRY else EPOCH + timedelta(days=last),
        name_tag=name_tag,
        version=version,
    )
    return Decoded(payload, signature, SIGNATURE_DOMAIN + body)


def verify_signature(decoded: Decoded, public_key: bytes) -> bool:
    """Tell whether the holder of `public_key` (32 raw bytes) signed this payload."""
    try:
        _loaded(public_key).verify(decoded.signature, decoded.signed)
    except InvalidSignature:
        return False
    return True


def name_tag(name: str, serial: int, version: int = NEWEST_VERSION) -> bytes:
    """Return the 6 bytes that bind a name to a serial, by the rule of names of a version.

    The computation is slow on purpose (about 3 ms): the tag is public, and otherwise a list of common names could be
    tried against it. It runs without Python's global lock, so several threads share a batch. (hashlib's function gives
    the same bytes and took 4.9 ms where this one takes 2.7.)
    """
    compared = norm_version_1(name) if version == 1 else norm(name)
    return _tag(compared, serial)


def name_matches(payload: Payload, name: str) -> bool:
    """Tell whether this is the name that was signed.

    A name is compared by the rule of the code's version. A code of version 1 is compared by both rules, because its name
    may have been written without the characters that only the newer rule ignores.
    """
    forms = {norm(name)} if payload.version > 1 else {norm_version_1(name), norm(name)}
    tags = [_tag(compared, payload.serial) for compared in sorted(forms)]
    return any([hmac.compare_digest(payload.name_tag, tag) for tag in tags])


def _tag(compared: str, serial: int) -> bytes:
    salt = NAME_DOMAIN + serial.to_bytes(4, "big")
    return PBKDF2HMAC(SHA256(), NAME_TAG_BYTES, salt, NAME_ROUNDS).derive(compared.encode())


def _body(payload: Payload) -> bytes:
    if len(payload.name_tag) != NAME_TAG_BYTES:
        raise ValueError(f"a name tag has {NAME_TAG_BYTES} bytes, not {len(payload.name_tag)}")
    issued = (payload.issued_on - EPOCH).days
    last = NO_EXPIRY
    if payload.valid_until is not None:
        last = (payload.valid_until - EPOCH).days
        if not issued <= last < NO_EXPIRY:
            raise ValueError(f"last valid day {payload.valid_until} is before the issue day or too late to be written")
    try:
        return _BODY.pack(
            FIRST_BYTES[payload.version],
            payload.key_number,
            payload.certificate_type,
            payload.unit,
            payload.serial,
            issued,
            last,
            payload.name_tag,
        )
    except struct.error as error:
        raise ValueError(f"payload does not fit its 18 bytes: {error}") from error


@lru_cache(maxsize=256)
def _loaded(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)


def _unreadable() -> DomainError:
    return DomainError("payload_unreadable", N_("This is not the code of one of our certificates."))
