"""Messages about a record: the owner at a proven contact, and each contact that was replaced."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import record_notices, trainees
from courses.enrolment.trainees import TraineeFacts
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
