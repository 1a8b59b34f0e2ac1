"""The grid without a script: type, look, confirm; and the sheet that is printed."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from courses.models.attendance import Attendance
from courses.models.catalogue import AttendanceRule
from lms.core import clock
from lms.core.scope import Role

START = datetime(2026, 5, 4, 1, tzinfo=UTC)  # 09:00 in Beijing


@pytest.fixture
def instructor(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def offering(make, instructor):
    return make.offering(starts=[START], lead=make.instructor(user=instructor))


@pytest.fixture
def person(make, offering):
    return make.enrolment(offering, make.trainee("陈静"))


@pytest.fixture
def desk(instructor, person, sign_in):
    with clock.at(START + timedelta(days=1)):
        yield sign_in(instructor)


@pytest.fixture
def address(offering):
    return f"/sessions/{offering.sessions[0].id}/paper"


def fields(page):
    found = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def test_times_are_typed_looked_at_and_stored(desk, address, person, db):
    page = desk.get(address)
    assert page.status_code == 200
    sent = fields(page.text) | {f"came-{person.id}": "902", f"left-{person.id}": "1650", "step": "preview"}
    preview = desk.post(address, data=sent)
    assert preview.status_code == 200
    assert "09:02–16:50" in preview.text
    assert db.scalar(select(func.count()).select_from(Attendance)) == 0
    answer = desk.post(address, data=fields(preview.text) | {"step": "save"})
    assert answer.status_code == 302
    row = db.scalars(select(Attendance)).one()
    assert (row.arrived_at, row.left_at) == (START + timedelta(minutes=2), START + timedelta(minutes=470))
    assert 'value="09:02"' in desk.get(address).text


def test_a_wrong_row_keeps_everything_that_was_typed(desk, address, make, person, offering):
    other = make.enrolment(offering, make.trainee("李强"))
    make.db.commit()
    sent = {
        f"came-{person.id}": "9:75",
        f"came-{other.id}": "8:55",
        "name-new1": "赵六",
        "came-new1": "9",
        "step": "preview",
    }
    answer = desk.post(address, data=sent)
    assert answer.status_code == 422
    kept = fields(answer.text)
    assert (kept[f"came-{person.id}"], kept[f"came-{other.id}"]) == ("9:75", "8:55")
    assert (kept["name-new1"], kept["came-new1"]) == ("赵六", "9")
    assert "请写成" in answer.text


def test_back_from_the_preview_nothing_is_lost(desk, address, person):
    preview = desk.post(address, data={f"came-{person.id}": "902", "step": "preview"})
    page = desk.post(address, data=fields(preview.text) | {"step": "edit"})
    assert page.status_code == 200
    assert fields(page.text)[f"came-{person.id}"] == "902"


def test_what_changed_since_the_preview_is_shown_again(desk, address, person, db):
    answer = desk.post(address, data={f"came-{person.id}": "902", "step": "save", "seen": "old"})
    assert answer.status_code == 422
    assert "09:02" in answer.text
    assert db.scalar(select(func.count()).select_from(Attendance)) == 0


def test_an_untouched_grid_says_that_nothing_differs(desk, address):
    answer = desk.post(address, data=fields(desk.get(address).text) | {"step": "preview"})
    assert "没有需要保存" in answer.text


def test_before_check_in_opens_there_is_no_grid(address, instructor, person, sign_in):
    with clock.at(START - timedelta(hours=3)):
        page = sign_in(instructor).get(address)
    assert "data-paper" not in page.text


def test_the_sheet_is_a_pdf_for_those_who_take_attendance(desk, offering, sign_in, make):
    place = f"/sessions/{offering.sessions[0].id}/sign-in-sheet.pdf"
    answer = desk.get(place)
    assert (answer.status_code, answer.mimetype, answer.data[:5]) == (200, "application/pdf", b"%PDF-")
    assert answer.headers["Cache-Control"] == "no-store"
    stranger = make.user(Role.INSTRUCTOR)
    make.instructor(user=stranger)
    assert sign_in(stranger).get(place).status_code == 404


def test_the_roster_and_the_closing_page_say_who_was_late_and_how_many_minutes_are_missing(desk, address, person, db):
    course = person.offering.course
    course.attendance_rule, course.minutes_share = AttendanceRule.SHARE, 90
    db.commit()
    sent = {f"came-{person.id}": "0930", f"left-{person.id}": "1500", "step": "preview"}
    desk.post(address, data=fields(desk.post(address, data=sent).text) | {"step": "save"})
    roster = desk.get(address.replace("/paper", "/attendance")).text
    assert "迟到或早退：1 人" in roster
    assert "30 分钟" in roster
    closing = desk.get(address.replace("/paper", "/close")).text
    assert "计划 480 分钟，实到 330 分钟，须达 432 分钟" in closing
    assert "120 分钟" in closing
