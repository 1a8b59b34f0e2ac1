"""Corrections that people ask for in their own record: facts are proposed, and contacts are proven by a code."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import proposals, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.events import PeopleIdentified
from courses.models.proposals import Proposal
from courses.models.trainees import Trainee
from lms.accounts import contact_checks
from lms.accounts.contact_checks import CheckPurpose
from lms.accounts.models import ContactCheck
from lms.core import reasons
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import N_, DomainError, NotFound
from lms.core.events import publish


def ask(db: Session, trainee: Trainee, facts: TraineeFacts, reason: str | None) -> Proposal:
    """Propose a correction of the own record, as its person. Staff decide, and the answer is a message to the person.

    A fact without a new value stays. Contacts are left out, because a code proves them. Raises DomainError on the field at
    fault, `reason_missing`, `nothing_proposed` and `proposed_already`.
    """
    reason = reasons.required(reason)
    facts = trainees.complete(trainee, replace(facts, phone=None, email=None), names=trainees.FACT_NAMES)
    names = trainees.changed_names(trainee, facts)
    if not names:
        raise DomainError(
            "nothing_proposed", N_("Nothing would change. Enter what is wrong in the record."), status=422
        )
    return proposals.add(db, trainee, facts, names, reason, by_person=True)


def listing(db: Session, trainee_id: int) -> list[Proposal]:
    """The corrections that a person asked for, the newest first."""
    statement = select(Proposal).where(Proposal.trainee_id == trainee_id, Proposal.by_person)
    return list(db.scalars(statement.order_by(Proposal.id.desc())))


def ask_for_code(
    db: Session, trainee: Trainee, kind: ContactKind, contact: str, *, language: str, address: str | None
) -> ContactCheck:
    """Send a code to a new contact of the own record. Its return changes the record. Raises as `contact_checks.start` does."""
    subject = f"trainee:{trainee.id}"
    return contact_checks.start(db, CONTACT, subject, kind, contact, language=language, address=address)


def _proven(db: Session, check: ContactCheck) -> str | None:
    trainee = db.get(Trainee, int(check.subject.partition(":")[2]), with_for_update=True)
    if trainee is None or trainee.erased_at is not None or trainee.merged_into_id is not None:
        raise NotFound
    facts = trainees.complete(trainee, _with_contact(trainees.facts_of(trainee), check))
    trainees.overwrite(db, trainee, facts)
    trainee.set_proof(check.kind, check.proof or ContactProof.CODE)
    db.flush()
    if check.kind is ContactKind.PHONE:
        publish(db, PeopleIdentified((trainee.id,)))
    return "/my-training/data"


def _with_contact(facts: TraineeFacts, check: ContactCheck) -> TraineeFacts:
    if check.kind is ContactKind.PHONE:
        return replace(facts, phone=check.contact)
    return replace(facts, email=check.contact)


CONTACT = contact_checks.register(
    CheckPurpose("record_contact", N_("With this the contact becomes that of your training record."), _proven)
)
