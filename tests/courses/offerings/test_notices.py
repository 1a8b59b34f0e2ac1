"""Notices to the trainees of an offering: who gets one, who has to be called, and the text in both languages."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.models.enrolment import EnrolmentState
from courses.models.offerings import Offering
from courses.offerings import notices
from lms.core.messages.owing import SITE
from tests.courses.planning import DAY, MORNING, ZONE
from tests.factories import Make
from tests.messages import mails


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
