"""Records that the return of a code opens: the own record, and never the papers of all who share a phone."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import contact_records
from courses.models.enrolment import EnrolmentState
from courses.models.trainees import Trainee
from lms.accounts import contact_checks
from lms.accounts.models import ContactCheck
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind, ContactProof
from tests.factories import Make
from tests.lms.accounts.test_contact_checks import code_in

PHONE = "+8613800990001"
EMAIL = "Li.Lei@example.org"


def proven(db: Session, contact: str = PHONE) -> ContactCheck:
    kind = ContactKind.EMAIL if "@" in contact else ContactKind.PHONE
    check = contact_records.ask_for_code(db, kind, contact, language="zh", address=None)
    trial = contact_checks.confirm_code(db, contact_checks.ref_of(check), code_in(db))
    assert trial.onward == "/my-certificate"
    return trial.check


def names(db: Session, records: contact_records.OpenedRecords) -> set[str]:
    return set(db.scalars(select(Trainee.name).where(Trainee.id.in_(records.trainee_ids))))


def test_a_phone_opens_the_one_record_that_has_it(db: Session, make: Make) -> None:
    trainee = make.trainee("李雷", phone=PHONE)
    make.trainee("韩梅梅")
    records = contact_records.opened(db, proven(db))
    assert records == contact_records.OpenedRecords(frozenset({trainee.id}))
    assert not trainee.is_proven(ContactKind.PHONE), "a phone is not proven for a record by this"


def test_a_hosts_phone_opens_nobody_without_the_name(db: Session, make: Make) -> None:
    for number in range(40):
        make.trainee(f"职工{number}", phone=PHONE)
    check = proven(db)
    assert contact_records.opened(db, check) == contact_records.OpenedRecords(needs_name=True)
    found = contact_records.by_name(db, check, " 职工 7 ")
    assert names(db, found) == {"职工7"}
    shown = contact_records.opened(db, check, trainee_ids=found.trainee_ids)
    assert (names(db, shown), shown.needs_name) == ({"职工7"}, True)
    assert contact_records.by_name(db, check, "职工") == contact_records.OpenedRecords()
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "trainee.open_by_name")).one()
    assert (entry.subject, entry.after) == (f"trainee:{next(iter(found.trainee_ids))}", {"contact": "138****0001"})


def test_of_a_shared_phone_the_records_are_open_for_which_it_was_proven(db: Session, make: Make) -> None:
    own, _other = make.trainee("李雷", phone=PHONE), make.trainee("韩梅梅", phone=PHONE)
    own.set_proof(ContactKind.PHONE, ContactProof.CODE)
    db.flush()
    records = contact_records.opened(db, proven(db))
    assert (records.trainee_ids, records.needs_name) == ({own.id}, True)


def test_a_remembered_record_is_closed_when_its_phone_changes(db: Session, make: Make) -> None:
    rows = [make.trainee(name, phone=PHONE) for name in ("李雷", "韩梅梅", "林涛")]
    check = proven(db)
    rows[0].phone = make.phone()
    db.flush()
    stranger = make.trainee("别人")
    asked = [rows[0].id, rows[1].id, stranger.id]
    assert contact_records.opened(db, check, trainee_ids=asked).trainee_ids == {rows[1].id}


def test_an_address_that_was_typed_for_one_class_opens_this_class_alone(db: Session, make: Make) -> None:
    """Whoever knows name and phone adds an own e-mail address to an enrolment of somebody else."""
    trainee = make.trainee("李雷", phone=PHONE)
    other = make.enrolment(make.offering(), trainee)
    given = make.enrolment(make.offering(), trainee)
    given.email = EMAIL
    cancelled = make.enrolment(make.offering(), make.trainee("李雷"), EnrolmentState.CANCELLED)
    cancelled.email = EMAIL
    db.flush()
    check = proven(db, EMAIL)
    assert contact_records.opened(db, check) == contact_records.OpenedRecords()
    found = contact_records.by_name(db, check, "李雷")
    assert (found.trainee_ids, found.enrolment_ids) == (frozenset(), {given.id})
    shown = contact_records.opened(db, check, enrolment_ids=[given.id, other.id])
    assert [row.id for row in contact_records.enrolments_of(db, shown)] == [given.id]


def test_a_claimed_address_of_a_record_opens_nothing_and_a_proven_one_opens_all(db: Session, make: Make) -> None:
    trainee = make.trainee("李雷", email=EMAIL)
    enrolment = make.enrolment(make.offering(), trainee)
    check = proven(db, EMAIL.lower())
    assert contact_records.opened(db, check) == contact_records.by_name(db, check, "李雷")
    assert contact_records.opened(db, check).trainee_ids == frozenset()
    trainee.set_proof(ContactKind.EMAIL, ContactProof.STAFF)
    db.flush()
    assert contact_records.enrolments_of(db, contact_records.opened(db, check)) == [enrolment]


@pytest.mark.parametrize("contact", [PHONE, EMAIL])
def test_an_unknown_contact_gets_a_code_like_a_known_one(db: Session, contact: str) -> None:
    assert contact_records.opened(db, proven(db, contact)) == contact_records.OpenedRecords()


def test_a_former_contact_opens_the_record_that_was_kept_where_it_was_proven(db: Session, make: Make) -> None:
    kept = make.trainee("李雷")
    merged = make.trainee("李雷", phone=PHONE, merged_into_id=kept.id)
    check = proven(db)
    assert contact_records.opened(db, check) == contact_records.OpenedRecords()
    merged.set_proof(ContactKind.PHONE, ContactProof.CODE)
    db.flush()
    assert contact_records.opened(db, check).trainee_ids == {kept.id}
