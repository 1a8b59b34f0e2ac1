"""The trainee's way: a scan, a question, an answer; with cookies alone, and small enough for a basement."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from courses.attendance import check_in_window
from courses.attendance.self_check_in import claims, code_display, rotating_code
from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.self_check_in import CheckInClaim, CheckInKey
from lms.config import ROOT
from lms.core import clock
from lms.core.scope import Role
from tests.courses.closing.steps import loaded


@pytest.fixture
def offering(make):
    return make.offering(place="东城区培训室")


@pytest.fixture
def meeting(db, offering):
    found = loaded(db, offering)
    code_display.show(db, found, now=clock.now())
    db.commit()
    return found


def link(db, meeting, moment=None):
    key = db.scalars(select(CheckInKey).where(CheckInKey.course_session_id == meeting.id)).one().key
    return f"/s/{meeting.id}/{rotating_code.code(key, meeting.id, rotating_code.step_of(moment or clock.now()))}"


def scanned(db, browser, meeting):
    answer = browser.get(link(db, meeting))
    assert (answer.status_code, answer.location) == (303, "/check-in")
    return browser.get("/check-in")


def present(db):
    return db.scalars(select(Attendance.enrolment_id)).all()


def test_name_and_phone_check_somebody_in_and_the_page_says_when_and_where(db, make, client, offering, meeting):
    row = make.enrolment(offering, make.trainee("王小明", phone="+8613812345678"))
    db.commit()
    assert scanned(db, client, meeting).status_code == 200
    answer = client.post("/check-in", data={"name": "王小明", "tail": "5678"})
    assert (answer.status_code, answer.location) == (303, "/check-in/done")
    page = client.get("/check-in/done")
    assert present(db) == [row.id]
    for words in ("签到成功", "东城区培训室", offering.course.name_zh):
        assert words in page.text
    assert re.search(r"\d\d:\d\d", page.text)
    assert client.get("/check-in").location == "/check-in/done"


def test_an_old_code_or_a_made_up_one_leads_to_the_screen_and_asks_nothing(db, client, meeting):
    for path in (
        link(db, meeting, clock.now() - timedelta(seconds=20)),
        f"/s/{meeting.id}/AAAAAAAAAAAAAAAA",
        "/s/99/x",
    ):
        answer = client.get(path)
        assert answer.status_code == 410
        assert "<input" not in answer.text
        assert "Set-Cookie" not in answer.headers
    assert db.scalar(select(func.count()).select_from(CheckInClaim)) == 0
    assert client.get("/check-in").status_code == 410
    assert client.post("/check-in", data={"name": "王小明", "tail": "5678"}).status_code == 410


def test_the_ticket_that_this_browser_showed_is_known(db, make, client, offering, meeting):
    row = make.enrolment(offering, make.trainee("王小明"))
    make.enrolment(offering, make.trainee("李四"))
    db.commit()
    client.get(f"/tickets/{row.ticket}")
    page = scanned(db, client, meeting)
    assert "王小明" in page.text
    assert "李四" not in page.text
    assert 'name="tail"' not in page.text
    assert 'name="tail"' in client.get("/check-in?other=1").text
    assert client.post("/check-in/known", data={"enrolment": row.id}).location == "/check-in/done"
    assert present(db) == [row.id]


def test_the_trainee_who_is_signed_in_is_known(db, make, sign_in, offering, meeting):
    user = make.user(Role.TRAINEE)
    row = make.enrolment(offering, make.trainee("王小明", user_id=user.id))
    browser = sign_in(user)
    assert "王小明" in scanned(db, browser, meeting).text
    browser.post("/check-in/known", data={"enrolment": row.id})
    assert present(db) == [row.id]


def test_the_button_checks_in_nobody_whom_the_browser_does_not_know(db, make, client, offering, meeting):
    row = make.enrolment(offering)
    db.commit()
    scanned(db, client, meeting)
    assert client.post("/check-in/known", data={"enrolment": row.id}).status_code == 422
    assert client.post("/check-in/known").status_code == 422
    assert present(db) == []


def test_whichever_is_wrong_the_answer_is_the_same_and_tries_are_counted(db, make, client, offering, meeting):
    make.enrolment(offering, make.trainee("王小明", phone="+8613812345678"))
    db.commit()
    scanned(db, client, meeting)
    # The CSRF token holds the second in which it was made.
    own = r'王小明|无此人|0000|5678|name="csrf_token" value="[^"]+"'
    pages = {
        re.sub(own, "…", client.post("/check-in", data=facts).text)
        for facts in ({"name": "王小明", "tail": "0000"}, {"name": "无此人", "tail": "5678"})
    }
    assert len(pages) == 1
    for _ in range(claims.TRIES - 2):
        client.post("/check-in", data={"name": "王小明", "tail": "0000"})
    assert client.post("/check-in", data={"name": "王小明", "tail": "5678"}).status_code == 422
    assert present(db) == []


def test_a_person_who_is_not_found_goes_on_by_name(db, client, meeting):
    scanned(db, client, meeting)
    page = client.post("/check-in", data={"name": "孙晓明", "tail": "0000"})
    assert "孙晓明" in page.text
    client.post("/check-in/unlisted", data={"name": "孙晓明"})
    page = client.get("/check-in/done")
    assert "签到成功" not in page.text
    assert "出示给师资" in page.text
    assert present(db) == []


def test_the_second_from_one_browser_is_told_to_see_the_instructor(db, make, client, offering, meeting):
    first = make.enrolment(offering, make.trainee("王小明", phone="+8613812345678"))
    make.enrolment(offering, make.trainee("李四", phone="+8613812340000"))
    db.commit()
    for name, tail in (("王小明", "5678"), ("李四", "0000")):
        scanned(db, client, meeting)
        client.post("/check-in", data={"name": name, "tail": tail})
    assert "出示给师资" in client.get("/check-in/done").text
    assert present(db) == [first.id]


def test_an_early_trainee_waits_on_a_page_that_goes_on_by_itself(db, make, client):
    opening = clock.now() + timedelta(minutes=5)
    offering = make.offering(starts=[opening + check_in_window.OPENS_BEFORE])
    meeting = loaded(db, offering)
    code_display.show(db, meeting, now=clock.now())
    db.commit()
    page = scanned(db, client, meeting)
    assert 'data-countdown="' in page.text
    assert page.headers["Refresh"] == "30"
    with clock.at(opening):
        page = client.get("/check-in")
    assert 'name="tail"' in page.text
    assert "Refresh" not in page.headers


def test_a_scan_long_before_the_opening_says_when_to_come_back(db, make, client):
    meeting = loaded(db, make.offering(starts=[clock.now() + timedelta(hours=5)]))
    code_display.show(db, meeting, now=clock.now())
    db.commit()
    answer = client.get(link(db, meeting))
    assert answer.status_code == 409
    assert re.search(r"\d\d:\d\d", answer.text)


def test_the_form_sent_twice_checks_in_once(db, make, client, offering, meeting):
    make.enrolment(offering, make.trainee("王小明", phone="+8613812345678"))
    db.commit()
    scanned(db, client, meeting)
    for _ in range(2):
        assert client.post("/check-in", data={"name": "王小明", "tail": "5678"}).location == "/check-in/done"
    assert db.scalar(select(func.count()).select_from(AttendanceEvent)) == 1


def test_an_incomplete_answer_is_shown_where_it_is_wrong(db, client, meeting):
    scanned(db, client, meeting)
    for facts in ({"name": "", "tail": "5678"}, {"name": "王", "tail": "12"}, {"name": "王", "tail": "abcd"}):
        answer = client.post("/check-in", data=facts)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
    assert client.post("/check-in/unlisted", data={"name": ""}).status_code == 422


def test_cookies_are_the_hosts_and_a_ticket_goes_to_this_path_alone(db, make, client, offering, meeting):
    row = make.enrolment(offering)
    db.commit()
    cookies = client.get(link(db, meeting)).headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert {re.search(r"Path=([^;]+)", cookie).group(1) for cookie in cookies} == {"/"}  # what `__Host-` demands
    ticket = client.get(f"/tickets/{row.ticket}").headers.getlist("Set-Cookie")
    assert any(row.ticket in cookie and "Path=/check-in" in cookie for cookie in ticket)


def test_the_pages_are_light_and_private(db, make, client, meeting):
    page = scanned(db, client, meeting)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    files = sum((ROOT / "lms/static" / name).stat().st_size for name in ("self_check_in.css", "self_check_in.js"))
    assert len(page.data) + files < 50_000
    assert 'src="' not in page.text


def test_guessing_is_slowed_by_address(db, client, meeting):
    # Counts are of a minute; so many fall into two of them at most.
    answers = [client.get(f"/s/{meeting.id}/{number:016d}").status_code for number in range(602)]
    assert answers[0] == 410
    assert answers.count(429) >= 2
    assert set(answers) == {410, 429}
