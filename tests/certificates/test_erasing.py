"""Erasing a person: what goes, what stays, and that all checks are as before."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import MetaData, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from certificates import documents, erasing, issuing, ledger, reissue
from certificates.branch import Branch
from certificates.legacy import legacy
from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from certificates.payload import digits_of
from certificates.reissue import Correction
from certificates.verification import look_up, verification
from courses.counting import recount
from courses.enrolment import name_writings, places, trainees
from courses.enrolment.personal_data import NAME_WAITS
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import EnrolmentSource, EnrolmentState
from courses.models.trainees import ERASED_NAME, IdType, Trainee
from courses.privacy import erasure
from lms import schema
from lms.accounts.models import User
from lms.core import audit, clock, personal_data
from lms.core.errors import DomainError
from lms.core.personal_data import Subject
from lms.core.scope import EVERYTHING, Role
from tests.certificates.conftest import closed_offering, owe
from tests.certificates.legacy_people import legacy_of
from tests.factories import Make

Issue = Callable[..., Certificate]
NAME, PHONE, EMAIL, ID_NUMBER = "欧阳震华", "+8613911112222", "ouyang.zhenhua@example.org", "11010119900307109X"
FACTS = TraineeFacts(NAME, PHONE, EMAIL, id_type=IdType.RESIDENT, id_number=ID_NUMBER)


@pytest.fixture
def holder(db: Session, issue: Issue, make: Make, app: Flask) -> Trainee:  # the application registers
    """A person with an account, contacts, an ID number and a certificate."""
    trainee: Trainee = issue(NAME).enrolment.trainee
    trainee.phone, trainee.email = PHONE, EMAIL
    trainee.set_id_number(IdType.RESIDENT, ID_NUMBER)
    user = make.user(Role.TRAINEE, name=NAME, email=EMAIL)
    trainee.user_id = user.id
    db.flush()
    return trainee


def certificate_of(db: Session, trainee: Trainee) -> Certificate:
    return erasing.certificates_of(db, [trainee.id])[0]


def everything_stored(db: Session) -> str:
    """Each value of each table as text, as a dump has it."""
    metadata: MetaData = schema.TARGET
    parts = []
    for table in metadata.sorted_tables:
        for row in db.execute(select(table)):
            parts.extend(
                json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value) for value in row
            )
    return "\n".join(parts)


def recounted(db: Session) -> list[Any]:
    """The differences that a recount of all offerings finds."""
    return [difference for part in recount.ranges(db) for difference in recount.check(db, part)]


def erase(db: Session, trainee: Trainee) -> None:
    erasure.erase(db, trainee.id, reason="本人书面申请")
    db.commit()
    db.expire_all()


def test_nothing_of_the_person_is_left_in_any_table(db: Session, holder: Trainee) -> None:
    ticket = certificate_of(db, holder).enrolment.ticket
    trainees.overwrite(db, holder, FACTS, reason=f"应为{NAME}")
    db.commit()
    assert NAME in everything_stored(db)
    erase(db, holder)
    stored = everything_stored(db)
    for known in (NAME, PHONE, PHONE.removeprefix("+86"), EMAIL, ID_NUMBER, ticket):
        assert known not in stored


def test_the_fact_of_the_certificate_stays_and_the_checks_are_clean(
    db: Session, holder: Trainee, branch: Branch
) -> None:
    certificate = certificate_of(db, holder)
    digits, today = digits_of(certificate.payload), clock.branch_today()
    people, before = db.scalar(text("SELECT count(*) FROM trainee")), recounted(db)
    erase(db, holder)
    assert list(ledger.check(db, names=True)) == []
    assert recounted(db) == before
    assert db.scalar(text("SELECT count(*) FROM trainee")) == people
    certificate = certificate_of(db, holder)
    assert certificate.holder_name == ERASED_NAME
    assert look_up.code_of(db, certificate.number, NAME, scheme=branch.scheme) == digits
    for wrong in ("张三", ERASED_NAME):
        with pytest.raises(DomainError, match="no certificate"):
            look_up.code_of(db, certificate.number, wrong, scheme=branch.scheme)
    with pytest.raises(DomainError, match="no longer be printed"):
        documents.pdf(certificate, branch)
    with pytest.raises(DomainError, match="no longer be corrected"):
        reissue.request(
            db, certificate, Correction("某人", {}), "x", branch=branch, scope=EVERYTHING
        )  # fmt: skip
    assert verification.masked_holder(certificate.holder_name) == ""
    assert today == clock.branch_today()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ('UPDATE certificate SET facts = facts || \'{"hours": "99"}\'', "not what remained"),
        ("UPDATE certificate SET number = number || '1'", "not what remained"),
        ("UPDATE certificate SET erased_content = sha256('x')", "from before the erasure"),
    ],
)
def test_a_change_after_the_erasure_is_found(db: Session, holder: Trainee, change: str, fault: str) -> None:
    erase(db, holder)
    db.execute(text(change))
    db.expire_all()
    assert any(fault in entry.what for entry in ledger.check(db))


def test_an_erasure_without_an_entry_in_the_trail_is_found(db: Session, holder: Trainee) -> None:
    certificate = certificate_of(db, holder)
    certificate.erased_content, certificate.holder_name = ledger.content_digest(certificate), ERASED_NAME
    db.flush()
    assert [fault.what for fault in ledger.check(db)] == [
        "its holder's name was erased, and the audit trail has no entry of it"
    ]


def test_the_account_of_a_trainee_is_closed_and_a_colleagues_stays(db: Session, holder: Trainee, make: Make) -> None:
    user = db.get_one(User, holder.user_id)
    erase(db, holder)
    assert (user.name, user.email, user.phone, user.disabled_at is not None) == (ERASED_NAME, None, None, True)
    colleague = make.user(Role.COORDINATOR, Role.TRAINEE)
    other = make.trainee(user_id=colleague.id)
    erase(db, other)
    assert (colleague.disabled_at, other.user_id) == (None, None)


def test_who_enrols_again_is_a_new_person(db: Session, holder: Trainee, make: Make) -> None:
    erase(db, holder)
    assert trainees.register(db, FACTS).id != holder.id
    with pytest.raises(IntegrityError, match="was erased"):
        places.enrol(db, make.offering().id, holder, source=EnrolmentSource.STAFF)


@pytest.mark.parametrize("state", [EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED])
def test_an_open_training_refuses_it_and_says_so(
    db: Session, holder: Trainee, make: Make, state: EnrolmentState
) -> None:
    make.enrolment(make.offering(), holder, state)
    preview = erasure.preview(db, holder)
    assert len(preview.obstacles) == 1
    with pytest.raises(DomainError, match="still open"):
        erasure.erase(db, holder.id, reason="申请")
    assert holder.name == NAME


def test_the_preview_changes_nothing(db: Session, holder: Trainee) -> None:
    entries = db.scalar(text("SELECT count(*) FROM audit_entry"))
    preview = erasure.preview(db, holder)
    assert preview.obstacles == []
    assert {"trainee": 1, "certificate": 1, "enrolment": 1, "account": 1}.items() <= preview.rows.items()
    assert {"certificate", "counts", "trail", "files"} <= set(preview.remains)
    db.refresh(holder)
    assert (holder.name, holder.phone) == (NAME, PHONE)
    assert db.scalar(text("SELECT count(*) FROM audit_entry")) == entries


def test_it_is_done_once_and_recorded_without_the_name(db: Session, holder: Trainee) -> None:
    erasure.erase(db, holder.id, reason=f"{NAME}本人申请")
    entry = db.scalars(select(audit.AuditEntry).where(audit.AuditEntry.action == "trainee.erase")).one()
    assert entry.reason == "欧**华本人申请"
    with pytest.raises(DomainError, match="already"):
        erasure.erase(db, holder.id, reason="再来")


@pytest.mark.usefixtures("app")
def test_a_legacy_certificate_is_found_by_the_name_and_says_it_to_nobody(
    db: Session, make: Make, legacy_number: str
) -> None:
    row = db.scalars(select(LegacyCertificate)).one()
    number = legacy_id(row)
    trainee = make.trainee("张三丰")
    trainee.set_id_number(IdType.RESIDENT, number)
    db.flush()
    erase(db, trainee)
    stored = everything_stored(db)
    assert "张三丰" not in stored
    today = clock.branch_today()
    found = legacy.find(db, legacy_number, "张三丰", today=today)
    assert found is not None
    assert found.masked_name == ""
    for wrong in ("李四", ERASED_NAME, number[-6:]):
        assert legacy.find(db, legacy_number, wrong, today=today) is None


def legacy_id(row: Any) -> str:
    from certificates.personal_data import _id_number

    return _id_number(row) or ""


def test_a_writing_goes_with_its_person_and_a_name_that_waits_is_decided_first(
    db: Session, make: Make, branch: Branch, app: Flask
) -> None:
    name, writing = "欧阳\ue5e5", "Ouyang Zhenhua"
    enrolment = owe(make, closed_offering(make), name)
    db.flush()
    assert issuing.issue_owed(db, branch) == 0
    subject = Subject(enrolment.trainee_id, None)
    assert personal_data.obstacles(db, subject) == [NAME_WAITS]
    name_writings.record(db, enrolment, writing, f"{name}选择写作{writing}")
    assert issuing.release(db, branch) == issuing.issue_owed(db, branch) == 1
    db.commit()
    assert [row["writing"] for row in personal_data.export(db, subject)["name_writing"]] == [writing]
    erase(db, enrolment.trainee)
    stored = everything_stored(db)
    assert name not in stored
    assert writing not in stored
    assert list(ledger.check(db)) == []


def test_matched_legacy_certificates_lose_the_person_and_keep_their_state(
    db: Session, holder: Trainee, make: Make
) -> None:
    by_hand = legacy_of(db, NAME, phone=PHONE, holder=holder)
    same_number = legacy_of(db, NAME, id_number=ID_NUMBER)
    others = legacy_of(db, NAME, id_number=ID_NUMBER, holder=make.trainee(NAME))
    assert len(personal_data.export(db, Subject(holder.id, holder.user_id))["legacy_certificate"]) == 2
    erase(db, holder)
    assert [row.erased_at is not None for row in (by_hand, same_number, others)] == [True, True, False]
    assert (by_hand.trainee_id, by_hand.phone_sealed, by_hand.phone_index) == (holder.id, None, None)
    found = legacy.find(db, by_hand.number, NAME, today=clock.branch_today())
    assert found is not None
    assert found.masked_name == ""


def test_a_person_with_a_valid_legacy_certificate_is_not_due(db: Session, make: Make) -> None:
    needed = next(kind.needed for kind in personal_data.registered() if kind.code == "certificate")
    assert needed is not None
    valid, expired, nobody = make.trainee(), make.trainee(), make.trainee()
    legacy_of(db, holder=valid)
    legacy_of(db, holder=expired, valid_until=date(2016, 1, 1))
    assert set(db.scalars(select(Trainee.id).where(needed()))) & {valid.id, expired.id, nobody.id} == {valid.id}
