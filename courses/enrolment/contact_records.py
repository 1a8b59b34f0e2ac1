"""Records of people that the return of a code opens: the person sees every certificate and ticket, without an account.

A phone opens the records that have it (decision 79), an e-mail address those for which it was proven. A phone of a family or of a
company stands in several records. There the proof alone opens those for which this phone was proven, and the others by the name
of the person, so that whoever holds the phone of a host does not read the papers of 40 people from one list. A contact that was
given for an enrolment and stands in no record of this person opens that enrolment alone.

Nothing is changed by it: the record's contact is not marked as proven, because the owner of a company's phone is not each
of the people.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from courses.enrolment import listings, merged_records
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.trainees import EMAIL_COLUMN, PHONE_COLUMN, Trainee
from lms.accounts import contact_checks
from lms.accounts.contact_checks import CheckPurpose
from lms.accounts.models import ContactCheck
from lms.core import audit, crypto
from lms.core.contacts import ContactKind
from lms.core.errors import N_
from lms.core.names import norm

PAGE = "/my-certificate"
# The most records of one contact, and the most enrolments of people of one name, that are looked through.
MOST = 500


@dataclass(frozen=True)
class OpenedRecords:
    """The ids of the people whose whole record a contact opens, and of single enrolments of other people.

    needs_name: the contact stands in further records, which are opened by the name of the person.
    """

    trainee_ids: frozenset[int] = frozenset()
    enrolment_ids: frozenset[int] = frozenset()
    needs_name: bool = False


def ask_for_code(db: Session, kind: ContactKind, contact: str, *, language: str, address: str | None) -> ContactCheck:
    """Send a code to a contact, whether or not any record has it, so that nobody learns which contacts are known.

    contact: E.164 or an e-mail address. address: the IP address that asks. Raises DomainError (429) beyond a limit.
    """
    subject = f"contact:{crypto.cipher().blind_index('my_certificate.contact', contact.lower()).hex()[:16]}"
    return contact_checks.start(db, PURPOSE, subject, kind, contact, language=language, address=address)


def opened(
    db: Session, check: ContactCheck, *, trainee_ids: Collection[int] = (), enrolment_ids: Collection[int] = ()
) -> OpenedRecords:
    """The records that a proven contact opens.

    trainee_ids, enrolment_ids: what names opened before in this browser (`by_name`); each still has to have the contact.
    """
    rows = _records_of(db, check)
    claimed = {trainee_id for trainee_id, proven_at in rows if proven_at is None}
    whole = {trainee_id for trainee_id, proven_at in rows if proven_at is not None}
    whole |= claimed if len(rows) == 1 else claimed.intersection(trainee_ids)
    single = _given(db, check, Enrolment.id.in_(enrolment_ids)) if enrolment_ids else []
    return OpenedRecords(
        frozenset(whole),
        frozenset(row.id for row in single if row.trainee_id not in whole),
        needs_name=not claimed <= whole,
    )


def by_name(db: Session, check: ContactCheck, name: str) -> OpenedRecords:
    """The records and enrolments of people of this name that a proven contact opens; empty where there is none."""
    has_name = Trainee.name_key == norm(name)
    whole = frozenset(trainee_id for trainee_id, _proven_at in _records_of(db, check, has_name))
    single = frozenset(row.id for row in _given(db, check, has_name) if row.trainee_id not in whole)
    contact = {"contact": contact_checks.masked(check)}
    for subject in [*(f"trainee:{row}" for row in sorted(whole)), *(f"enrolment:{row}" for row in sorted(single))]:
        audit.record(db, "trainee.open_by_name", subject, after=contact)
    return OpenedRecords(whole, single)


def enrolments_of(db: Session, records: OpenedRecords) -> Sequence[Enrolment]:
    """The enrolments of opened records that were not cancelled, with their offerings, the newest first."""
    of_records = Enrolment.trainee_id.in_(records.trainee_ids) | Enrolment.id.in_(records.enrolment_ids)
    return listings.list_where(db, of_records, Enrolment.state != EnrolmentState.CANCELLED)


def _records_of(
    db: Session, check: ContactCheck, *conditions: ColumnElement[bool]
) -> list[tuple[int, datetime | None]]:
    """The people whose record has the contact, each with the moment of its proof: of e-mail addresses only proven ones.

    A merged record leads to the one that was kept, where the contact was proven for it.
    """
    if check.kind is ContactKind.PHONE:
        proven_at = Trainee.phone_proven_at
        has_contact = crypto.index_is(Trainee.phone_index, PHONE_COLUMN, check.contact)
    else:
        proven_at = Trainee.email_proven_at
        has_contact = crypto.index_is(Trainee.email_index, EMAIL_COLUMN, check.contact.lower()) & proven_at.is_not(None)
    stands = Trainee.merged_into_id.is_(None) | proven_at.is_not(None)
    statement = select(merged_records.CURRENT_ID, proven_at).where(has_contact, stands, *conditions)
    proofs: dict[int, datetime | None] = {}
    for trainee_id, moment in db.execute(statement.order_by(Trainee.id).limit(MOST)):
        proofs[trainee_id] = proofs.get(trainee_id) or moment
    return list(proofs.items())


def _given(db: Session, check: ContactCheck, condition: ColumnElement[bool]) -> Sequence[Enrolment]:
    """The enrolments for which the contact was given, among those of the condition. They have no index of it."""
    sealed = Enrolment.phone_sealed if check.kind is ContactKind.PHONE else Enrolment.email_sealed
    rows = db.scalars(
        select(Enrolment)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(condition, sealed.is_not(None), Enrolment.state != EnrolmentState.CANCELLED)
        .order_by(Enrolment.id.desc())
        .limit(MOST)
    )
    contact = check.contact.lower()
    return [
        row for row in rows if contact == ((row.phone if check.kind is ContactKind.PHONE else row.email) or "").lower()
    ]


def _proven(_db: Session, _check: ContactCheck) -> str:
    """The page finds the check in the browser that gave the code, and shows what it opens."""
    return PAGE


PURPOSE = contact_checks.register(
    CheckPurpose(
        "my_certificate",
        N_("The code shows that this contact is yours. Then you see your certificates and tickets."),
        _proven,
    )
)
