"""A school behind one address: 300 people enrol and check themselves in, while somebody among them guesses."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from courses.attendance.self_check_in import code_display
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment
from lms.core import clock, crypto
from tests.courses.attendance.self_check_in.steps import code_at
from tests.courses.closing.steps import loaded

PEOPLE = 300

CONSENT = {"consent": "y", "privacy_version": "1"}


@pytest.fixture
def offering(make):
    return make.offering(capacity=PEOPLE, starts=[clock.now() + timedelta(hours=2)])


@pytest.fixture
def guesser(app):
    """A browser at the school's address that has tried 700 tickets and 700 codes."""
    browser = app.test_client()
    tickets = [browser.get(f"/tickets/{crypto.token()}").status_code for _ in range(700)]
    codes = [browser.get(f"/s/1/{number:016d}").status_code for number in range(700)]
    assert (tickets[0], tickets[-1]) == (404, 429)
    assert (codes[0], codes[-1]) == (410, 429)
    return browser


@pytest.mark.usefixtures("guesser")
def test_300_people_enrol_and_check_in_from_one_address_while_somebody_guesses(app, db, offering):
    db.commit()
    tickets = []
    for number in range(PEOPLE):
        facts = {"name": f"学员{number}", "phone": f"139{number:08d}", **CONSENT}
        answer = app.test_client().post(f"/training/{offering.id}/enrol", data=facts)
        assert answer.status_code == 302, number
        tickets.append(answer.location)
    assert db.scalar(select(func.count()).select_from(Enrolment)) == PEOPLE
    arriving = offering.sessions[0].starts_at - timedelta(minutes=5)
    with clock.at(arriving):
        meeting = loaded(db, offering)
        code_display.show(db, meeting, now=clock.now())
        db.commit()
        for number, ticket in enumerate(tickets):
            phone = app.test_client()
            with clock.at(arriving + timedelta(seconds=number)):
                if number % 2:
                    phone.get(ticket)
                assert phone.get(f"/s/{meeting.id}/{code_at(db, meeting, clock.now())}").status_code == 303, number
                assert phone.get("/check-in").status_code == 200, number
                answer = phone.post("/check-in", data={"name": f"学员{number}", "tail": f"{number:04d}"})
                assert (answer.status_code, answer.location) == (303, "/check-in/done"), number
                assert phone.get("/check-in/done").status_code == 200
    assert db.scalar(select(func.count()).select_from(Attendance)) == PEOPLE


def test_somebody_who_guesses_the_name_of_a_phone_is_stopped(app, db, offering):
    db.commit()
    answers = [
        app.test_client().post(
            f"/training/{offering.id}/enrol",
            data={"name": f"王{number}", "phone": "13912345678", **CONSENT},
        )
        for number in range(40)
    ]
    assert [answer.status_code for answer in answers].count(302) == 30
    assert "今天" in answers[-1].text
