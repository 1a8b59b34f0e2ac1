"""The second writing of a holder's name, in pinyin or English, which certificates print beneath the name.

The holder asks for it, and it changes neither the signed name nor what the ledger binds. With the ticket alone only a reading
of the name itself is taken: a ticket shows that somebody has the link, and whoever has it must not be able to put other words
on somebody's certificate. Any other writing needs a code that was sent to the record's phone, or staff who see the person.
"""

import unicodedata
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import documents, rendering
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.second_names.models import SecondName, Way
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.accounts import contact_checks
from lms.accounts.contact_checks import CheckPurpose
from lms.accounts.models import ContactCheck
from lms.core import audit, clock, pinyin
from lms.core.contacts import ContactKind
from lms.core.errors import N_, DomainError, NotFound
from lms.core.masks import mask_name
from lms.core.names import clean

LIMIT = 60
FIELD = "writing"
_SIGNS = frozenset(" -.'’·")


def proposal(certificate: Certificate) -> str:
    """Return the holder's name in pinyin; empty for a name that is not written in Chinese."""
    return pinyin.proposal(certificate.holder_name)


def refusal(certificate: Certificate) -> DomainError | None:
    """Return the reason why a certificate can have no second writing, None where it can."""
    if not documents.is_printable(certificate):
        return DomainError(
            "second_name_late", N_("This certificate was revoked or replaced. It can no longer be changed.")
        )
    if all(map(_is_latin, certificate.holder_name)):
        return DomainError("second_name_needless", N_("The name is already in Latin letters."))
    return None


def record(db: Session, certificate: Certificate, writing: str, way: Way, *, branch: Branch) -> SecondName:
    """Record the writing that the holder wants beneath the name, in place of an earlier one.

    way: `reading` where the ticket alone was shown. Raises DomainError on the field `writing` for what is no name in Latin
    letters, is no reading where it must be one, takes the place of a proven one without a proof, or does not fit on the
    paper; and as `refusal` says.
    """
    writing = clean(unicodedata.normalize("NFC", writing))
    _demand_name(writing)
    trainee = _lock(db, certificate)
    if (refused := refusal(certificate)) is not None:
        raise refused
    former = _open(db, trainee)
    if way is Way.READING and (not pinyin.is_reading(writing, certificate.holder_name) or _is_proven(former)):
        raise _unproven()
    _demand_room(certificate, writing, branch)
    if former is not None and (former.name, former.writing) == (certificate.holder_name, writing):
        return former  # a double tap, or the same answer again
    if former is not None:
        _close(db, former)
    row = SecondName(
        trainee_id=trainee.id,
        name=certificate.holder_name,
        writing=writing,
        way=way,
        recorded_by=audit.actor(db) if way is Way.STAFF else None,
    )
    db.add(row)
    db.flush()
    db.expire(certificate, ["second_names"])
    audit.record(
        db,
        "second_name.record",
        certificate,
        before={"writing": mask_name(former.writing)} if former is not None else None,
        after={"writing": mask_name(writing), "way": way.value},
    )
    return row


def withdraw(db: Session, certificate: Certificate, way: Way) -> None:
    """Take the writing back: from now on the certificate prints the name alone. Doing so again changes nothing.

    Raises DomainError for a proven writing where the ticket alone was shown.
    """
    trainee = _lock(db, certificate)
    row = _open(db, trainee)
    if row is None:
        return
    if way is Way.READING and _is_proven(row):
        raise _unproven()
    _close(db, row)
    db.expire(certificate, ["second_names"])
    audit.record(db, "second_name.withdraw", certificate, before={"writing": mask_name(row.writing)})


def ask_for_code(db: Session, certificate: Certificate, *, language: str, address: str) -> ContactCheck:
    """Send a code to the phone of the holder's record. address: the IP address that asks. Raises DomainError."""
    phone = certificate.enrolment.trainee.phone
    if phone is None:
        raise DomainError("second_name_no_phone", N_("Your record has no phone number. Ask the host organisation."))
    return contact_checks.start(
        db, PROOF, subject_of(certificate.enrolment), ContactKind.PHONE, phone, language=language, address=address
    )


def subject_of(enrolment: Enrolment) -> str:
    """The text by which a contact check names an enrolment."""
    return f"enrolment:{enrolment.id}"


def _proven(db: Session, check: ContactCheck) -> str | None:
    """The record's phone is proven; the page of the second writing goes on from there."""
    enrolment = db.get_one(Enrolment, int(check.subject.partition(":")[2]))
    if enrolment.trainee.phone != check.contact:
        raise NotFound
    return f"/tickets/{enrolment.ticket}/second-name"


PROOF = contact_checks.register(
    CheckPurpose(
        "second_name",
        N_("The code shows that the certificate is yours. Then you choose how your name is written on it, too."),
        _proven,
    )
)


def _is_proven(row: SecondName | None) -> bool:
    return row is not None and row.way is not Way.READING


def _unproven() -> DomainError:
    return DomainError(
        "second_name_unproven",
        N_("With the link alone, only the pinyin of the name can be added. For another writing, confirm your phone."),
        status=422,
        field=FIELD,
    )


def _demand_name(writing: str) -> None:
    letters = [character for character in writing if character not in _SIGNS]
    runs = writing.split()
    if (
        len(letters) < 2
        or len(writing) > LIMIT
        or not all(map(_is_latin, letters))
        or not all(any(map(str.isalpha, run)) for run in runs)
    ):
        raise DomainError(
            "second_name_wrong",
            N_("Enter the name in Latin letters, such as Zhang Sanfeng, at most 60 characters."),
            status=422,
            field=FIELD,
        )


def _is_latin(character: str) -> bool:
    """Tell whether a character is a Latin letter, with an accent or without, or a sign between such letters."""
    return character in _SIGNS or (
        unicodedata.category(character) in {"Lu", "Ll"} and unicodedata.name(character, "").startswith("LATIN ")
    )


def _demand_room(certificate: Certificate, writing: str, branch: Branch) -> None:
    """Refuse a writing for which the paper has no room, or that no font prints. Raises as `rendering.render` does."""
    document = replace(documents.document_of(certificate, branch), second_name=writing)
    rendering.render(document)
    if (
        documents.card_refusal(certificate, branch) is None
        and (refused := rendering.card_refusal(document)) is not None
    ):
        raise refused


def _lock(db: Session, certificate: Certificate) -> Trainee:
    """Lock the person, so that two writings are recorded one after the other, and read the certificate anew."""
    trainee = db.scalars(
        select(Trainee)
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .where(Enrolment.id == certificate.enrolment_id)
        .with_for_update(of=Trainee)
    ).one()
    db.refresh(certificate)
    return trainee


def _open(db: Session, trainee: Trainee) -> SecondName | None:
    return db.scalars(
        select(SecondName).where(SecondName.trainee_id == trainee.id, SecondName.withdrawn_at.is_(None))
    ).one_or_none()


def _close(db: Session, row: SecondName) -> None:
    row.withdrawn_at, row.withdrawn_by = clock.now(), audit.actor(db)
    db.flush()
