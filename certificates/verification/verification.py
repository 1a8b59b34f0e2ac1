"""Whether a code holds: the first that matches of CERTIFICATE.md, "Verification". Signature first, database second.

A forged code costs no SQL, so a flood of them never reaches the database; a genuine one costs one statement.
"""

import hmac
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from certificates.keys.key_files import KeyState, PublicKey
from certificates.models import Certificate
from certificates.number import NumberScheme
from certificates.payload import Decoded, Payload, decode, digits_of, name_matches, verify_signature
from certificates.states import ISSUED, State, state_of
from courses.models.enrolment import Enrolment
from courses.models.trainees import ID_NUMBER, Trainee
from lms.core import audit, crypto
from lms.core.audit import AuditEntry
from lms.core.db import Base, Lookup, Reads
from lms.core.errors import N_, DomainError
from lms.core.masks import mask_name
from lms.core.names import norm

log = structlog.get_logger(__name__)

ID_TAIL = 6
NOT_RECORDED = "not_recorded"

_certificate, _entry = Base.metadata.tables["certificate"], Base.metadata.tables["ledger_entry"]
_newer = _certificate.alias()
_BY_PAYLOAD = Lookup(
    select(
        _certificate.c.number,
        _certificate.c.holder_name,
        _certificate.c.facts,
        _certificate.c.issued_on,
        _certificate.c.valid_until,
        _certificate.c.revoked_at.is_not(None),
        _newer.c.payload,
    )
    .join(_newer, _newer.c.id == _certificate.c.superseded_by_id, isouter=True)
    .where(_certificate.c.payload == bindparam("raw")),
    "raw",
)
_RECORDED_AT = Lookup(select(_entry.c.recorded_at).where(_entry.c.payload_hash == bindparam("digest")), "digest")


class PublicKeys(Protocol):
    """Where a key number's public key is found: `KeyRing` online, a published key set offline."""

    def get(self, db: Reads, number: int) -> PublicKey | None:
        """The key of this number, if there is one."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What anybody may see of a certificate that we issued. `facts` are the words on the paper, in both languages."""

    number: str
    masked_name: str
    facts: dict[str, Any]
    issued_on: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer. `reason` is a code that says more; `payload` is what was signed, None where no signature was good.

    `certificate` is None where the database has none; `successor` is the code of what replaced it, 198 digits.
    """

    state: State
    reason: str
    payload: Payload | None = None
    certificate: Shown | None = None
    successor: str | None = None

    @property
    def alarming(self) -> bool:
        """Whether a key signed this and nobody recorded it: whoever gives this verdict to somebody calls `alarm`."""
        return self.payload is not None and self.reason == NOT_RECORDED


def verify(db: Reads, digits: str, *, today: date, keys: PublicKeys) -> Verdict:
    """Judge a code of 198 digits as of a day in the branch's time zone. A good signature that is not recorded is alarming."""
    try:
        decoded = decode(digits)
    except DomainError:
        return Verdict(State.UNKNOWN, "unreadable")
    signed = decoded.payload
    key = keys.get(db, signed.key_number)
    forged = refused(decoded, key)
    if forged is not None:
        return Verdict(State.FORGED, forged)
    row = _BY_PAYLOAD.row(db, decoded.raw)
    if (
        key is not None
        and key.state is KeyState.COMPROMISED
        and (row is None or not _recorded_before(db, decoded, key))
    ):
        return Verdict(State.FORGED, "key_compromised")
    if row is None:
        state = _as_of(signed, today)
        return Verdict(State.UNKNOWN if state is State.VALID else state, NOT_RECORDED, signed)
    number, holder, facts, issued_on, valid_until, revoked, newer = row
    state = _as_of(signed, today, revoked=revoked, superseded=newer is not None)
    return Verdict(
        state,
        state.value,
        signed,
        Shown(number, mask_name(holder), facts, issued_on, valid_until),
        digits_of(newer) if newer is not None else None,
    )


def name_fits(verdict: Verdict, name: str) -> bool | None:
    """Whether this name was signed in a code; None where there is nothing to compare it with."""
    if verdict.payload is None or verdict.state not in ISSUED:
        return None
    return name_matches(verdict.payload, name)


