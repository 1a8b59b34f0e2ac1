import re
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.enrolment import EnrolmentState
from instructors.models import Instructor
from lms.core import clock
from lms.core.scope import Role
from tests.courses.attendance.test_scanning import ADDRESS, drawn, photographed, saved

JSON = {"Accept": "application/json"}


@pytest.fixture
def instructor(make):
    return make.user(Role.INSTRUCTOR, name="王老师")


@pytest.fixture
def offering(make, instructor):
    return make.offering(lead=make.instructor(user=instructor), hours=3)


@pytest.fixture
def phone(instructor, offering, sign_in):
    return sign_in(instructor)


@pytest.fixture
def enrolment(make, offering, db):
    row = make.enrolment(offering, make.trainee("张伟", phone="+8613812345678"))
    db.commit()
    return row


@pytest.fixture
def address(offering):
    return f"/sessions/{offering.sessions[0].id}/attendance"


def present(db):
    return db.scalar(select(func.count()).select_from(Attendance))


def send(phone, address, **body):
    return phone.post(address, json={"id": str(uuid4()), **body}, headers=JSON)


def test_the_roster_is_read_in_few_statements(make, offering, phone, address, statements):
    for _ in range(76):
        make.enrolment(offering)
    make.db.commit()
    make.db.expire_all()
    statements.clear()
    page = phone.get(address)
    assert page.status_code == 200
    assert page.text.count('class="person-tap"') == 77  # and the one to copy for who comes later
    # Two of them count what waits (here, and for the bar), and one looks for a closing that waits for a confirmation.
    assert len(statements) <= 10, "\n".join(statements)


def test_no_phone_number_is_on_the_page(phone, address, enrolment, db):
    db.commit()
    text = phone.get(address).text
    assert "5678" in text
    assert "12345678" not in text


def test_a_tap_without_scripts_is_a_form(phone, address, enrolment, db):
    db.commit()
    answer = phone.post(address, data={"enrolment": enrolment.id, "kind": "arrive", "method": "tap", "show": "missing"})
    assert answer.status_code == 302
    assert answer.location.endswith(f"?show=missing#person-{enrolment.id}")
    assert "张伟 已签到。" in phone.get(answer.location).text
    assert present(db) == 1
    reasons = phone.get(f"{address}/{enrolment.id}/undo").text
    assert "点错了姓名" in reasons
    undo = {"enrolment": enrolment.id, "kind": "undo", "choice": "点错了姓名", "reason": ""}
    assert phone.post(address, data=undo).status_code == 302
    assert present(db) == 0
    assert (
        db.scalars(select(AttendanceEvent.reason).order_by(AttendanceEvent.received_at.desc())).first() == "点错了姓名"
    )


@pytest.mark.parametrize(
    ("asked", "shown"), [({"q": "张"}, True), ({"q": "5678"}, True), ({"q": "李"}, False), ({"show": "present"}, False)]
)
def test_search_and_filter_without_scripts(phone, address, enrolment, asked, shown):
    page = phone.post(f"{address}/search", data=asked, follow_redirects=True).text
    row = re.search(rf'<li class="person" id="person-{enrolment.id}"[^>]*>', page)
    assert (" hidden" not in row.group(0)) == shown


def test_json_answers_and_a_retry_is_harmless(phone, address, enrolment, db):
    db.commit()
    event = {"id": str(uuid4()), "enrolment": enrolment.id, "kind": "arrive", "method": "tap"}
    first = send(phone, address, **event)
    assert first.json["outcome"] == "accepted"
    assert (first.json["present"], first.json["name"], first.json["enrolment"]) == (True, "张伟", enrolment.id)
    assert re.fullmatch(r"\d\d:\d\d", first.json["arrived"])
    assert send(phone, address, **event).json == first.json
    again = send(phone, address, enrolment=enrolment.id)
    assert again.json["outcome"] == "already"
    assert "王老师" in again.json["message"]
    conflict = send(phone, address, **{**event, "kind": "leave"})
    assert (conflict.status_code, conflict.json["code"]) == (409, "event_conflict")
    assert conflict.content_type == "application/problem+json"
    assert present(db) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"enrolment": 1, "ticket": "x"}, {"enrolment": "a"}, {"enrolment": 1, "method": "correction"}, {"id": "1"}],
)
def test_an_invalid_event_is_refused(phone, address, enrolment, db, body):
    db.commit()
    answer = phone.post(address, json=body, headers=JSON)
    assert (answer.status_code, answer.json["code"]) == (422, "bad_event")


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+08:00", "1969-12-29T00:00:00Z", "2200-01-02T00:00:00Z", "9999-12-31T23:59:59-08:00"]
)
def test_a_moment_that_no_clock_tells_is_refused_and_later_taps_go_on(phone, address, enrolment, db, moment):
    odd = send(phone, address, enrolment=enrolment.id, happened_at=moment)
    assert (odd.status_code, odd.json["code"]) == (422, "bad_event")
    assert send(phone, address, enrolment=enrolment.id, happened_at=clock.now().isoformat()).status_code == 200
    assert send(phone, address, enrolment=enrolment.id, kind="undo", reason="误点").status_code == 200
    assert present(db) == 0


