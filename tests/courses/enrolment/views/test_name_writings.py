"""Whoever enters a name that no font can print is told at once, whatever the form, and nobody is refused for a name."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.catalogue import Programme
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from instructors.models import Instructor
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import Role
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
NAME = "王\ue5e5"
CODE_POINT = "U+E5E5"


@pytest.fixture
def offering(db: Session, make: Make) -> Offering:
    row = make.offering(starts=[clock.now() + timedelta(days=3)])
    db.commit()
    return row


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def test_staff_who_enrol_are_told_and_led_to_the_writing(city: FlaskClient, db: Session, offering: Offering) -> None:
    base = f"/offerings/{offering.id}/enrolments"
    assert city.post(f"{base}/new", data={"name": NAME, "phone": "13812345678"}).status_code == 302
    enrolment = db.scalars(select(Enrolment)).one()
    page = city.get(f"{base}/").text
    assert page.count(CODE_POINT) == 2  # the message, and the row of the list
    assert f"{base}/{enrolment.id}/writing" in page


def test_a_visitor_is_told_by_the_ticket(client: FlaskClient, db: Session, offering: Offering) -> None:
    facts = {"name": NAME, "phone": "13812345678", "consent": "y", "privacy_version": "1"}
    answer = client.post(f"/training/{offering.id}/enrol", data=facts, follow_redirects=True)
    assert db.scalars(select(Trainee.name)).all() == [NAME]
    assert answer.text.count(CODE_POINT) == 1
    assert "/writing" in answer.text


def test_who_corrects_a_record_registers_an_instructor_or_names_a_programme_is_told(
    city: FlaskClient, db: Session, make: Make
) -> None:
    trainee = make.trainee("王艺")
    db.commit()
    edited = {"name": NAME, "phone": trainee.phone, "reason": "按证件更正"}
    assert CODE_POINT in city.post(f"/trainees/{trainee.id}/edit", data=edited, follow_redirects=True).text
    facts = {"name": NAME, "registration_number": "BJ-I-77777", "district_id": "1", "level": "junior"}
    assert CODE_POINT in city.post("/instructors/new", data=facts, follow_redirects=True).text
    programme = {"code": "EXTRA", "short_code": "EX", "name_zh": f"急救{NAME}", "name_en": "Extra", "position": "9"}
    assert CODE_POINT in city.post("/catalogue/programmes/new", data=programme, follow_redirects=True).text
    db.refresh(trainee)
    assert (trainee.name, db.scalar(select(Instructor.name).where(Instructor.name == NAME))) == (NAME, NAME)
    assert db.scalar(select(Programme.name_zh).where(Programme.code == "EXTRA")) == f"急救{NAME}"
