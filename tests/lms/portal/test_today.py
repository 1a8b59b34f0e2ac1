from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from courses.attendance import recording
from courses.offerings import agenda
from lms.core import clock
from lms.core.scope import Role
from tests.courses.attendance.test_recording import happening

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 5, 14, 12, tzinfo=ZONE)


@pytest.fixture
def user(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def me(make, user):
    return make.instructor(user=user)


def test_the_day_is_cut_in_the_branchs_time_zone(db, make, user, me):
    def planned(start, **facts):
        return make.offering(lead=me, starts=[start], hours=2, **facts).sessions[0]

    early, late = planned(NOON.replace(hour=0)), planned(NOON.replace(hour=22))
    yesterday, before = planned(NOON - timedelta(days=1)), planned(NOON - timedelta(days=30))
    closed = planned(NOON - timedelta(days=2))
    closed.closed_at = NOON - timedelta(days=2)
    tomorrow = planned(NOON.replace(hour=0) + timedelta(days=1))
    make.offering(starts=[NOON])
    db.flush()
    with clock.at(NOON):
        found = agenda.of_instructor(db, user.id, ZONE)
    assert [entry.meeting.id for entry in found.today] == [early.id, late.id]
    assert [entry.meeting.id for entry in found.unclosed] == [before.id, yesterday.id]
    assert [entry.meeting.id for entry in found.coming] == [tomorrow.id]


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
