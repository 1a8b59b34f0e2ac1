"""Desk proofs: staff saw the person and the person's document, so the contacts of the record are proven."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy.orm import Session

from courses.enrolment import trainees, trainees_rights
from courses.events import PeopleIdentified
from courses.models.trainees import IdType, Trainee
from lms.core import audit, clock
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import N_, DomainError
from lms.core.events import publish
from lms.core.scope import Scope

FRESH = timedelta(hours=1)


def record(db: Session, trainee: Trainee, kinds: Collection[ContactKind], document: IdType, scope: Scope) -> None:
    """Mark contacts of a record as proven by staff who saw the person and a document.

    The user and the moment are recorded. Raises Denied `may_only_propose` where the scope does not cover all of the record,
    and DomainError `no_contact` for a contact that the record lacks, or where none is named.
    """
    trainees_rights.demand_change(db, trainee, scope)
    db.refresh(trainee, with_for_update=True)
    present = {ContactKind.PHONE: trainee.phone, ContactKind.EMAIL: trainee.email}
    if not kinds or not all(present[kind] for kind in kinds):
        raise DomainError(
            "no_contact", N_("Choose the phone number or the e-mail address that the person confirmed."), status=422
        )
    for kind in kinds:
        trainee.set_proof(kind, ContactProof.STAFF, by=audit.actor(db))
    db.flush()
    masked = trainees.mask_for_audit(trainees.facts_of(trainee), sorted(str(kind) for kind in kinds))
    audit.record(db, "trainee.prove", trainee, after=masked | {"document": str(document)})
    if ContactKind.PHONE in kinds:
        publish(db, PeopleIdentified((trainee.id,)))


def is_fresh(trainee: Trainee, user_id: int | None) -> bool:
    """Tell whether a user proved the phone of a record at the desk just now.

    Whoever hands over a link saw the person just before, so a proof of another day or by a colleague is not enough.
    """
    return (
        trainee.phone_proof is ContactProof.STAFF
        and trainee.phone_proven_by == user_id
        and trainee.phone_proven_at is not None
        and trainee.phone_proven_at > clock.now() - FRESH
    )
