"""Offline verification with the published keys and status lists: no database, no settings.

The order of the answers is that of CERTIFICATE.md. Where only the branch's own records could decide, the verdict says
so.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from certificates.credentials import LIST_BITS
from certificates.keys.public_keys import PublicKey
from certificates.models import KeyState
from certificates.payload import Payload, decode, name_matches
from certificates.states import UNREADABLE, State, state_of
from certificates.verification import status_lists
from certificates.verification.status_lists import StatusBits, StatusPurpose
from certificates.verification.verification import forgery_reason
from lms.core.errors import N_, DomainError

QR_PREFIX = "qr-"


@dataclass(frozen=True, slots=True)
class KeySet:
    """The published keys: keys for QR codes by number, all others by name."""

    codes: dict[int, PublicKey]
    others: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class OfflineVerdict:
    """The answer of an offline verification.

    `state` is None where newer keys or the branch's records are needed; `reason` says which. `as_of` is the moment at
    which the older of the two lists was signed, None where one is missing. `stale`: a list is past its `validUntil`.
    """

    state: State | None
    reason: str
    payload: Payload | None = None
    as_of: datetime | None = None
    stale: bool = False

    @property
    def is_current(self) -> bool:
        """True when both lists are there and young enough to rely on."""
        return self.as_of is not None and not self.stale


def read_keys(text: str) -> KeySet:
    """Read the key set of `/.well-known/jwks.json`. Raises DomainError `key_set_unreadable`."""
    codes: dict[int, PublicKey] = {}
    others: dict[str, bytes] = {}
    try:
        for jwk in json.loads(text)["keys"]:
            raw = base64.urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4))
            if jwk["kid"].startswith(QR_PREFIX):
                key = _public_key(jwk, raw)
                codes[key.number] = key
            elif jwk.get("state") != KeyState.COMPROMISED:
                others[jwk["kid"].rpartition("#")[2]] = raw  # a compromised key is trusted for no list
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DomainError("key_set_unreadable", N_("This is not a key set published by us.")) from error
    return KeySet(codes, others)


def _public_key(jwk: dict[str, Any], raw: bytes) -> PublicKey:
    compromised = jwk.get("compromised_at")
    return PublicKey(
        number=int(jwk["kid"].removeprefix(QR_PREFIX)),
        kid=jwk["kid"],
        public_key=raw,
        not_before=date.fromisoformat(jwk["not_before"]),
        not_after=date.fromisoformat(jwk["not_after"]),
        state=KeyState(jwk["state"]),
        compromised_at=datetime.fromisoformat(compromised) if compromised else None,
    )


def read_lists(folder: Path, keys: KeySet) -> list[StatusBits]:
    """Read every file of a folder as a signed status list. Raises DomainError `status_list_invalid`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [status_lists.read(path.read_text(encoding="utf-8"), keys.others) for path in files]


def verify(digits: str, keys: KeySet, lists: Sequence[StatusBits], *, now: datetime, today: date) -> OfflineVerdict:
    """Judge a code as of a moment."""
    try:
        decoded = decode(digits)
    except DomainError:
        return OfflineVerdict(State.UNKNOWN, UNREADABLE)
    signed = decoded.payload
    key = keys.codes.get(signed.key_number)
    if key is None:
        return OfflineVerdict(None, "key_unknown", signed)
    if (reason := forgery_reason(decoded, key)) is not None:
        return OfflineVerdict(State.FORGED, reason)
    if key.state is KeyState.COMPROMISED:
        return OfflineVerdict(None, "key_compromised", signed)
    revocation = _newest(lists, StatusPurpose.REVOCATION, signed.serial)
    superseded = _newest(lists, StatusPurpose.SUPERSEDED, signed.serial)
    state = state_of(
        revoked=revocation is not None and revocation.contains(signed.serial),
        superseded=superseded is not None and superseded.contains(signed.serial),
        issued_on=signed.issued_on,
        valid_until=signed.valid_until,
        today=today,
    )
    if revocation is None or superseded is None:
        return OfflineVerdict(state, "status_missing", signed)
    used = (revocation, superseded)
    return OfflineVerdict(
        state,
        state.value,
        signed,
        min(status_list.made_at for status_list in used),
        any(now > status_list.valid_until for status_list in used),
    )


def name_matches_code(verdict: OfflineVerdict, name: str) -> bool | None:
    """Tell whether this name was signed in the code; None where we cannot know what was signed."""
    if verdict.payload is None or verdict.reason == "key_unknown":
        return None
    return name_matches(verdict.payload, name)


def _newest(lists: Iterable[StatusBits], purpose: StatusPurpose, serial: int) -> StatusBits | None:
    candidates = [
        status_list
        for status_list in lists
        if status_list.purpose is purpose and status_list.number == serial >> LIST_BITS
    ]
    return max(candidates, key=lambda status_list: status_list.made_at, default=None)
