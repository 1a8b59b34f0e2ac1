"""Messages about a record: the owner at a proven contact, and each contact that was replaced."""

from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import desk_proofs, record_notices, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.events import PeopleIdentified
from courses.models.trainees import IdType
from lms.core.contacts import ContactKind, ContactProof
from lms.core.messages import owing
from lms.core.messages.models import Message
from lms.core.scope import EVERYTHING
from tests.factories import Make


def told(db: Session) -> list[tuple[str, str]]:
    """The purpose and the first address of each message."""
    return [
        (row.purpose, owing.content_of(row)["addresses"][0][1])  # type: ignore[index]
        for row in db.scalars(select(Message).order_by(Message.id))
    ]


def test_a_proposal_is_told_to_proven_contacts_alone(db: Session, make: Make) -> None:
    person = make.trainee(phone="+8613812345678", email="z@example.org")
    record_notices.tell_proposed(db, person)
    assert told(db) == []
    person.set_proof(ContactKind.PHONE, ContactProof.CODE)
    record_notices.tell_proposed(db, person)
    assert told(db) == [("record_proposed", "+8613812345678")]


def test_the_old_contact_is_told_of_a_new_one(db: Session, make: Make) -> None:
    person = make.trainee(phone="+8613812345678", email="old@example.org", birth_year=1990)
    trainees.change(db, person, TraineeFacts(person.name, birth_year=1990, email="new@example.org"), EVERYTHING)
    assert told(db) == [("record_changed", "old@example.org")]
    texts = [owing.content_of(row) for row in db.scalars(select(Message))]
    assert person.name not in str(texts)


def test_a_proven_contact_that_stays_is_told_too(db: Session, make: Make) -> None:
    person = make.trainee(phone="+8613812345678", birth_year=1990)
    person.set_proof(ContactKind.PHONE, ContactProof.CODE)
    trainees.change(db, person, TraineeFacts(person.name, birth_year=1990, email="new@example.org"), EVERYTHING)
    assert told(db) == [("record_changed", "+8613812345678")]


def test_a_new_year_of_birth_is_no_new_contact(db: Session, make: Make) -> None:
    person = make.trainee(birth_year=1990)
    trainees.change(db, person, TraineeFacts(person.name, birth_year=1991), EVERYTHING)
    assert told(db) == []


def test_a_new_id_number_a_new_name_and_a_proven_phone_are_told_to_whoever_looks_for_the_persons_certificates(
    db: Session, make: Make
) -> None:
    def identified() -> list[tuple[int, ...]]:
        return [event.trainee_ids for event in db.info.pop("events", []) if isinstance(event, PeopleIdentified)]

    number = "11010519491231002X"
    facts = TraineeFacts("张三丰", phone="+8613812345678", id_type=IdType.RESIDENT, id_number=number)
    person = trainees.register(db, facts)
    assert identified() == [(person.id,)]
    trainees.change(db, person, replace(facts, email="z@example.org"), EVERYTHING)
    assert identified() == []
    trainees.change(db, person, replace(facts, name="张三封"), EVERYTHING)
    assert identified() == [(person.id,)]
    desk_proofs.record(db, person, [ContactKind.EMAIL], IdType.RESIDENT, EVERYTHING)
    assert identified() == []
    desk_proofs.record(db, person, [ContactKind.PHONE], IdType.RESIDENT, EVERYTHING)
    assert identified() == [(person.id,)]
