"""Desk proofs: staff who see all of a record mark its contacts as proven, with who, when and by which document."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import desk_proofs
from courses.models.trainees import IdType
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind, ContactProof
from lms.core.errors import Denied, DomainError
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make


def test_a_proof_names_staff_and_document(db: Session, make: Make) -> None:
    user = make.user(Role.COORDINATOR)
    audit.act_as(db, user.id)
    person = make.trainee(phone="+8613812345678", email="z@example.org")
    desk_proofs.record(db, person, [ContactKind.PHONE], IdType.PASSPORT, EVERYTHING)
    assert (person.phone_proof, person.phone_proven_by) == (ContactProof.STAFF, user.id)
    assert person.phone_proven_at is not None
    assert not person.is_proven(ContactKind.EMAIL)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "trainee.prove")).one()
    assert entry.after == {"phone": "138****5678", "document": "passport"}
    person.phone = "+8613800000000"
    assert not person.is_proven(ContactKind.PHONE)


def test_only_contacts_of_the_record_can_be_proven_and_one_must_be(db: Session, make: Make) -> None:
    person = make.trainee()
    for kinds in ([], [ContactKind.EMAIL], [ContactKind.PHONE, ContactKind.EMAIL]):
        with pytest.raises(DomainError) as refusal:
            desk_proofs.record(db, person, kinds, IdType.RESIDENT, EVERYTHING)
        assert refusal.value.code == "no_contact"
    assert not person.is_proven(ContactKind.PHONE)


def test_whoever_may_only_propose_proves_nothing(db: Session, make: Make) -> None:
    host = make.organisation(1)
    person = make.enrolment(make.offering(organisation=host), make.trainee(district_id=2)).trainee
    with pytest.raises(Denied):
        desk_proofs.record(
            db, person, [ContactKind.PHONE], IdType.RESIDENT, Scope(organisation_ids=frozenset({host.id}))
        )
