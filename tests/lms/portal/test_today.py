from datetime import timedelta

import pytest

from courses.attendance import recording
from lms.core import clock
from lms.core.scope import Role
from tests.courses.attendance.test_recording import happening


@pytest.fixture
def user(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def me(make, user):
    return make.instructor(user=user)


def test_the_home_shows_the_own_sessions_with_their_counts(db, make, user, me, sign_in):
    offering = make.offering(lead=me, hours=1, starts=[clock.now() - timedelta(minutes=30)])
    rows = [make.enrolment(offering) for _ in range(3)]
    recording.record(db, happening(rows[0]), now=clock.now())
    page = sign_in(user).get("/today/").text
    assert "<strong>1</strong> / 3" in page
    assert f"/sessions/{offering.sessions[0].id}/attendance" in page
    assert "我已到场" in page
    assert "I am here" in sign_in(user).get("/today/?lang=en").text


def test_the_home_is_for_instructors(make, sign_in):
    assert sign_in(make.user(Role.TRAINEE)).get("/today/").status_code == 403
    empty = sign_in(make.user(Role.INSTRUCTOR)).get("/today/")
    assert "今天没有您的课次。" in empty.text


def test_the_home_is_read_in_few_statements(make, user, me, sign_in, statements):
    for hours in range(0, 60, 6):
        make.offering(lead=me, hours=2, starts=[clock.now() + timedelta(hours=hours)])
    browser = sign_in(user)
    make.db.expire_all()
    statements.clear()
    assert browser.get("/today/").status_code == 200
    assert len(statements) <= 8, "\n".join(statements)
