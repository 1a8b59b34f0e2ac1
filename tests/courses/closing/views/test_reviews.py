"""The review list in a browser: what waits, one tap, and who may."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput, WalkIn
from courses.models.attendance import Attendance, AttendanceDecision
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.trainees import Trainee
from lms.core import clock
from lms.core.scope import Role


@pytest.fixture
def user(make):
    return make.user(Role.INSTRUCTOR, name="王老师")


@pytest.fixture
def offering(make, user):
    start = clock.now() - timedelta(hours=1)
    return make.offering(starts=[start], hours=3, lead=make.instructor(user=user))


@pytest.fixture
def phone(sign_in, user):
    return sign_in(user)


def kept(db, offering, **facts):
    event = AttendanceInput(uuid4(), offering.sessions[0].id, told_at=clock.now(), **facts)
    (answer,) = recording.record_all(db, [event], user_id=None, now=clock.now())
    db.commit()
    return answer.id


def test_what_waits_is_in_the_bar_and_on_the_list(db, make, offering, phone):
    assert "badge text-bg-danger" not in phone.get("/reviews").text
    row = make.enrolment(offering, make.trainee("张伟"), state=EnrolmentState.CANCELLED)
    event = kept(db, offering, enrolment_id=row.id)
    page = phone.get("/reviews").text
    assert "张伟" in page
    assert f"/reviews/{event}/accept" in page
    assert 'badge text-bg-danger">1<' in page
    english = phone.get("/reviews", headers={"Accept-Language": "en"})
    assert english.status_code == 200


def test_one_tap_accepts(db, make, offering, phone):
    row = make.enrolment(offering, state=EnrolmentState.CANCELLED)
    event = kept(db, offering, enrolment_id=row.id)
    answer = phone.post(f"/reviews/{event}/accept", data={"only": "1"})
    assert answer.location.endswith(f"/reviews?session={offering.sessions[0].id}")
    assert db.scalars(select(Attendance)).one().event_id == event
    assert row.trainee.name in phone.get(answer.location).text


def test_all_who_are_known_are_accepted_with_one_tap(db, make, offering, phone):
    events = [
        kept(db, offering, enrolment_id=make.enrolment(offering, state=EnrolmentState.CANCELLED).id) for _ in range(2)
    ]
    assert phone.post("/reviews/accept", data={"event": [str(one) for one in events]}).status_code == 302
    assert {row.event_id for row in db.scalars(select(Attendance))} == set(events)
    assert phone.post("/reviews/accept").status_code == 302


def test_what_is_no_id_is_not_found(phone):
    assert phone.post("/reviews/accept", data={"event": "x"}).status_code == 404
    assert phone.get(f"/reviews/{uuid4()}").status_code == 404


def test_a_walk_in_is_given_to_somebody(db, make, offering, phone):
    row = make.enrolment(offering, make.trainee("李娜"))
    event = kept(db, offering, walk_in=WalkIn(uuid4(), "李娜"))
    page = phone.get("/reviews").text
    assert f'name="enrolment" value="{row.id}"' in page
    assert phone.post(f"/reviews/{event}/merge", data={"enrolment": ""}).status_code == 422
    assert f'<option value="{row.id}">李娜' in phone.get(f"/reviews/{event}").text
    assert phone.post(f"/reviews/{event}/merge", data={"enrolment": row.id}).status_code == 302
    assert db.scalars(select(Attendance.enrolment_id)).all() == [row.id]
    assert phone.post(f"/reviews/{event}/merge", data={"enrolment": row.id}).status_code == 409


def test_a_walk_in_is_registered(db, offering, phone):
    event = kept(db, offering, walk_in=WalkIn(uuid4(), "李娜"))
    page = phone.get(f"/reviews/{event}").text
    assert 'value="李娜"' in page
    assert phone.post(f"/reviews/{event}/admit", data={"name": "李娜", "phone": "12"}).status_code == 422
    assert phone.post(f"/reviews/{event}/admit", data={"name": "李娜", "phone": "13800001234"}).status_code == 302
    assert db.scalars(select(Trainee.name).join(Enrolment)).all() == ["李娜"]
    assert len(db.scalars(select(Attendance)).all()) == 1


def test_rejecting_takes_a_ticked_or_a_typed_reason(db, make, offering, phone):
    first = kept(db, offering, enrolment_id=make.enrolment(offering, state=EnrolmentState.CANCELLED).id)
    second = kept(db, offering, ticket="x" * 22)
    phone.post(f"/reviews/{first}/reject", data={"choice": "没有到场", "reason": ""})
    phone.post(f"/reviews/{second}/reject", data={"choice": "没有到场", "reason": "拿错了票"})
    reasons = {one.event_id: one.reason for one in db.scalars(select(AttendanceDecision))}
    assert reasons == {first: "没有到场", second: "拿错了票"}
    assert phone.post(f"/reviews/{first}/reject").status_code == 409


def test_another_instructor_sees_nothing_and_an_auditor_only_reads(db, make, offering, sign_in):
    event = kept(db, offering, ticket="x" * 22)
    stranger = make.user(Role.INSTRUCTOR)
    make.instructor(user=stranger)
    assert str(event) not in sign_in(stranger).get("/reviews").text
    assert sign_in(stranger).post(f"/reviews/{event}/reject", data={"choice": "x"}).status_code == 404
    auditor = sign_in(make.user(Role.AUDITOR))
    page = auditor.get("/reviews")
    assert page.status_code == 200
    assert "/reject" not in page.text
    assert auditor.post(f"/reviews/{event}/reject", data={"choice": "x"}).status_code == 403


def test_the_list_is_read_in_few_statements(db, make, offering, phone, statements):
    make.trainee("李娜")
    for _ in range(5):
        kept(db, offering, enrolment_id=make.enrolment(offering, state=EnrolmentState.CANCELLED).id)
        kept(db, offering, walk_in=WalkIn(uuid4(), "李娜"))
    phone.get("/reviews")
    statements.clear()
    phone.get("/reviews")
    assert len(statements) <= 8, "\n".join(statements)


def test_the_roster_and_closing_say_what_waits(db, make, offering, phone):
    session_id = offering.sessions[0].id
    pages = (f"/sessions/{session_id}/attendance", f"/sessions/{session_id}/close")
    link = f"/reviews?session={session_id}"
    assert [link in phone.get(page).text for page in pages] == [False, False]
    kept(db, offering, ticket="x" * 22)
    assert [link in phone.get(page).text for page in pages] == [True, True]
