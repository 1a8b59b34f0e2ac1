"""Look-up of a certificate by the number and the holder that somebody types, where no code was scanned.

A number is looked up among the certificates with a signed code first, then among the legacy certificates.
"""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.holder_proof import Holder, proves
from certificates.legacy import legacy
from certificates.legacy.legacy import PublicLegacyCertificate
from certificates.models import Certificate
from certificates.number import NumberScheme
from certificates.payload import NAME_TAG_BYTES, Payload, decode, digits_of, name_matches
from certificates.written_names import record_names
from courses.models.enrolment import Enrolment
from courses.models.name_writings import NameWriting
from courses.models.trainees import ID_NUMBER_COLUMN, Trainee
from lms.core.errors import N_, DomainError

# Stands for the code of a number that does not exist, so that its look-up takes as long.
_NOBODY = Payload(0, 0, 0, 0, date(2020, 1, 1), None, bytes(NAME_TAG_BYTES))


def by_number(
    db: Session, number: str, proof: str, *, scheme: NumberScheme, today: date
) -> str | PublicLegacyCertificate:
    """Find a certificate by number and holder: the code (198 digits) of a signed one, or a legacy certificate.

    proof: the full name, or the last 6 characters of the ID number. Raises DomainError: `certificate_no_match` whatever is
    wrong with a number that may be a legacy one, or `certificate_number_mistyped` for a number of our scheme whose check
    character does not fit. Neither the answer nor its time tells whether a legacy number exists.
    """
    try:
        return code_of(db, number, proof, scheme=scheme)
    except DomainError as error:
        legacy_certificate = legacy.find(db, number, proof, today=today)
        if legacy_certificate is not None:
            return legacy_certificate
        if error.code == "certificate_number_malformed":
            raise _no_match() from None
        raise


def code_of(db: Session, number: str, proof: str, *, scheme: NumberScheme) -> str:
    """Find the code (198 digits) of a certificate for somebody who knows its number and proves to be its holder.

    Raises DomainError: `certificate_number_malformed` or `certificate_number_mistyped` for a text that is no number, and
    `certificate_no_match`, in the same time and with the same work, for a number that does not exist and for a wrong proof.
    """
    row = db.execute(
        select(
            Certificate.payload,
            Certificate.holder_name,
            Certificate.erased_content,
            Trainee.ref,
            Trainee.id_number_sealed,
            record_names().where(NameWriting.enrolment_id == Enrolment.id).limit(1).scalar_subquery().label("own_name"),
        )
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(Certificate.number == scheme.normalise(number))
    ).one_or_none()
    # A name that was erased is compared with the code's name tag, which is slow; so it is computed in every case.
    tag_matches = name_matches(decode(digits_of(row.payload)).payload if row is not None else _NOBODY, proof)
    erased = row is not None and row.erased_content is not None
    holder = (
        Holder(row.holder_name, row.ref, row.id_number_sealed, row.own_name) if row is not None and not erased else None
    )
    proven = proves(proof, holder, id_number_column=ID_NUMBER_COLUMN)
    if row is None or not (tag_matches if erased else proven):
        raise _no_match()
    return digits_of(row.payload)


def _no_match() -> DomainError:
    """Build the single answer for a number that does not exist and for a proof that is wrong."""
    return DomainError(
        "certificate_no_match",
        N_(
            "We have no certificate with this number and this holder. Compare both with the certificate; the name "
            "must be complete."
        ),
        status=404,
    )
