"""Legacy certificates, issued before this system: look-up by number and holder, revocation and its undoing.

They have no signed code. Strangers use the look-up, so a number that does not exist and a proof that is wrong give the
same answer after the same work, as in `look_up.code_of` for certificates with a signed code.
"""

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.holder_proof import Holder, proves
from certificates.legacy import notices
from certificates.legacy.models import LEGACY_ID_NUMBER_COLUMN, LegacyCertificate
from certificates.models import Certificate
from certificates.payload import NAME_ROUNDS, digits_of
from certificates.states import State, state_of
from courses.models.catalogue import Programme
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound
from lms.core.masks import mask_name
from lms.core.names import norm

MARK_BYTES = 12


@dataclass(frozen=True, slots=True)
class PublicLegacyCertificate:
    """The public facts of a legacy certificate, for a person who knows its number and holder.

    successor: the code (198 digits) of the certificate that renewed it.
    """

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
    successor: str | None = None


def number_key(text: str) -> str:
    """Return a number in the form in which numbers are compared: NFKC, letters and digits only, upper case."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).upper() if letter.isalnum())


def name_mark(key: str, name: str) -> str:
    """The slow hash that takes the place of a holder's name once it was erased, as the name tag of a signed code does.

    key: the number key of the certificate.
    """
    salt = b"BJRC-LEGACY-NAME/1" + key.encode()
    return "#" + PBKDF2HMAC(SHA256(), MARK_BYTES, salt, NAME_ROUNDS).derive(norm(name).encode()).hex()


def find(db: Session, number: str, proof: str, *, today: date) -> PublicLegacyCertificate | None:
    """Return the certificate of this number if `proof` is its holder's full name or the last 6 of the ID number; else
    None.

    One statement and one comparison, whether or not the number exists.
    """
    row = db.execute(
        select(
            LegacyCertificate.ref,
            LegacyCertificate.number,
            LegacyCertificate.name,
            LegacyCertificate.name_key,
            LegacyCertificate.id_number_sealed,
            LegacyCertificate.erased_at,
            LegacyCertificate.course,
            LegacyCertificate.unit,
            LegacyCertificate.issued_on,
            LegacyCertificate.valid_until,
            LegacyCertificate.revoked_at,
            LegacyCertificate.programme_code,
            Programme.name_zh,
            Programme.name_en,
            Certificate.payload,
        )
        .join(Programme, Programme.code == LegacyCertificate.programme_code)
        .join(Certificate, Certificate.id == LegacyCertificate.superseded_by_id, isouter=True)
        .where(LegacyCertificate.number_key == number_key(number))
    ).one_or_none()
    # The mark of an erased name is slow to compute; so it is computed in every case.
    mark = name_mark(number_key(number), proof).encode()
    mark_matches = hmac.compare_digest(mark, row.name_key.encode() if row is not None else b"")
    erased = row is not None and row.erased_at is not None
    holder = Holder(row.name_key, row.ref, row.id_number_sealed) if row is not None and not erased else None
    proven = proves(proof, holder, id_number_column=LEGACY_ID_NUMBER_COLUMN)
    if row is None or not (mark_matches if erased else proven):
        return None
    return PublicLegacyCertificate(
        number=row.number,
        masked_name="" if erased else mask_name(row.name),
        course=row.course,
        programme=row.programme_code,
        programme_zh=row.name_zh,
        programme_en=row.name_en,
        unit=row.unit,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        state=state_of(
            revoked=row.revoked_at is not None,
            superseded=row.payload is not None,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            today=today,
        ),
        successor=digits_of(row.payload) if row.payload is not None else None,
    )


def revoke(db: Session, number: str, reason: str, *, contact: str | None = None) -> datetime:
    """Revoke a legacy certificate and return the moment. Raises NotFound, or DomainError `already_revoked`.

    The holder, if there is one, is told, with the reason. contact: whom the holder asks; None for the printed unit.
    """
    row = _locked(db, number)
    if row.revoked_at is not None:
        raise DomainError("already_revoked", N_("This certificate has already been revoked."))
    moment = clock.now()
    row.revoked_at, row.revoked_by, row.revoke_reason = moment, audit.actor(db), reason
    audit.record(db, "certificate.revoke", row, after={"state": "revoked", "number": row.number}, reason=reason)
    notices.tell_revoked(db, row, contact)
    db.flush()
    return moment


def restore(db: Session, number: str, reason: str, *, contact: str | None = None) -> None:
    """Undo a revocation, and tell the holder. contact: as in `revoke`. The audit trail gets a copy of what the row said.

    Raises NotFound, or DomainError `not_revoked`.
    """
    row = _locked(db, number)
    if row.revoked_at is None:
        raise DomainError("not_revoked", N_("This certificate is not revoked."))
    before = {"state": "revoked", "revoked_at": row.revoked_at.isoformat(), "revoke_reason": row.revoke_reason}
    after = {"state": "issued", "number": row.number}
    audit.record(db, "certificate.restore", row, before=before, after=after, reason=reason)
    notices.tell_restored(db, row, contact)
    row.revoked_at = row.revoked_by = row.revoke_reason = None
    db.flush()


def _locked(db: Session, number: str) -> LegacyCertificate:
    row = db.scalars(
        select(LegacyCertificate).where(LegacyCertificate.number_key == number_key(number)).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("legacy_unknown", N_("There is no legacy certificate with this number."))
    return row