def test_a_scan_of_the_right_a_foreign_and_an_unknown_code(make, phone, address, enrolment, db):
    other = make.enrolment(make.offering())
    db.commit()
    scanned = send(phone, address, ticket=ADDRESS + enrolment.ticket, method="scan")
    assert scanned.json["enrolment"] == enrolment.id
    foreign = send(phone, address, ticket=ADDRESS + other.ticket, method="scan")
    assert (foreign.status_code, foreign.json["code"]) == (409, "ticket_elsewhere")
    assert "现场报名" in foreign.json["detail"]
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", foreign.json["detail"])
    assert send(phone, address, ticket="WIFI:S:x;;", method="scan").json["code"] == "ticket_unknown"


def test_refusals_say_in_both_languages_when_check_in_opens(make, instructor, phone, db):
    start = clock.now().replace(minute=30) + timedelta(hours=26)
    offering = make.offering(lead=instructor_row(db, instructor), starts=[start])
    enrolment = make.enrolment(offering)
    db.commit()
    place = f"/sessions/{offering.sessions[0].id}/attendance"
    opens = (start + timedelta(hours=7)).strftime("%Y-%m-%d %H:%M")
    assert f"签到将于 {opens} 开放。" in send(phone, place, enrolment=enrolment.id).json["detail"]
    assert f"Check-in opens at {opens}." in send(phone, f"{place}?lang=en", enrolment=enrolment.id).json["detail"]
    assert "person-do" not in phone.get(place).text


def instructor_row(db, user):
    return db.scalars(select(Instructor).where(Instructor.user_id == user.id)).one()


def test_a_photograph_of_a_ticket_is_read(phone, address, enrolment, db):
    db.commit()
    picture = saved(photographed(drawn(ADDRESS + enrolment.ticket)))
    body = {"photo": (BytesIO(picture), "ticket.jpg")}
    answer = phone.post(f"{address}/photo", data=body, headers=JSON)
    assert (answer.status_code, answer.json["enrolment"]) == (200, enrolment.id)
    assert db.scalars(select(AttendanceEvent.method)).one() == "photo"
    nothing = phone.post(f"{address}/photo", data={"photo": (BytesIO(b"x"), "x.jpg")}, headers=JSON)
    assert (nothing.status_code, nothing.json["code"]) == (422, "not_a_picture")
    assert phone.post(f"{address}/photo", data={}, headers=JSON).json["code"] == "no_picture"
    assert "capture" in phone.get(f"{address}/scan").text


def test_a_walk_in_by_form(phone, address, offering, db):
    db.commit()
    page = phone.get(f"{address}/walk-in").text
    event = re.search(r'name="event"[^>]*value="([^"]+)"', page).group(1)
    body = {"event": event, "name": "孙晓明", "phone": "13912345678"}
    for _ in range(2):
        assert phone.post(f"{address}/walk-in", data=body).status_code == 302
    assert present(db) == 1
    refused = phone.post(f"{address}/walk-in", data={"name": "孙晓明", "phone": "12"})
    assert refused.status_code == 422
    assert "孙晓明" in refused.text


def test_everybody_who_is_missing_and_ticked_is_checked_in_once(make, phone, address, offering, enrolment):
    db = make.db
    others = [make.enrolment(offering) for _ in range(3)]
    elsewhere = make.enrolment(make.offering())
    send(phone, address, enrolment=enrolment.id)
    page = phone.get(f"{address}/everyone").text
    assert set(re.findall(r'name="enrolments" value="(\d+)" checked', page)) == {str(row.id) for row in others}
    batch = re.search(r'name="batch"[^>]*value="([^"]+)"', page).group(1)
    ticked = {"batch": batch, "enrolments": [others[0].id, others[1].id]}
    for _ in range(2):
        assert phone.post(f"{address}/everyone", data=ticked).status_code == 302
    events = db.scalars(select(AttendanceEvent.enrolment_id).order_by(AttendanceEvent.enrolment_id)).all()
    assert events == sorted([enrolment.id, others[0].id, others[1].id])
    assert present(db) == 3
    assert phone.post(f"{address}/everyone", data={"enrolments": [elsewhere.id]}).status_code == 422
    assert phone.post(f"{address}/everyone", data={"batch": "no id", "enrolments": []}).status_code == 302
    assert present(db) == 3


def test_nobody_is_checked_in_before_check_in_opens_or_by_an_auditor(make, offering, phone, sign_in, db):
    early = make.offering(lead=offering.lead_instructor, starts=[clock.now() + timedelta(days=1)])
    row = make.enrolment(early)
    db.commit()
    address = f"/sessions/{early.sessions[0].id}/attendance/everyone"
    assert phone.get(address).status_code == 302
    assert phone.post(address, data={"enrolments": [row.id]}).status_code == 302
    assert present(db) == 0
    assert sign_in(make.user(Role.AUDITOR)).get(address).status_code == 403


def test_somebody_who_waits_is_let_in(make, phone, address, offering, db):
    waiting = make.enrolment(offering, state=EnrolmentState.WAITLISTED)
    db.commit()
    assert phone.post(f"{address}/{waiting.id}/let-in").status_code == 302
    assert present(db) == 1


def test_another_instructors_session_is_not_found(make, address, enrolment, sign_in, db):
    stranger = make.user(Role.INSTRUCTOR)
    make.instructor(user=stranger)
    browser = sign_in(stranger)
    assert browser.get(address).status_code == 404
    assert send(browser, address, enrolment=enrolment.id).status_code == 404
    assert present(db) == 0


def test_an_auditor_reads_and_changes_nothing(make, address, enrolment, sign_in):
    browser = sign_in(make.user(Role.AUDITOR))
    page = browser.get(address)
    assert page.status_code == 200
    assert "person-do" not in page.text
    assert send(browser, address, enrolment=enrolment.id).status_code == 403
