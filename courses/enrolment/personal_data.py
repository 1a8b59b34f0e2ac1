"""Personal data of trainees: their records, enrolments, consents and proposed corrections."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from courses.enrolment import merged_records
from courses.models.enrolment import ACTIVE_STATES, Enrolment, EnrolmentImport, EnrolmentKey
from courses.models.name_writings import MissingGlyphs
from courses.models.offerings import Offering, OfferingState
from courses.models.privacy import Consent, ErasureRequest
from courses.models.proposals import Proposal, ProposalState
from courses.models.trainees import ERASED_NAME, Trainee
from lms.accounts.models import ContactCheck, User
from lms.core import clock, crypto, personal_data, plain_values, retention_rules
from lms.core.contacts import ContactKind
from lms.core.errors import N_
from lms.core.names import norm
from lms.core.personal_data import Basis, DataKind, Erased, Receiver, Row, Subject, Whose
from lms.core.retention_rules import RetentionKind

BATCH = 500

IN_TRAINING = N_(
    "The person is enrolled in a training that is not closed. Cancel the enrolment, or wait until it is closed."
)
NAME_WAITS = N_("A certificate of the person waits until it is decided how its name is printed. Decide that first.")
OWED = N_("A certificate is owed to the person. It is issued within minutes; try again then.")


def enrolments_of(db: Session, subject: Subject) -> list[Enrolment]:
    """The enrolments of a person, the oldest first."""
    of_person = Enrolment.trainee_id.in_(subject.trainee_ids)
    return list(db.scalars(select(Enrolment).where(of_person).order_by(Enrolment.id)))


def _export_trainee(db: Session, subject: Subject) -> list[Row]:
    names = ("name", "phone", "email", "birth_year", "id_type", "guardian_name", "guardian_phone", "created_at")
    proofs = ("phone_proven_at", "email_proven_at", "erased_at")
    return [
        plain_values.of_row(trainee, *names, *proofs) | {"id_number": trainee.open_id_number()}
        for trainee in merged_records.records_of(db, subject.trainee_ids)
    ]


def _erase_trainee(db: Session, subject: Subject) -> Erased:
    for trainee in merged_records.records_of(db, subject.trainee_ids):
        _erase_record(db, trainee)
    db.flush()
    return Erased(len(subject.trainee_ids))


def _erase_record(db: Session, trainee: Trainee) -> None:
    _delete_checks(db, trainee)
    trainee.phone = trainee.email = trainee.guardian_phone = None
    for kind in ContactKind:
        trainee.forget_proof(kind)
    trainee.set_id_number(None, None)
    trainee.name, trainee.name_key = ERASED_NAME, norm(ERASED_NAME)
    trainee.birth_year = trainee.guardian_name = trainee.user_id = None
    trainee.ref = uuid4()
    trainee.erased_at = clock.now()


def _delete_checks(db: Session, trainee: Trainee) -> None:
    """Delete the checks of the record's contacts, whatever they were for."""
    contacts = [contact for contact in (trainee.phone, trainee.email) if contact]
    db.execute(
        delete(ContactCheck).where(
            or_(*map(ContactCheck.contact_is, contacts), ContactCheck.subject == f"trainee:{trainee.id}")
        )
    )


def _obstacles(db: Session, subject: Subject) -> Iterable[str]:
    enrolments = select(Enrolment.id).where(Enrolment.trainee_id.in_(subject.trainee_ids))
    running = enrolments.join(Offering, Offering.id == Enrolment.offering_id).where(
        Enrolment.state.in_(ACTIVE_STATES), Offering.state.in_((OfferingState.DRAFT, OfferingState.PUBLISHED))
    )
    if db.scalar(select(exists(running))):
        yield IN_TRAINING
    owed = list(db.scalars(enrolments.where(Enrolment.certificate_due, Enrolment.certified_at.is_(None))))
    held = set(db.scalars(select(MissingGlyphs.enrolment_id).where(MissingGlyphs.enrolment_id.in_(owed))))
    if held:
        yield NAME_WAITS
    if len(owed) > len(held):
        yield OWED


