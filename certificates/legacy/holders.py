"""Decisions of users: whose a legacy certificate is, that it is nobody's whom the register knows, and both undone.

Whoever may change all of a person's record may decide that a certificate is that person's. Name or ID number must agree,
and two residents with different ID numbers are two people. Every decision is in the audit trail.
"""

from sqlalchemy.orm import Session

from certificates.legacy import superseding
from certificates.legacy.models import LEGACY_ID_NUMBER_COLUMN, LegacyCertificate, Match
from courses.enrolment import trainees_rights
from courses.models.trainees import IdType, Trainee
from lms.core import audit, clock, crypto, reasons
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope


def link(
    db: Session, certificate: LegacyCertificate, trainee: Trainee, scope: Scope, *, certificate_type: int | None = None
) -> None:
    """Record that a certificate is a person's. The caller has locked the certificate.

    certificate_type: the type that a user chose, where the certificate has none. Raises Denied `may_only_propose`, and
    DomainError `legacy_matched`, `legacy_erased`, `legacy_other_person` and `legacy_nothing_agrees`.
    """
    trainees_rights.demand_change(db, trainee, scope)
    db.refresh(trainee, with_for_update={"key_share": True})
    if certificate.trainee_id is not None:
        raise DomainError("legacy_matched", N_("Somebody else has just given this certificate to a person."))
    if certificate.erased_at is not None or trainee.erased_at is not None:
        raise DomainError("legacy_erased", N_("The data of this person was erased."))
    if not _agrees(certificate, trainee):
        raise DomainError(
            "legacy_nothing_agrees",
            N_("Neither name nor ID number agree. Correct the person's record first, if it is the same person."),
        )
    certificate.trainee_id, certificate.matched_how = trainee.id, Match.BY_HAND
    certificate.matched_at, certificate.matched_by = clock.now(), audit.actor(db)
    certificate.suggestion = certificate.set_aside_at = certificate.set_aside_by = None
    if certificate.certificate_type is None:
        certificate.certificate_type = certificate_type
    db.flush()
    after = {"number": certificate.number, "trainee": trainee.id, "type": certificate.certificate_type}
    audit.record(db, "legacy_certificate.link", certificate, after=after)
    superseding.settle(db, [trainee.id])
    db.refresh(certificate)


def unlink(db: Session, certificate: LegacyCertificate, scope: Scope, reason: str | None) -> None:
    """Undo a match. What was matched without a user is set aside, so that the next run does not match it again.

    A renewal of the person's no longer supersedes the certificate. Raises Denied `may_only_propose`, and DomainError
    `reason_missing` and `legacy_not_matched`.
    """
    reason = reasons.required(reason)
    trainee = certificate.trainee
    if trainee is None:
        raise DomainError("legacy_not_matched", N_("This certificate is not given to a person."))
    trainees_rights.demand_change(db, trainee, scope)
    before = {"trainee": trainee.id, "matched": certificate.matched_how, "superseded_by": certificate.superseded_by_id}
    by_hand = certificate.matched_how is Match.BY_HAND
    certificate.trainee_id = certificate.matched_how = certificate.matched_at = certificate.matched_by = None
    certificate.superseded_by_id = None
    if not by_hand:
        certificate.set_aside_at, certificate.set_aside_by = clock.now(), audit.actor(db)
    db.flush()
    audit.record(
        db, "legacy_certificate.unlink", certificate, before=before, after={"number": certificate.number}, reason=reason
    )


def set_aside(db: Session, certificate: LegacyCertificate) -> None:
    """Take a certificate off the list: none of the people who were suggested is its holder. Raises `legacy_matched`."""
    if certificate.trainee_id is not None:
        raise DomainError("legacy_matched", N_("Somebody else has just given this certificate to a person."))
    if certificate.set_aside_at is None:
        certificate.set_aside_at, certificate.set_aside_by = clock.now(), audit.actor(db)
        audit.record(db, "legacy_certificate.set_aside", certificate, after={"number": certificate.number})
    db.flush()


def put_back(db: Session, certificate: LegacyCertificate) -> None:
    """Put a certificate that was set aside back on the list, where it may also be matched without a user."""
    if certificate.set_aside_at is not None:
        certificate.set_aside_at = certificate.set_aside_by = None
        audit.record(db, "legacy_certificate.put_back", certificate, after={"number": certificate.number})
    db.flush()


def _agrees(certificate: LegacyCertificate, trainee: Trainee) -> bool:
    """Tell whether name or ID number agree, and no resident's number speaks against it."""
    numbers = _id_number(certificate), trainee.open_id_number()
    same_kind = certificate.id_type == trainee.id_type
    if None not in numbers and same_kind and numbers[0] == numbers[1]:
        return True
    if None not in numbers and same_kind and trainee.id_type is IdType.RESIDENT:
        raise DomainError(
            "legacy_other_person", N_("The ID numbers differ, so this is another person. Check the document.")
        )
    return certificate.name_key == trainee.name_key


def _id_number(certificate: LegacyCertificate) -> str | None:
    sealed = certificate.id_number_sealed
    return crypto.cipher().decrypt(LEGACY_ID_NUMBER_COLUMN, certificate.ref, sealed) if sealed else None
