"""Mails about an enrolment: each text in both languages, to trainees with an address alone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import mail, places
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import EnrolmentSource, EnrolmentState
from lms.core import clock
from lms.core.messages.models import Message, MessageState
from tests.factories import Make
from tests.messages import mails, messages

STAFF = EnrolmentSource.STAFF
TOMORROW = timedelta(days=1)
BEIJING = ZoneInfo("Asia/Shanghai")


def given(email: str) -> TraineeFacts:
    return TraineeFacts("学员", email=email)


def test_mails_carry_the_ticket_in_both_languages(db: Session, make: Make) -> None:
    offering = make.offering(capacity=1, starts=[clock.now() + TOMORROW])
    first = places.enrol(db, offering.id, make.trainee(), source=STAFF, given=given("a@example.org"))
    second = places.enrol(db, offering.id, make.trainee(), source=STAFF, given=given("b@example.org"))
    places.enrol(db, offering.id, make.trainee(email="claimed@example.org"), source=STAFF)
    places.cancel(db, first, "不来了")
    sent = mails(db)
    assert len(sent) == 3
    assert "候补" in sent[1]
    assert "waiting list" in sent[1]
    assert "a@example.org" in sent[0]
    assert "b@example.org" in sent[2]
    assert f"/tickets/{second.ticket}" in sent[2]
    assert "A place is held for you" in sent[2]


def test_a_cancelled_enrolment_gets_no_confirmation(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering(), None, EnrolmentState.CANCELLED, email="a@example.org")
    mail.send_confirmation(db, enrolment)
    assert mails(db) == []


def test_a_trainee_without_an_address_gets_no_mail(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering())
    mail.send_confirmation(db, enrolment)
    mail.send_promotion(db, enrolment)
    assert mails(db) == []
    assert [message.purpose for message in messages(db, MessageState.TO_CALL)] == ["promotion"]


def test_a_ticket_is_sent_again_three_times_a_day_ten_minutes_apart(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering(), email="a@example.org")
    now = datetime(2026, 6, 17, 9, 0, tzinfo=BEIJING)
    for minutes, expected in ((0, 1), (1, 1), (9, 1), (11, 2), (30, 3), (60, 3), (24 * 60, 4)):
        with clock.at(now + timedelta(minutes=minutes)):
            mail.send_again(db, enrolment)
        assert len(mails(db)) == expected, minutes
    assert all(f"/tickets/{enrolment.ticket}" in text for text in mails(db))


def test_whom_no_message_reaches_is_called_once_a_day(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering(), make.trainee(email="claimed@example.org"))
    now = datetime(2026, 6, 17, 7, 30, tzinfo=BEIJING)  # in UTC the day changes half an hour later
    for hours in (0, 1, 2):
        with clock.at(now + timedelta(hours=hours)):
            mail.send_again(db, enrolment)
    (message,) = db.scalars(select(Message)).all()
    assert (message.state, message.organisation_id) == (MessageState.TO_CALL, enrolment.offering.organisation_id)


def test_the_day_of_three_tickets_is_that_of_the_branch(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering(), email="a@example.org")
    morning = datetime(2026, 6, 17, 7, 0, tzinfo=BEIJING)
    for minutes, expected in ((0, 1), (20, 2), (40, 3), (90, 3), (17 * 60, 4)):
        with clock.at(morning + timedelta(minutes=minutes)):
            mail.send_again(db, enrolment)
        assert len(mails(db)) == expected, minutes


def test_a_trainee_who_waits_is_told_of_the_list_again(db: Session, make: Make) -> None:
    enrolment = make.enrolment(make.offering(), state=EnrolmentState.WAITLISTED, email="a@example.org")
    mail.send_again(db, enrolment)
    assert "候补" in mails(db)[0]
