"""Two people of one name: every page of a training that names them says which of the two it means."""

import re
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.models.enrolment import EnrolmentState
from lms.core import clock
from lms.core.scope import Role
from tests.courses.attendance.test_recording import happening
from tests.courses.closing.steps import attends

TAILS = ("··5678", "··1234")


@pytest.fixture
def instructor(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def people(make, instructor, db):
    offering = make.offering(
        course=make.new_course(skills=1, hours=Decimal(1)),
        lead=make.instructor(user=instructor),
        starts=[clock.now() - timedelta(hours=2)],
        hours=1,
    )
    rows = [make.enrolment(offering, make.trainee("张伟", phone=f"+861381234{tail[-4:]}")) for tail in TAILS]
    make.enrolment(offering, make.trainee("李娜", phone="+8613812349999"))
    db.commit()
    return rows


def test_until_closing_each_page_tells_them_apart(people, instructor, sign_in, db):
    first, second = people
    attends(db, first, first.offering.sessions[0])
    attends(db, second, first.offering.sessions[0])
    db.commit()
    phone, session_id, offering_id = sign_in(instructor), first.offering.sessions[0].id, first.offering_id
    session, results = f"/sessions/{session_id}", f"/offerings/{offering_id}/assessment"
    enrolments = f"/offerings/{offering_id}/enrolments/"
    for address in (f"{session}/attendance", f"{session}/paper", f"{session}/close", results, enrolments):
        page = phone.get(address).text
        assert [tail for tail in TAILS if tail not in page] == [], address
        assert ("··9999" in page) == (address in (f"{session}/attendance", f"{session}/paper")), address
    for row, tail in zip(people, TAILS, strict=True):
        assert f"张伟 {tail}" in phone.get(f"{results}/{row.id}").text
        assert f"张伟 {tail}" in phone.get(f"{session}/attendance/{row.id}/undo").text
        answer = phone.post(f"{session}/attendance", json={"enrolment": row.id}, headers={"Accept": "application/json"})
        assert answer.json["name"] == f"张伟 {tail}"


def test_the_review_queue_tells_apart_whom_the_phone_does_not(make, people, instructor, sign_in, db):
    offering = people[0].offering
    for year in (2001, 2004):
        person = make.trainee("李强", phone="+8613900000001", birth_year=year)
        cancelled = make.enrolment(offering, person, state=EnrolmentState.CANCELLED)
        recording.record_all(db, [happening(cancelled, told_at=clock.now())], user_id=None, now=clock.now())
    db.commit()
    for phone in (None, "+8613900000007"):
        make.enrolment(offering, make.trainee("王芳", phone=phone, birth_year=1990))
    walk_in = AttendanceInput(
        uuid4(), offering.sessions[0].id, None, told_at=clock.now(), walk_in=WalkIn(uuid4(), "王芳")
    )
    recording.record_all(db, [walk_in], user_id=None, now=clock.now())
    db.commit()
    page = sign_in(instructor).get("/reviews").text
    # Of one, the phone tells; the other has no phone, and a birth year that both have.
    assert "··0007</button>" in page
    assert re.search(r" № \d+</button>", page)
    assert "··0001 · 2001" in page
    assert "··0001 · 2004" in page


def test_after_closing_certificates_and_corrections_tell_them_apart(people, make, sign_in, db):
    first = people[0]
    meeting = first.offering.sessions[0]
    attends(db, first, meeting)
    db.commit()
    phone = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    assert phone.post(f"/sessions/{meeting.id}/close").status_code == 302
    for address in (f"/certificates/offering/{first.offering_id}", f"/sessions/{meeting.id}/correction"):
        page = phone.get(address)
        assert page.status_code == 200, address
        assert [tail for tail in TAILS if tail not in page.text] == [], address
