import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from courses.attendance import recording
from courses.models.offerings import OfferingState
from instructors.models import Instructor
from lms.core import clock
from lms.core.scope import Role
from tests.courses.attendance.test_recording import happening
from tests.courses.closing.steps import attends


@pytest.fixture
def instructor(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def offering(make, instructor):
    lead = make.instructor(user=instructor)
    return make.offering(
        course=make.new_course(skills=1, hours=Decimal(1)),
        lead=lead,
        starts=[clock.now() - timedelta(hours=2)],
        hours=1,
    )


@pytest.fixture
def phone(instructor, offering, sign_in):
    return sign_in(instructor)


@pytest.fixture
def address(offering):
    return f"/sessions/{offering.sessions[0].id}"


@pytest.fixture
def present(make, offering, db):
    row = make.enrolment(offering, make.trainee("张伟"))
    recording.record(db, happening(row), now=clock.now())
    db.commit()
    return row


def test_i_am_here_and_i_am_leaving(make, instructor, phone, db):
    me = db.scalars(select(Instructor).where(Instructor.user_id == instructor.id)).one()
    offering = make.offering(lead=me, hours=3, starts=[clock.now() - timedelta(minutes=5)])
    db.commit()
    place = f"/sessions/{offering.sessions[0].id}"
    assert phone.post(f"{place}/here", data={"next": "/today/"}).location == "/today/"
    assert phone.post(f"{place}/here", data={"next": "//evil.example"}).location == f"{place}/attendance"
    assert "您已于" in phone.get(f"{place}/attendance").text
    assert phone.post(f"{place}/leave").status_code == 302
    teaching = offering.sessions[0].instructors[0]
    db.refresh(teaching)
    assert teaching.arrived_at <= teaching.left_at


def test_the_headcount_form(phone, address, offering, db):
    assert phone.post(f"{address}/headcount", data={"number": "300"}).status_code == 302
    db.refresh(offering.sessions[0])
    assert offering.sessions[0].headcount == 300
    for wrong in ("", "-1", "viele", "100001"):
        assert phone.post(f"{address}/headcount", data={"number": wrong}).status_code == 422


def test_closing_lists_who_is_short_and_asks_once(phone, address, offering, present, db):
    page = phone.get(f"{address}/close").text
    assert "张伟" in page
    assert "录入理论成绩。" in page
    assert f"/offerings/{offering.id}/assessment/{present.id}" in page
    assert "Enter the theory result." in phone.get(f"{address}/close?lang=en").text
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', page).group(1)
    stale = phone.post(f"{address}/close", data={"seen": "0" * 16})
    assert stale.status_code == 422
    assert phone.post(f"{address}/close", data={"seen": seen}).status_code == 302
    db.refresh(offering)
    assert offering.state == OfferingState.CLOSED
    again = phone.post(f"{address}/close", data={"seen": seen})
    assert again.status_code == 302


def test_closing_where_nobody_came_says_so(make, phone, address, offering, db):
    make.enrolment(offering)
    db.commit()
    assert "主办单位取消" in phone.get(f"{address}/close").text
    assert phone.post(f"{address}/close").status_code == 422


def test_a_correction_names_certificates_that_should_be_looked_at(make, phone, address, present, db):
    absent = make.enrolment(present.offering, make.trainee("李娜"))
    db.commit()
    phone.post(f"{address}/close")
    present.certified_at = clock.now()
    db.commit()
    assert "更正" in phone.get(f"{address}/attendance").text
    listed = [present.id, absent.id]
    body = {"listed": listed, "present": [absent.id], "headcount": "0"}
    assert phone.post(f"{address}/correction", data=body).status_code == 422
    done = phone.post(f"{address}/correction", data={**body, "reason": "核对纸质签到表"})
    assert done.status_code == 302
    told = phone.get(done.location).text
    assert "张伟 已取得证书" in told
    assert "已到" in told
    db.refresh(absent)
    assert absent.sessions_attended == 1


def test_who_may_not_correct_is_refused(make, phone, address, present, sign_in):
    phone.post(f"{address}/close")
    offering = present.offering
    offering.sessions[0].closed_at -= timedelta(days=8)
    offering.closed_at -= timedelta(days=8)
    make.db.commit()
    assert phone.get(f"{address}/correction").status_code == 403
    assert sign_in(make.user(Role.DISTRICT_ADMINISTRATOR)).get(f"{address}/correction").status_code == 200
    other = make.user(Role.DISTRICT_ADMINISTRATOR, district_id=2)
    assert sign_in(other).get(f"{address}/correction").status_code == 404


@pytest.mark.parametrize("act", ["here", "leave", "headcount", "close"])
def test_another_instructors_session_is_not_found(make, address, offering, sign_in, act):
    stranger = make.user(Role.INSTRUCTOR)
    make.instructor(user=stranger)
    assert sign_in(stranger).post(f"{address}/{act}", data={"number": "1"}).status_code == 404


def test_closing_names_who_was_absent_late_or_left_and_what_follows(make, phone, address, offering, db):
    offering.course.pass_mark = None
    for skill in offering.course.skills:
        skill.active = False
    meeting = offering.sessions[0]
    late = make.enrolment(offering, make.trainee("迟到者"))
    make.enrolment(offering, make.trainee("缺席者"))
    attends(db, late, meeting, late=25, early=20)
    db.commit()
    page = " ".join(phone.get(f"{address}/close").text.split())
    missed = page[(start := page.index('id="missed"')) : page.index("</ul> </li> </ul>", start)]
    for text in ("迟到者", "15/60分钟", "迟到25分钟 · 早退20分钟", "证书", "缺席者", "0/60分钟", "缺勤", "不予发证"):
        assert text in missed, text
    english = " ".join(phone.get(f"{address}/close?lang=en").text.split())
    for text in ("15 of 60 min", "25 min late · left 20 min early", "absent", "All planned sessions"):
        assert text in english, text


def test_closing_before_the_end_and_below_the_course_asks_on_the_page(make, phone, offering, instructor, db):
    lead = db.scalars(select(Instructor).where(Instructor.user_id == instructor.id)).one()
    course = make.new_course(skills=0, pass_mark=None, hours=Decimal(3))
    running = make.offering(course=course, lead=lead, starts=[clock.now() - timedelta(hours=1)], hours=3)
    recording.record(db, happening(make.enrolment(running)), now=clock.now() - timedelta(minutes=55))
    db.commit()
    address = f"/sessions/{running.sessions[0].id}/close"
    page = phone.get(address).text
    assert "本课次计划到" in page
    assert 'name="hours_choice"' not in page
    refused = phone.post(address)
    assert (refused.status_code, "请确认要提前结课" in refused.text) == (422, True)
    assert phone.post(address, data={"end_now": "1"}).location == address
    page = phone.get(address).text
    assert 'name="before_end"' not in page
    assert 'name="hours_choice"' in page
    assert phone.post(address).status_code == 422
    assert phone.post(address, data={"hours_choice": "given"}).status_code == 302
    db.refresh(running)
    assert (running.state, running.certificate_hours) == (OfferingState.CLOSED, 1)
