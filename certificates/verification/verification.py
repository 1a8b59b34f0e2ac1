"""Verification of a signed code: the first answer that matches in CERTIFICATE.md, "Verification".

The signature is checked first and the database second. A forged code costs no SQL, so a flood of forged codes never
reaches the database; a genuine code costs one statement.
"""

import hmac
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sqlalchemy import bindparam, select

from certificates.keys.public_keys import PublicKey
from certificates.models import KeyState
from certificates.payload import Decoded, Payload, decode, digits_of, name_matches, verify_signature
from certificates.states import ISSUED, UNREADABLE, State, state_of
from certificates.written_names import record_names
from courses.models.trainees import ERASED_NAME
from lms.core.autocommit import Reads
from lms.core.db import Base
from lms.core.errors import DomainError
from lms.core.masks import mask_name
from lms.core.names import norm
from lms.core.pipeline import PreparedStatement

NOT_RECORDED = "not_recorded"

_certificate, _entry = Base.metadata.tables["certificate"], Base.metadata.tables["ledger_entry"]
_successor = _certificate.alias()
_BY_PAYLOAD = PreparedStatement(
    select(
        _certificate.c.number,
        _certificate.c.holder_name,
        _certificate.c.facts,
        _certificate.c.issued_on,
        _certificate.c.valid_until,
        _certificate.c.revoked_at.is_not(None),
        _successor.c.payload,
    )
    .join(_successor, _successor.c.id == _certificate.c.superseded_by_id, isouter=True)
    .where(_certificate.c.payload == bindparam("raw")),
    "raw",
)
_RECORDED_AT = PreparedStatement(
    select(_entry.c.recorded_at).where(_entry.c.payload_hash == bindparam("digest")), "digest"
)
_RECORD_NAME = PreparedStatement(
    record_names().where(_certificate.c.serial == bindparam("serial")).limit(1),
    "serial",
)


class PublicKeys(Protocol):
    """The source of public keys: `PublicKeyCache` online, a published key set offline."""

    def get(self, db: Reads, number: int) -> PublicKey | None:
        """Return the key of this number, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class PublicCertificate:
    """The public facts of a certificate. `facts` are the printed texts in both languages.

    `masked_name` is empty where the holder's name was erased.
    """

    number: str
    masked_name: str
    facts: dict[str, Any]
    issued_on: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a verification.

    `reason` is a code with more detail than the state. `payload` is what was signed, None where no signature was good.
    `certificate` is None where the database has none; `successor` is the code (198 digits) of the certificate that
    replaced it.
    """

    state: State
    reason: str
    payload: Payload | None = None
    certificate: PublicCertificate | None = None
    successor: str | None = None

    @property
    def alarming(self) -> bool:
        """True when a good signature has no certificate in the database: the caller must then call `alarms.raise_alarm`."""
        return self.payload is not None and self.reason == NOT_RECORDED


def verify(db: Reads, digits: str, *, today: date, keys: PublicKeys) -> Verdict:
    """Judge a code of 198 digits as of a day in the branch's time zone.

    A good signature without a certificate gives a verdict that is `alarming`.
    """
    try:
        decoded = decode(digits)
    except DomainError:
        return Verdict(State.UNKNOWN, UNREADABLE)
    signed = decoded.payload
    key = keys.get(db, signed.key_number)
    reason = forgery_reason(decoded, key)
    if reason is not None:
        return Verdict(State.FORGED, reason)
    row = _BY_PAYLOAD.first(db, raw=decoded.raw)
    if (
        key is not None
        and key.state is KeyState.COMPROMISED
        and (row is None or not _recorded_before(db, decoded, key))
    ):
        return Verdict(State.FORGED, "key_compromised")
    if row is None:
        state = _state_as_signed(signed, today)
        return Verdict(State.UNKNOWN if state is State.VALID else state, NOT_RECORDED, signed)
    number, holder, facts, issued_on, valid_until, revoked, successor = row
    state = _state_as_signed(signed, today, revoked=revoked, superseded=successor is not None)
    return Verdict(
        state,
        state.value,
        signed,
        PublicCertificate(number, masked_holder(holder), facts, issued_on, valid_until),
        digits_of(successor) if successor is not None else None,
    )


def masked_holder(name: str) -> str:
    """A holder's name as strangers see it; empty where it was erased."""
    return "" if name == ERASED_NAME else mask_name(name)


def name_matches_code(verdict: Verdict, name: str) -> bool | None:
    """Tell whether this name was signed in the code; None where there is no signed name to compare."""
    if verdict.payload is None or verdict.state not in ISSUED:
        return None
    return name_matches(verdict.payload, name)


def name_holds(db: Reads, verdict: Verdict, name: str) -> bool | None:
    """Tell whether this name is the one on the certificate, or the holder's own where the certificate prints a writing of it.

    The code binds the writing, which is what one reads on the paper; our records know the name that no font could print.
    """
    matches = name_matches_code(verdict, name)
    if matches is not False or verdict.certificate is None or verdict.payload is None:
        return matches
    row = _RECORD_NAME.first(db, serial=verdict.payload.serial)
    return row is not None and hmac.compare_digest(norm(row[0]).encode(), norm(name).encode())


def forgery_reason(decoded: Decoded, key: PublicKey | None) -> str | None:
    """Return why a readable code is forged ("Verification", step 2); None when it is not."""
    if key is None:
        return "key_unknown"
    if not verify_signature(decoded, key.public_key):
        return "signature_wrong"
    if not key.covers(decoded.payload.issued_on):
        return "outside_window"
    return None


def _state_as_signed(signed: Payload, today: date, *, revoked: bool = False, superseded: bool = False) -> State:
    """Return the state by the signed days."""
    return state_of(
        revoked=revoked,
        superseded=superseded,
        issued_on=signed.issued_on,
        valid_until=signed.valid_until,
        today=today,
    )


def _recorded_before(db: Reads, decoded: Decoded, key: PublicKey) -> bool:
    """Tell whether the ledger recorded this very code before its key was compromised.

    This is a second statement; it runs only for codes of compromised keys.
    """
    entry = _RECORDED_AT.first(db, digest=decoded.digest)
    return entry is not None and key.compromised_at is not None and entry[0] < key.compromised_at
