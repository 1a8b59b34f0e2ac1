"""Certificates from before this system: looked up by number and holder, without a signed code.

`find` answers strangers: in the same time and with the same work for a number that does not exist and for a holder who
does not fit, as `verification.find` does for our own.
"""

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from certificates.models import LEGACY_ID_NUMBER, LegacyCertificate
from certificates.number import NumberScheme
from certificates.states import State, state_of
from certificates.verification import verification
from certificates.verification.verification import ID_TAIL, id_tail
from courses.models.catalogue import Programme
from lms.core import audit, clock, crypto
from lms.core.errors import N_, DomainError, NotFound
from lms.core.masks import mask_name
from lms.core.names import norm


@dataclass(frozen=True, slots=True)
class LegacyShown:
    """What anybody may see of a legacy certificate who knows its number and holder."""

    number: str
    masked_name: str
    course: str
    programme: str
    programme_zh: str
    programme_en: str
    unit: str
    issued_on: date
    valid_until: date | None
    state: State


def number_key(text: str) -> str:
    """A number as it is compared: NFKC, letters and digits alone, upper case."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).upper() if letter.isalnum())


def find(db: Session, number: str, proof: str, *, today: date) -> LegacyShown | None:
    """The certificate of this number, if `proof` is its holder's full name or the last 6 of the ID number; else None.

    One statement and one comparison, whether or not there is such a number.
    """
    row = db.execute(
        select(
            LegacyCertificate.ref,
            LegacyCertificate.number,
            LegacyCertificate.name,
            LegacyCertificate.name_key,
            LegacyCertificate.id_number_sealed,
            LegacyCertificate.course,
            LegacyCertificate.unit,
            LegacyCertificate.issued_on,
            LegacyCertificate.valid_until,
            LegacyCertificate.revoked_at,
            LegacyCertificate.programme_code,
            Programme.name_zh,
            Programme.name_en,
        )
        .join(Programme, Programme.code == LegacyCertificate.programme_code)
        .where(LegacyCertificate.number_key == number_key(number))
    ).one_or_none()
    tail = id_tail(proof)
    fits = _tail_fits(row, tail) if tail is not None else _name_fits(row, proof)
    if row is None or not fits:
        return None
    return LegacyShown(
        number=row.number,
        masked_name=mask_name(row.name),
        course=row.course,
        programme=row.programme_code,
        programme_zh=row.name_zh,
        programme_en=row.name_en,
        unit=row.unit,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        state=state_of(
            revoked=row.revoked_at is not None,
            superseded=False,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            today=today,
        ),
    )


def by_hand(db: Session, number: str, proof: str, *, scheme: NumberScheme, today: date) -> str | LegacyShown:
    """What somebody finds by number and holder: the code (198 digits) of a certificate of ours, or a legacy one.

    Raises DomainError: `certificate_no_match` whatever is wrong with a number that may be a legacy one, or
    `certificate_number_mistyped` for one of ours whose check character does not fit. Whether a legacy number exists shows
    neither in the answer nor in the time.
    """
    try:
        return verification.find(db, number, proof, scheme=scheme)
    except DomainError as error:
        found = find(db, number, proof, today=today)
        if found is not None:
            return found
        if error.code == "certificate_number_malformed":
            raise verification.no_match() from None
        raise


def revoke(db: Session, number: str, reason: str) -> datetime:
    """Take a legacy certificate back; the moment. Raises NotFound, or DomainError `already_revoked`."""
    row = _locked(db, number)
    if row.revoked_at is not None:
        raise DomainError("already_revoked", N_("This certificate was revoked already."))
    moment = clock.now()
    row.revoked_at, row.revoked_by, row.revoke_reason = moment, audit.actor(db), reason
    audit.record(db, "certificate.revoke", row, after={"state": "revoked", "number": row.number}, reason=reason)
    db.flush()
    return moment


def restore(db: Session, number: str, reason: str) -> None:
    """Undo a revocation; what is undone is copied into the trail. Raises NotFound, or DomainError `not_revoked`."""
    row = _locked(db, number)
    if row.revoked_at is None:
        raise DomainError("not_revoked", N_("This certificate is not revoked."))
    before = {"state": "revoked", "revoked_at": row.revoked_at.isoformat(), "revoke_reason": row.revoke_reason}
    after = {"state": "issued", "number": row.number}
    audit.record(db, "certificate.restore", row, before=before, after=after, reason=reason)
    row.revoked_at = row.revoked_by = row.revoke_reason = None
    db.flush()


def _locked(db: Session, number: str) -> LegacyCertificate:
    row = db.scalars(
        select(LegacyCertificate).where(LegacyCertificate.number_key == number_key(number)).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("legacy_unknown", N_("There is no legacy certificate with this number."))
    return row


def _name_fits(row: Row[*tuple[Any, ...]] | None, name: str) -> bool:
    """Compare names; with nobody's where there is no such number, so that it takes as long."""
    holder = row.name_key if row is not None else "无名氏"
    return hmac.compare_digest(norm(holder).encode(), norm(name).encode())


def _tail_fits(row: Row[*tuple[Any, ...]] | None, tail: str) -> bool:
    """Compare the last 6 of an ID number. One is opened in every case, of nobody where there is none, to take as long.

    The number is compared and shown to nobody, so this is no reading of it in the audit trail's sense.
    """
    known = row is not None and row.id_number_sealed is not None
    ref, sealed = (row.ref, row.id_number_sealed) if row is not None and known else _nobody()
    number = crypto.cipher().decrypt(LEGACY_ID_NUMBER, ref, sealed)
    return hmac.compare_digest(number[-ID_TAIL:].upper().encode(), tail.encode()) and known


@lru_cache(maxsize=1)
def _nobody() -> tuple[UUID, bytes]:
    ref = UUID(int=0)
    return ref, crypto.cipher().encrypt(LEGACY_ID_NUMBER, ref, "000000000000000000")
