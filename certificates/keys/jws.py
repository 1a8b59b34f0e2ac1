"""JSON documents signed with a status key: a JWT (JOSE, EdDSA) whose `kid` is `did:web:HOST#status-1`."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from certificates.keys.issuer_keys import Purpose


@dataclass(frozen=True, slots=True)
class Signed:
    """A document whose signature was verified: the name of the key ("status-1") and the content."""

    kid: str
    claims: dict[str, Any]


def signed(claims: Mapping[str, Any], kind: str, kid: str, sign: Callable[[bytes], bytes]) -> str:
    """Return the document. kind: its `typ`. kid: the key's name with the issuer before it."""
    text = f"{_segment({'alg': 'EdDSA', 'typ': kind, 'kid': kid})}.{_segment(claims)}"
    return f"{text}.{base64url(sign(text.encode()))}"


def read(document: str, keys: Mapping[str, bytes]) -> Signed:
    """Verify a document with the published status keys (name → 32 bytes).

    Raises ValueError for a text that is no such document or was not signed with one of the keys.
    """
    try:
        text, _, signature = document.strip().rpartition(".")
        head, _, body = text.partition(".")
        header, claims = json.loads(unbase64(head)), json.loads(unbase64(body))
        kid = header["kid"].rpartition("#")[2]
        if header["alg"] != "EdDSA" or not kid.startswith(f"{Purpose.STATUS}-") or not isinstance(claims, dict):
            raise ValueError("not a document of a status key")
        Ed25519PublicKey.from_public_bytes(keys[kid]).verify(unbase64(signature), text.encode())
    except (KeyError, TypeError, AttributeError, InvalidSignature, RecursionError) as error:
        raise ValueError("not signed with a status key") from error
    return Signed(kid, claims)


def base64url(raw: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unbase64(text: str) -> bytes:
    """Read base64url without padding. Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _segment(value: Mapping[str, Any]) -> str:
    return base64url(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