def alarm(db: Session, digits: str) -> None:
    """Tell that a key may have leaked: a line in the log at its highest level, and an audit entry, once for each code."""
    decoded = decode(digits)
    signed = decoded.payload
    log.critical(
        "certificate_alarm", key_number=signed.key_number, serial=signed.serial, code="signed_but_not_recorded"
    )
    subject = f"payload:{decoded.digest.hex()}"
    if db.scalar(select(AuditEntry.id).where(AuditEntry.subject == subject).limit(1)) is not None:
        return
    audit.record(
        db,
        "certificate.alarm",
        subject,
        after={"key": signed.key_number, "serial": signed.serial, "issued_on": signed.issued_on.isoformat()},
        reason="A good signature of a certificate that was never recorded: the key may have leaked.",
    )


def find(db: Session, number: str, proof: str, *, scheme: NumberScheme) -> str:
    """The code (198 digits) of a certificate, for somebody who knows its number and who holds it.

    proof: the full name, or the last 6 of the ID number. Raises DomainError: `certificate_number_malformed` or
    `certificate_number_mistyped` for a text that is no number, and `certificate_no_match`, in the same time and with the
    same work, for a number that does not exist and for a proof that does not fit.
    """
    canonical = scheme.normalise(number)
    row = db.execute(
        select(Certificate.payload, Certificate.holder_name, Trainee.ref, Trainee.id_number_sealed)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(Certificate.number == canonical)
    ).one_or_none()
    tail = id_tail(proof)
    fits = _tail_fits(row, tail) if tail is not None else _name_fits(row, proof)
    if row is None or not fits:
        raise no_match()
    return digits_of(row.payload)


def no_match() -> DomainError:
    """The one answer for a number that does not exist and for a holder who does not fit."""
    return DomainError(
        "certificate_no_match",
        N_(
            "No certificate of ours has this number and this holder. Compare both with the paper;"
            " the name must be complete."
        ),
        status=404,
    )


def id_tail(text: str) -> str | None:
    """The last 6 of an ID number, if that is what was typed: six letters and digits with a digit among them."""
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    return plain if re.fullmatch(r"(?=.*[0-9])[0-9A-Z]{6}", plain) else None


def refused(decoded: Decoded, key: PublicKey | None) -> str | None:
    """Why a code that could be read is forged (step 2); None when it is not."""
    if key is None:
        return "key_unknown"
    if not verify_signature(decoded, key.public_key):
        return "signature_wrong"
    if not key.covers(decoded.payload.issued_on):
        return "outside_window"
    return None


def _as_of(signed: Payload, today: date, *, revoked: bool = False, superseded: bool = False) -> State:
    """The state by what was signed."""
    return state_of(
        revoked=revoked,
        superseded=superseded,
        issued_on=signed.issued_on,
        valid_until=signed.valid_until,
        today=today,
    )


def _recorded_before(db: Reads, decoded: Decoded, key: PublicKey) -> bool:
    """Whether the ledger knew this very code before its key was compromised. A second statement, for such keys alone."""
    entry = _RECORDED_AT.row(db, decoded.digest)
    return entry is not None and key.compromised_at is not None and entry[0] < key.compromised_at


def _name_fits(row: Row[*tuple[Any, ...]] | None, name: str) -> bool:
    """Compare names; with nobody's where there is no such number, so that it takes as long."""
    holder = row.holder_name if row is not None else "无名氏"
    return hmac.compare_digest(norm(holder).encode(), norm(name).encode())


def _tail_fits(row: Row[*tuple[Any, ...]] | None, tail: str) -> bool:
    """Compare the last 6 of an ID number. One is opened in every case, of nobody where there is none, to take as long.

    The number is compared and shown to nobody, so this is no reading of it in the audit trail's sense.
    """
    known = row is not None and row.id_number_sealed is not None
    ref, sealed = (row.ref, row.id_number_sealed) if row is not None and known else _nobody()
    number = crypto.cipher().decrypt(ID_NUMBER, ref, sealed)
    return hmac.compare_digest(number[-ID_TAIL:].upper(), tail) and known


@lru_cache(maxsize=1)
def _nobody() -> tuple[UUID, bytes]:
    ref = UUID(int=0)
    return ref, crypto.cipher().encrypt(ID_NUMBER, ref, "000000000000000000")
