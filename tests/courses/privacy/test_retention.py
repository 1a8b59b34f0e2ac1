"""Retention at work: the dry run says what the run erases, kind by kind."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.offerings import OfferingState
from courses.models.trainees import ERASED_NAME
from courses.models.training_requests import RequestState
from courses.models.walk_ins import WalkInPerson
from courses.privacy import retention
from lms.accounts import contact_checks
from lms.core import clock, retention_rules
from lms.core.audit import AuditEntry
from lms.core.contacts import ContactKind
from lms.core.errors import DomainError
from lms.core.messages import owing
from lms.core.messages.models import Channel, Message, MessageState
from lms.core.messages.owing import Address, Purpose, Recipient
from lms.core.retention_rules import PeriodUnit
from tests.courses.worlds import BEIJING
from tests.factories import Make


@pytest.fixture
def old_data(app: Flask, db: Session, make: Make) -> None:
    """Data of several kinds that is older than any period but the trainees'."""
    past = clock.now() - timedelta(days=800)
    with clock.at(past):
        purpose = Purpose("retention_test", "Test", called=False)
        owing.owe(db, purpose, Recipient(None, "某人", (Address(Channel.EMAIL, "a@b.cn"),)), subject="", text="")
        contact_checks.start(db, contact_checks_purpose(), "user:1", ContactKind.EMAIL, "a@b.cn", language="zh")
    offering = make.offering(state=OfferingState.CLOSED, closed_at=past, counted_on=clock.day_of(past, BEIJING))
    offering.contact_name, offering.contact_phone = "周老师", "010-64000000"
    make.training_request(state=RequestState.DECLINED, answer="没有师资", decided_at=past)
    make.training_request(asked_at=past)  # nobody has decided it, so it stays
    child = make.trainee(guardian_name="王芳", guardian_phone="+8613800000001")
    child.created_at = past
    enrolment = make.enrolment(offering, child, created_at=past)
    enrolment.phone = "+8613800000002"
    db.add(WalkInPerson(course_session_id=offering.sessions[0].id, id=owing.uuid4(), name="路人", made_at=past))
    db.flush()
    for message in db.scalars(select(Message)):
        message.state, message.settled_at = MessageState.ASIDE, past
    db.flush()


def contact_checks_purpose() -> contact_checks.CheckPurpose:
    return contact_checks.register(contact_checks.CheckPurpose("retention_test", "Test", lambda _db, _check: None))


@pytest.mark.usefixtures("old_data")
def test_the_run_erases_what_the_dry_run_names_and_records_it_without_names(db: Session) -> None:
    due = {row.kind.code: row.number for row in retention.overview(db)}
    expected = {"message": 2, "contact_check": 1, "enrolment_contact": 1, "guardian": 1, "walk_in": 1}
    expected |= {"training_request": 1, "class_contact": 1}
    assert expected.items() <= due.items()
    erased: dict[str, int] = {}
    for code, number in retention.run(db):
        erased[code] = erased.get(code, 0) + number
    assert {code: number for code, number in erased.items() if number} == {c: n for c, n in due.items() if n}
    assert not any(row.number for row in retention.overview(db))
    assert set(db.scalars(select(WalkInPerson.name))) == {ERASED_NAME}
    entries = db.execute(
        select(AuditEntry.subject, AuditEntry.after).where(AuditEntry.action == "retention.erase")
    ).all()
    assert {subject: after["count"] for subject, after in entries} == {
        f"retention:{code}": number for code, number in due.items() if number
    }


@pytest.mark.usefixtures("old_data")
def test_the_command_says_what_would_go_and_keeps_it(app: Flask, db: Session) -> None:
    db.commit()
    answer = app.test_cli_runner().invoke(args=["retention", "run", "--dry-run"])
    assert answer.exit_code == 0, answer.output
    assert "walk_in: 1 due" in answer.output
    assert "audit: kept for good" in answer.output
    assert db.scalars(select(WalkInPerson.name)).one() == "路人"
    answer = app.test_cli_runner().invoke(args=["retention", "run"])
    assert answer.exit_code == 0, answer.output
    db.expire_all()
    assert db.scalars(select(WalkInPerson.name)).one() == ERASED_NAME


def test_a_period_is_read_and_changed_with_a_reason(app: Flask, db: Session) -> None:
    assert retention_rules.period(db, "message") == timedelta(days=30)
    retention.change_period(db, "message", 2, PeriodUnit.MONTHS, "市里要求")
    assert retention_rules.period(db, "message") == timedelta(days=61)
    before = retention_rules.before(db, "message")
    assert before is not None
    assert clock.now() - before >= timedelta(days=61)
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "retention.change")).one()
    assert (entry.before, entry.after) == ({"period": "30 days"}, {"period": "2 months"})


@pytest.mark.parametrize(("amount", "unit"), [(0, "days"), (3661, "days"), (601, "months"), (-1, "months")])
def test_a_period_out_of_range_is_refused(app: Flask, db: Session, amount: int, unit: str) -> None:
    with pytest.raises(DomainError):
        retention.change_period(db, "message", amount, PeriodUnit(unit), "x")