def _export_enrolments(db: Session, subject: Subject) -> list[Row]:
    names = (
        "state", "source", "created_at", "offered_until", "cancelled_at", "cancel_reason", "sessions_attended",
        "minutes_attended", "shortfalls", "certified_at", "phone", "email", "held_elsewhere",
    )  # fmt: skip
    return [
        {
            "course": row.offering.course.name_zh,
            "host": row.offering.organisation.name_zh,
            "place": row.offering.place,
            "sessions": [plain_values.of(meeting.starts_at) for meeting in row.offering.sessions],
        }
        | plain_values.of_row(row, *names)
        for row in enrolments_of(db, subject)
    ]


def _erase_enrolments(db: Session, subject: Subject) -> Erased:
    rows = enrolments_of(db, subject)
    contacts = [contact for row in rows for contact in (row.phone, row.email) if contact]
    subjects = [f"enrolment:{row.id}" for row in rows]
    db.execute(
        delete(ContactCheck).where(or_(ContactCheck.subject.in_(subjects), *map(ContactCheck.contact_is, contacts)))
    )
    db.execute(delete(EnrolmentKey).where(EnrolmentKey.enrolment_id.in_([row.id for row in rows])))
    for row in rows:
        row.phone = row.email = None
        row.cancel_reason = row.held_elsewhere = None
        row.ticket = crypto.token()  # unknown to anybody, so that the former ticket opens nothing
    db.flush()
    return Erased(len(rows), ("counts",) if rows else ())


def _export_consents(db: Session, subject: Subject) -> list[Row]:
    names = ("version", "given_at", "giver", "way", "withdrawn_at", "withdrawal_reason")
    rows = db.execute(
        select(Consent, User.name)
        .outerjoin(User, User.id == Consent.recorded_by)
        .where(Consent.trainee_id.in_(subject.trainee_ids))
        .order_by(Consent.id)
    )
    return [
        plain_values.of_row(row, *names) | {"guardian": row.guardian(), "recorded_by": recorder}
        for row, recorder in rows
    ]


def _erase_consents(db: Session, subject: Subject) -> Erased:
    result: Any = db.execute(
        update(Consent)
        .where(Consent.trainee_id.in_(subject.trainee_ids))
        .values(guardian_sealed=None, withdrawal_reason=None)
    )
    return Erased(result.rowcount)


def _export_proposals(db: Session, subject: Subject) -> list[Row]:
    rows = db.scalars(select(Proposal).where(Proposal.trainee_id.in_(subject.trainee_ids)).order_by(Proposal.id))
    # A conflict is about somebody else, who has the same ID number and another name.
    return [
        plain_values.of_row(row, "state", "reason", "proposed_at", "decided_at", "answer")
        | {"proposed": row.values()[1]}
        for row in rows
        if not row.conflict
    ]


def _erase_proposals(db: Session, subject: Subject) -> Erased:
    ids = list(db.scalars(select(Proposal.id).where(Proposal.trainee_id.in_(subject.trainee_ids))))
    db.execute(delete(ContactCheck).where(ContactCheck.subject.in_([f"proposal:{identity}" for identity in ids])))
    db.execute(delete(Proposal).where(Proposal.id.in_(ids)))
    return Erased(len(ids))


def _export_requests(db: Session, subject: Subject) -> list[Row]:
    rows = db.scalars(select(ErasureRequest).where(ErasureRequest.trainee_id.in_(subject.trainee_ids)))
    return [plain_values.of_row(row, "state", "asked_at", "decided_at", "answer") for row in rows]


def _erase_requests(db: Session, subject: Subject) -> Erased:
    result: Any = db.execute(
        update(ErasureRequest).where(ErasureRequest.trainee_id.in_(subject.trainee_ids)).values(answer=None)
    )
    return Erased(result.rowcount)


def _ended(before: datetime) -> ColumnElement[bool]:
    """The condition that an offering was closed or cancelled before a moment."""
    return func.coalesce(Offering.closed_at, Offering.cancelled_at) <= before


