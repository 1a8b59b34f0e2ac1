"""Notices to the trainees of an offering: who gets one, who has to be called, and the text in both languages."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering
from courses.offerings import notices
from lms.core.messages.models import MessageState
from lms.core.messages.owing import SITE
from tests.courses.planning import DAY, MORNING, ZONE
from tests.factories import Make
from tests.messages import mails, messages


@pytest.fixture
def offering(make: Make) -> Offering:
    return make.offering(starts=[MORNING, MORNING + DAY], place="一楼")


def test_recipients_are_the_enrolled_and_the_waiting(db: Session, make: Make, offering: Offering) -> None:
    make.enrolment(offering, make.trainee(), email="a@example.org")
    make.enrolment(offering, make.trainee(), state=EnrolmentState.WAITLISTED, email="b@example.org")
    make.enrolment(offering, make.trainee(), state=EnrolmentState.CANCELLED, email="c@example.org")
    to_call = make.enrolment(offering)
    claimed = make.enrolment(offering, make.trainee(email="claimed@example.org"))
    recipients = notices.find_recipients(db, offering)
    assert (recipients.mailed, recipients.to_call) == (2, (to_call, claimed))


def test_a_cancellation_gives_reason_times_and_ticket_in_chinese_then_english(
    app: Flask, db: Session, make: Make, offering: Offering
) -> None:
    enrolment = make.enrolment(offering, make.trainee("赵一"), email="a@example.org")
    make.enrolment(offering)
    with app.app_context():
        notices.send_cancellation(db, offering, "场地停电", ZONE)
    [text] = mails(db)
    assert text.index("已取消") < text.index("has been cancelled")
    assert text.count("场地停电") == text.count("2030-05-04 09:00–17:00, 2030-05-05 09:00–17:00") == 2
    assert f"{SITE}/tickets/{enrolment.ticket}" in text


def test_changed_times_are_listed_with_their_places(app: Flask, db: Session, make: Make, offering: Offering) -> None:
    make.enrolment(offering, make.trainee(), email="a@example.org")
    offering.sessions[1].place = "二楼"
    with app.app_context():
        notices.send_changed_times(db, offering, ZONE)
    [text] = mails(db)
    assert text.count("2030-05-04 09:00–17:00  一楼") == text.count("2030-05-05 09:00–17:00  二楼") == 2


def test_once_it_is_cancelled_a_refused_mail_makes_a_call_necessary(
    app: Flask, db: Session, make: Make, offering: Offering
) -> None:
    told, refused = (make.enrolment(offering, email=f"{name}@example.org") for name in "ab")
    with app.app_context():
        notices.send_cancellation(db, offering, "场地停电", ZONE)
    assert notices.find_recipients(db, offering).mailed == 2
    message = messages(db)[1]
    message.state, message.settled_at = MessageState.TO_CALL, message.created_at
    db.flush()
    recipients = notices.find_recipients(db, offering)
    assert (recipients.mailed, recipients.to_call) == (1, (refused,))
    message.state = MessageState.CALLED
    db.flush()
    assert notices.find_recipients(db, offering).to_call == ()
    assert told not in recipients.to_call


def test_whom_no_message_reaches_stands_on_the_list_at_once(
    app: Flask, db: Session, make: Make, offering: Offering
) -> None:
    enrolment = make.enrolment(offering, make.trainee(phone="+8613800138000"))
    with app.app_context():
        notices.send_cancellation(db, offering, "场地停电", ZONE)
        notices.send_changed_times(db, offering, ZONE)
    due = messages(db, MessageState.TO_CALL)
    assert [message.purpose for message in due] == ["cancellation", "changed_times"]
    assert {message.district_id for message in due} == {offering.district_id}
    assert notices.find_recipients(db, offering).to_call == (enrolment,)
