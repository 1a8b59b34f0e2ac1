"""Mails about an enrolment: each text in both languages, to trainees with an address alone."""

from datetime import timedelta

from sqlalchemy.orm import Session

from courses.enrolment import mail, places
from courses.models.enrolment import EnrolmentSource, EnrolmentState
from lms.core import clock
from tests.factories import Make
from tests.messages import mails

STAFF = EnrolmentSource.STAFF
TOMORROW = timedelta(days=1)


def test_mails_carry_the_ticket_in_both_languages(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() + TOMORROW])
    first = places.enrol(db, offering.id, make.trainee(email="a@example.org"), source=STAFF)
    second = places.enrol(db, offering.id, make.trainee(email="b@example.org"), source=STAFF)
    places.enrol(db, offering.id, make.trainee(), source=STAFF)
    places.cancel(db, first, "不来了")
    sent = mails(db)
    assert len(sent) == 3
    assert "候补" in sent[1]
    assert "waiting list" in sent[1]
    assert "a@example.org" in sent[0]
    assert "b@example.org" in sent[2]
    assert f"/tickets/{second.ticket}" in sent[2]
    assert "You have a place now" in sent[2]


def test_a_cancelled_enrolment_gets_no_confirmation(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering(), make.trainee(email="a@example.org"), EnrolmentState.CANCELLED)
    mail.send_confirmation(db, enrolment)
    assert mails(db) == []


def test_a_trainee_without_an_address_gets_no_mail(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering())
    mail.send_confirmation(db, enrolment)
    mail.send_promotion(db, enrolment)
    assert mails(db) == []