def _with_contacts(before: datetime) -> Any:
    return (
        select(Enrolment.id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(_ended(before), or_(Enrolment.phone_sealed.is_not(None), Enrolment.email_sealed.is_not(None)))
    )


def _contacts_due(db: Session, before: datetime) -> int:
    return _count(db, _with_contacts(before))


def _erase_contacts(db: Session, before: datetime) -> Iterator[int]:
    empty = {"phone_sealed": None, "email_sealed": None}
    yield from _in_batches(
        db, _with_contacts(before), lambda ids: update(Enrolment).where(Enrolment.id.in_(ids)).values(empty)
    )


def _with_guardian(before: datetime) -> Any:
    """The records with a guardian of people whose last enrolment, and the record itself, are older than the period."""
    later = (
        select(1)
        .select_from(Enrolment)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(Enrolment.trainee_id == Trainee.id, func.coalesce(_ended(before), False).is_(False))
    )
    guardian = or_(Trainee.guardian_name.is_not(None), Trainee.guardian_phone_sealed.is_not(None))
    return select(Trainee.id).where(
        guardian, Trainee.created_at <= before, ~exists(later), Trainee.merged_into_id.is_(None)
    )


def _guardians_due(db: Session, before: datetime) -> int:
    return _count(db, _with_guardian(before))


def _erase_guardians(db: Session, before: datetime) -> Iterator[int]:
    empty = {"guardian_name": None, "guardian_phone_sealed": None}
    yield from _in_batches(
        db, _with_guardian(before), lambda ids: update(Trainee).where(Trainee.id.in_(ids)).values(empty)
    )


def _decided(before: datetime) -> Any:
    return select(Proposal.id).where(Proposal.state != ProposalState.OPEN, Proposal.decided_at <= before)


def _proposals_due(db: Session, before: datetime) -> int:
    return _count(db, _decided(before))


def _erase_decided(db: Session, before: datetime) -> Iterator[int]:
    yield from _in_batches(db, _decided(before), lambda ids: delete(Proposal).where(Proposal.id.in_(ids)))


def _lists(before: datetime) -> Any:
    return select(EnrolmentImport.id).where(EnrolmentImport.created_at <= before, EnrolmentImport.content.is_not(None))


def _lists_due(db: Session, before: datetime) -> int:
    return _count(db, _lists(before))


def _erase_lists(db: Session, before: datetime) -> Iterator[int]:
    yield from _in_batches(
        db, _lists(before), lambda ids: update(EnrolmentImport).where(EnrolmentImport.id.in_(ids)).values(content=None)
    )


def _keys(before: datetime) -> Any:
    return select(EnrolmentKey.id).where(EnrolmentKey.created_at <= before)


def _keys_due(db: Session, before: datetime) -> int:
    return _count(db, _keys(before))


def _erase_keys(db: Session, before: datetime) -> Iterator[int]:
    yield from _in_batches(db, _keys(before), lambda ids: delete(EnrolmentKey).where(EnrolmentKey.id.in_(ids)))


def _count(db: Session, ids: Any) -> int:
    return db.scalar(select(func.count()).select_from(ids.subquery())) or 0


def _in_batches(db: Session, ids: Any, statement: Any) -> Iterator[int]:
    """Run a statement on the rows of a SELECT, some at a time. Rows that others hold are left for the next night."""
    while batch := list(
        db.scalars(ids.limit(BATCH).with_for_update(skip_locked=True, of=ids.selected_columns[0].table))
    ):
        db.execute(statement(batch).execution_options(synchronize_session=False))
        yield len(batch)


TRAINEE = personal_data.register(
    DataKind(
        code="trainee",
        label=N_("Records of trainees"),
        purpose=N_("To register each person once, to enrol and to issue certificates"),
        tables={
            "trainee": (
                "name", "phone_sealed", "email_sealed", "birth_year", "id_number_sealed", "guardian_name",
                "guardian_phone_sealed",
            )
        },
        whose=(Whose.TRAINEE, Whose.GUARDIAN),
        basis=Basis.CONSENT,
        retention="trainee",
        receivers=(Receiver.HOST,),
        export=_export_trainee,
        erase=_erase_trainee,
        obstacles=_obstacles,
    )
)  # fmt: skip
personal_data.register(
    DataKind(
        code="enrolment",
        label=N_("Enrolments and tickets"),
        purpose=N_("To give places, to send the ticket and news about the training"),
        tables={
            "enrolment": ("ticket_sealed", "phone_sealed", "email_sealed", "cancel_reason"),
            "enrolment_key": ("form_hash",),
        },
        whose=(Whose.TRAINEE, Whose.GUARDIAN),
        basis=Basis.CONTRACT,
        retention="enrolment_contact",
        receivers=(Receiver.HOST, Receiver.SMS_GATEWAY, Receiver.MAIL_PROVIDER),
        export=_export_enrolments,
        erase=_erase_enrolments,
    )
)
personal_data.register(
    DataKind(
        code="enrolment_list",
        label=N_("Lists of people to enrol"),
        purpose=N_("To enrol the people of a spreadsheet"),
        tables={"enrolment_import": ("content",)},
        whose=(Whose.TRAINEE, Whose.GUARDIAN),
        basis=Basis.CONSENT,
        retention="enrolment_list",
        receivers=(Receiver.HOST,),
    )
)
personal_data.register(
    DataKind(
        code="consent",
        label=N_("Consents"),
        purpose=N_("To prove that people consented to the privacy notice"),
        tables={"consent": ("guardian_sealed", "withdrawal_reason")},
        whose=(Whose.TRAINEE, Whose.GUARDIAN),
        basis=Basis.LEGAL_DUTY,
        retention="trainee",
        export=_export_consents,
        erase=_erase_consents,
    )
)
personal_data.register(
    DataKind(
        code="proposal",
        label=N_("Proposed corrections"),
        purpose=N_("To correct records with the knowledge of the person"),
        tables={"proposal": ("content", "reason", "answer")},
        whose=(Whose.TRAINEE,),
        basis=Basis.LEGAL_DUTY,
        retention="proposal",
        export=_export_proposals,
        erase=_erase_proposals,
    )
)
personal_data.register(
    DataKind(
        code="erasure_request",
        label=N_("Requests for erasure"),
        purpose=N_("To answer people who ask for the erasure of their data"),
        tables={"erasure_request": ("answer",)},
        whose=(Whose.TRAINEE,),
        basis=Basis.LEGAL_DUTY,
        retention="trainee",
        export=_export_requests,
        erase=_erase_requests,
    )
)
personal_data.leave_apart(
    {
        "class_message": N_("Names the user who wrote to a class"),
        "enrolment_move": N_(
            "Leads from an enrolment to another one of the same person, and names the user who moved it"
        ),
        "enrolment_group": N_("Names the enrolment of whoever enrolled the others"),
        "class_message_recipient": N_("Names the enrolments for which a message to a class was meant"),
        "daily_count": N_("Counts how often a user read phones or ID numbers on a day"),
        "privacy_text": N_("Names the user who published a version"),
    }
)
for retention_kind in (
    RetentionKind(
        "enrolment_contact", N_("Contacts that were given for a training"), N_("the training was closed or cancelled"),
        due=_contacts_due, erase=_erase_contacts,
    ),
    RetentionKind(
        "guardian", N_("Guardians of children"), N_("the last training was closed"),
        due=_guardians_due, erase=_erase_guardians,
    ),
    RetentionKind(
        "proposal", N_("Proposed corrections"), N_("decided"), due=_proposals_due, erase=_erase_decided,
    ),
    RetentionKind(
        "enrolment_list", N_("Lists of people to enrol"), N_("sent"), due=_lists_due, erase=_erase_lists, fixed=True,
    ),
    RetentionKind(
        "enrolment_key", N_("Enrolment forms that were answered"), N_("sent"),
        due=_keys_due, erase=_erase_keys, fixed=True,
    ),
):  # fmt: skip
    retention_rules.register(retention_kind)
