"""Published keys: the public halves as plain values, and as the JSON Web Key Set of `/.well-known/jwks.json`."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from certificates.models import KeyState

MAX_KEY_NUMBER = 255


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a key for QR codes: 32 raw bytes. The key may sign from `not_before` to `not_after`, inclusive."""

    number: int
    kid: str
    public_key: bytes
    not_before: date
    not_after: date
    state: KeyState
    compromised_at: datetime | None = None

    def covers(self, day: date) -> bool:
        """Tell whether a certificate issued on this day may carry this key's signature."""
        return self.not_before <= day <= self.not_after


def qr_kid(number: int) -> str:
    """Return the name of QR key n, 0 to 255 (one byte of the payload)."""
    if not 0 <= number <= MAX_KEY_NUMBER:
        raise ValueError(f"a QR key's number is 0 to {MAX_KEY_NUMBER}, not {number}")
    return f"qr-{number}"


def jwks(keys: Iterable[PublicKey]) -> dict[str, Any]:
    """Return the JSON Web Key Set (RFC 7517, RFC 8037) of keys for QR codes, ordered by number.

    The window is two members of our own, which the RFC allows: `not_before` and `not_after` are days.
    """
    return {
        "keys": [
            jwk(key.kid, key.public_key, key.state, key.compromised_at)
            | {"not_before": key.not_before.isoformat(), "not_after": key.not_after.isoformat()}
            for key in sorted(keys, key=lambda key: (key.number, key.kid))
        ]
    }


def jwk(kid: str, public_key: bytes, state: KeyState, compromised_at: datetime | None) -> dict[str, Any]:
    """Return one Ed25519 key as a JSON Web Key.

    `state` and `compromised_at` are members of our own: a word, and (only when compromised) a moment in UTC.
    """
    members: dict[str, Any] = {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": kid,
        "x": base64.urlsafe_b64encode(public_key).rstrip(b"=").decode(),
        "state": state.value,
    }
    if compromised_at is not None:
        members["compromised_at"] = compromised_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return members
