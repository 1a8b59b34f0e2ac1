"""Disclosures: a phone or an ID number in clear needs a reason that says something, and is counted by user and day."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import disclosures
from courses.enrolment.disclosures import Phones, Reading, ReadReason
from courses.enrolment.trainees import TraineeFacts, register
from courses.models.trainees import IdType
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.errors import Denied, DomainError
from lms.core.scope import EVERYTHING, Role, Scope
from tests.factories import Make

TODAY = date(2026, 5, 1)
ID = "11010519491231002X"
ZHANG = TraineeFacts("张三", phone="+8613812345678", birth_year=1949, id_type=IdType.RESIDENT, id_number=ID)
CALL = Reading(ReadReason.CALL, "", TODAY, limit=60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", False),
        ("", False),
        ("aaaaaaaaa aaaaaaaa", False),
        ("because", False),
        (". . . . . . . .", False),
        ("呵呵呵呵呵呵呵", False),
        ("核对证书", False),
        ("家长来电询问课次", True),
        ("her mother calls back", True),
    ],
)
def test_a_sentence_says_something(text: str, expected: bool) -> None:
    assert disclosures.is_sentence(text) is expected


def test_a_read_is_audited_with_its_reason_and_without_the_number(db: Session) -> None:
    person = register(db, ZHANG, 1)
    with pytest.raises(DomainError) as refusal:
        disclosures.read_id_number(db, person, Reading(ReadReason.OTHER, " x ", TODAY, 60), EVERYTHING)
    assert refusal.value.field == "sentence"
    other = Reading(ReadReason.OTHER, "法院 来函 要求核对", TODAY, 60)
    assert disclosures.read_id_number(db, person, other, EVERYTHING) == ID
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "trainee.read_id_number")).one()
    assert entry.subject == f"trainee:{person.id}"
    assert entry.reason is not None
    assert entry.reason.endswith("法院 来函 要求核对")
    assert ID not in str((entry.before, entry.after, entry.reason))


def test_a_day_has_so_many_reads(db: Session, make: Make) -> None:
    audit.act_as(db, make.user(Role.DISTRICT_ADMINISTRATOR).id)
    person = register(db, ZHANG, 1)
    reading = Reading(ReadReason.CALL, "", TODAY, limit=2)
    for number in (1, 2):
        disclosures.read_phones(db, person, reading, EVERYTHING)
        assert disclosures.reads_today(db, TODAY) == number
    with pytest.raises(DomainError) as refusal:
        disclosures.read_id_number(db, person, reading, EVERYTHING)
    assert refusal.value.code == "too_many_reads"
    tomorrow = Reading(ReadReason.CALL, "", date(2026, 5, 2), limit=2)
    assert disclosures.read_id_number(db, person, tomorrow, EVERYTHING) == ID


def test_whoever_may_not_change_the_record_reads_only_what_was_given_for_the_own_training(
    db: Session, make: Make
) -> None:
    host = make.organisation(1)
    person = register(db, ZHANG, 2)
    make.enrolment(make.offering(organisation=host), person, phone="+8613900000001")
    make.enrolment(make.offering(organisation=make.organisation(2)), person, phone="+8613900000002")
    coordinator = Scope(organisation_ids=frozenset({host.id}))
    assert disclosures.read_phones(db, person, CALL, coordinator) == Phones(None, None, ("+8613900000001",))
    with pytest.raises(Denied):
        disclosures.read_id_number(db, person, CALL, coordinator)
    everything = disclosures.read_phones(db, person, CALL, EVERYTHING)
    assert (everything.own, set(everything.given)) == ("+8613812345678", {"+8613900000001", "+8613900000002"})


def test_a_person_without_an_id_number(db: Session, make: Make) -> None:
    with pytest.raises(DomainError) as refusal:
        disclosures.read_id_number(db, make.trainee(), CALL, EVERYTHING)
    assert refusal.value.code == "no_id_number"
