"""Check-ins of paired devices: the token alone opens the door, each event is answered for, and nothing is written twice."""

import json
import math
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.attendance.check_ins import AttendanceInput
from courses.attendance.devices.forms.check_ins import CHECK_INS, MESSAGES, CheckInBody
from courses.device_events import BYTES_LIMIT
from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.enrolment import EnrolmentState
from courses.models.walk_ins import WalkInPerson
from lms.accounts import devices
from lms.accounts.models import User
from lms.app import create_app
from lms.config import Settings
from lms.core import clock
from lms.core.scope import Role
from tests.courses.conftest import Door, answers
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]


def count(db: Session, model: Any) -> int:
    return db.scalar(select(func.count()).select_from(model)) or 0


def test_each_event_is_answered_in_both_languages(door: Door, db: Session) -> None:
    first, second = door.event(0), door.event(1)
    found = answers(door.send(first, second))
    assert [answer["id"] for answer in found] == [first["id"], second["id"]]
    assert {(answer["outcome"], answer["code"], answer["present"]) for answer in found} == {
        ("accepted", "arrived", True)
    }
    assert "签到" in found[0]["text"]["zh"]
    assert found[0]["text"]["en"].startswith("Checked in at 20")
    stored = db.scalars(select(AttendanceEvent)).all()
    assert {(row.user_id, row.device_id) for row in stored} == {(door.user.id, door.device.id)}
    assert count(db, Attendance) == 2


def test_sending_again_changes_nothing_and_answers_the_same(door: Door, db: Session) -> None:
    event = door.event()
    first = answers(door.send(event))
    assert answers(door.send(event | {"offset_ms": 250})) == first
    assert answers(door.send(event, event)) == first * 2
    assert count(db, AttendanceEvent) == 1


def test_the_same_id_with_another_body_is_a_conflict(door: Door, db: Session) -> None:
    event = door.event(0)
    answers(door.send(event))
    other = door.event(1, id=event["id"])
    alone = door.send(other)
    assert (alone.status_code, alone.content_type) == (409, "application/problem+json")
    assert alone.json is not None
    assert alone.json["code"] == "event_conflict"
    found = answers(door.send(other, door.event(2)))
    assert [(answer["outcome"], answer["code"]) for answer in found] == [
        ("rejected", "event_conflict"),
        ("accepted", "arrived"),
    ]
    assert count(db, Attendance) == 2


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"id": "17"}, "bad_id"),
        ({"id": 17}, "bad_id"),
        ({"id": None}, "bad_id"),
        ({"session": "1"}, "bad_session"),
        ({"session": 0}, "bad_session"),
        ({"session": 2**63}, "bad_session"),
        ({"kind": "come"}, "bad_kind"),
        ({"kind": None}, "bad_kind"),
        ({"method": "correction"}, "bad_method"),
        ({"method": "self"}, "bad_method"),
        ({"told_at": "yesterday"}, "bad_time"),
        ({"told_at": "2026-11-23T09:00:00"}, "bad_time"),
        ({"told_at": 1700000000}, "bad_time"),
        ({"told_at": "9999-12-31T23:59:59Z"}, "bad_time"),
        ({"offset_ms": 10**18}, "bad_time"),
        ({"offset_ms": "1"}, "bad_time"),
        ({"enrolment": None}, "bad_person"),
        ({"ticket": "x"}, "bad_person"),
        ({"enrolment": None, "ticket": "x" * 401}, "bad_person"),
        ({"enrolment": None, "walk_in": {"id": "x", "name": "赵六"}}, "bad_person"),
        ({"enrolment": None, "walk_in": {"id": str(uuid4())}}, "bad_person"),
        ({"enrolment": -1}, "bad_person"),
        ({"reason": "x" * 2001}, "bad_reason"),
        ({"kind": "undo"}, "reason_missing"),
        ({"undoes": "x"}, "bad_id"),
        ({"enrolment": 2**62}, "not_found"),
    ],
)
def test_a_bad_event_is_rejected_and_the_others_go_through(
    door: Door, db: Session, facts: dict[str, Any], code: str
) -> None:
    found = answers(door.send(door.event(0), door.event(1, **facts), door.event(2)))
    assert [answer["outcome"] for answer in found] == ["accepted", "rejected", "accepted"]
    assert found[1]["code"] == code
    assert found[1]["text"]["zh"] != found[1]["text"]["en"]
    assert count(db, AttendanceEvent) == 2


@pytest.mark.parametrize(
    "odd",
    [None, 1, "x", [], {}, {"id": "x" * 500}, {"id": "\ud800"}, {"id": {"a": []}}, {"walk_in": {"name": "\ud800"}}],
)
def test_whatever_stands_in_an_events_place_gets_an_answer(door: Door, odd: Any) -> None:
    found = answers(door.send(odd, door.event()))
    assert [answer["outcome"] for answer in found] == ["rejected", "accepted"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "not_json"),
        (b"{", 422, "not_json"),
        (b"\xff\xfe", 422, "not_json"),
        (b"[" * 5000, 422, "not_json"),
        (b"[]", 422, "bad_batch"),
        (b"null", 422, "bad_batch"),
        (b"{}", 422, "bad_batch"),
        (b'{"events": []}', 422, "bad_batch"),
        (b'{"events": {}}', 422, "bad_batch"),
        (json.dumps({"events": [1] * 101}).encode(), 413, "too_many_events"),
        (b" " * (BYTES_LIMIT + 1), 413, "http_413"),
    ],
)
def test_an_invalid_batch_is_refused_as_a_whole(door: Door, body: bytes, status: int, code: str) -> None:
    answer = door.post(body)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == code


def test_a_hundred_events_are_taken_and_one_more_is_too_many(door: Door, db: Session) -> None:
    found = answers(door.send(*(door.event(0) for _ in range(100))))
    assert len(found) == count(db, AttendanceEvent) == 100
    assert door.send(*(door.event(0) for _ in range(101))).status_code == 413


def test_a_revoked_device_is_refused_and_writes_nothing(door: Door, db: Session) -> None:
    devices.revoke(db, door.device)
    db.commit()
    answer = door.send(door.event())
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json is not None
    assert answer.json["code"] == "device_unknown"
    assert count(db, AttendanceEvent) == 0


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": ""}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer"}]
)
def test_without_a_token_a_cookie_opens_nothing(
    door: Door, sign_in: SignIn, db: Session, header: dict[str, str]
) -> None:
    browser = sign_in(door.user)
    assert browser.post("/api/v1/check-ins", json={"events": [door.event()]}, headers=header).status_code == 401
    assert browser.get(f"/api/v1/sessions/{door.meeting.id}/roster", headers=header).status_code == 401
    assert browser.get("/api/v1/sessions?lang=en", headers=header).status_code == 401
    assert count(db, AttendanceEvent) == 0


def test_no_cookie_is_set_and_none_is_looked_at(door: Door, app: Flask, sign_in: SignIn, make: Make) -> None:
    browser = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        door.client = browser
        answer = door.send(door.event())
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_event_of_somebody_elses_session_is_rejected_like_one_of_none(door: Door, make: Make, db: Session) -> None:
    foreign = make.offering(organisation=make.organisation(2))
    person = make.enrolment(foreign)
    db.commit()
    theirs = door.event(session=foreign.sessions[0].id, enrolment=person.id)
    nobodys = door.event(session=2**40)
    found = answers(door.send(theirs, nobodys, door.event()))
    first, second = ({name: value for name, value in answer.items() if name != "id"} for answer in found[:2])
    assert first == second
    assert (first["outcome"], first["code"]) == ("rejected", "not_found")
    assert found[2]["outcome"] == "accepted"
    assert count(db, AttendanceEvent) == 1
    assert door.get(f"/api/v1/sessions/{foreign.sessions[0].id}/roster").status_code == 404


def test_a_district_administrators_device_reaches_the_district_and_no_further(
    make: Make, door: Door, db: Session
) -> None:
    for district, outcome in ((1, "accepted"), (2, "rejected")):
        offering = make.offering(organisation=make.organisation(district))
        person = make.enrolment(offering)
        _, door.token = devices.pair(db, make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1), "")
        db.commit()
        found = answers(door.send(door.event(session=offering.sessions[0].id, enrolment=person.id)))
        assert found[0]["outcome"] == outcome


def test_a_clock_that_is_wrong_is_put_right_by_when_it_was_sent(door: Door, db: Session) -> None:
    wrong = timedelta(days=3)
    told = (clock.now() - wrong).isoformat()
    found = answers(door.send(door.event(told_at=told, offset_ms=None), sent_at=told))
    assert found[0]["outcome"] == "accepted"
    assert abs(db.scalars(select(Attendance.arrived_at)).one() - clock.now()) < timedelta(minutes=1)


def test_events_in_doubt_are_stored_for_review(door: Door, db: Session) -> None:
    cancelled = door.people[1]
    cancelled.state, cancelled.cancelled_at = EnrolmentState.CANCELLED, clock.now()
    db.commit()
    walk_in = {"id": str(uuid4()), "name": "赵六"}
    found = answers(
        door.send(
            door.event(1),
            door.event(enrolment=None, ticket="https://example.org/elsewhere"),
            door.event(enrolment=None, walk_in=walk_in, method="walk_in"),
            door.event(0, told_at=(clock.now() - timedelta(days=3)).isoformat()),
        )
    )
    assert {answer["outcome"] for answer in found} == {"review"}
    assert [answer["code"] for answer in found] == ["not_enrolled", "unknown_ticket", "walk_in_match", "outside_window"]
    assert count(db, Attendance) == 0
    assert count(db, AttendanceEvent) == 4
    assert db.scalars(select(WalkInPerson.name)).all() == ["赵六"]
    scanned = db.scalars(select(AttendanceEvent.ticket).where(AttendanceEvent.ticket.is_not(None))).one()
    assert scanned == sha256(b"https://example.org/elsewhere").hexdigest()


def test_a_ticket_is_found_by_its_address_its_code_or_its_hash(door: Door) -> None:
    code = door.people[0].ticket
    for shown in (f"https://example.org/tickets/{code}", code, sha256(code.encode()).hexdigest()):
        found = answers(door.send(door.event(enrolment=None, ticket=shown, method="scan")))
        assert found[0]["enrolment"] == door.people[0].id
        assert found[0]["outcome"] in {"accepted", "already"}


def test_a_device_that_asks_too_often_waits_and_others_do_not(door: Door, db: Session, make: Make) -> None:
    for _ in range(120):
        assert door.get("/api/v1/sessions").status_code == 200
    refused = door.get("/api/v1/sessions")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    _, door.token = devices.pair(db, door.user, "")
    db.commit()
    assert door.get("/api/v1/sessions").status_code == 200


def test_a_week_later_signed_out_and_with_another_secret_key_everything_is_taken(
    door: Door, db: Session, app: Flask, settings: Settings, sign_in: SignIn
) -> None:
    """The outbox of a phone that lay in a drawer: its session is over, and the server signs cookies with another key."""
    browser = sign_in(door.user)
    walk_in = {"id": str(uuid4()), "name": "赵六"}
    kept = [door.event(person) for person in range(3)] + [door.event(enrolment=None, walk_in=walk_in, method="walk_in")]
    browser.post("/account/sign-out")
    rotated = create_app(settings.model_copy(update={"secret_key": "another-key-for-tests-only-9876543210-98765"}))
    for name in ("sessions", "autocommit_reads"):
        rotated.extensions[name] = app.extensions[name]
    door.client = rotated.test_client()
    cookie = browser.get_cookie("lms")
    door.client.set_cookie("lms", cookie.value if cookie else "gone")
    with clock.at(clock.now() + timedelta(days=7)):
        found = answers(door.send(*kept, sent_at=clock.now().isoformat()))
        again = answers(door.send(*kept))
    assert [answer["outcome"] for answer in found] == ["accepted"] * 3 + ["review"]
    assert again == found
    assert count(db, AttendanceEvent) == 4
    assert count(db, Attendance) == 3
    rotated.extensions["engine"].dispose()


def test_a_batch_costs_no_more_statements_than_one_event(door: Door, db: Session, statements: list[str]) -> None:
    answers(door.send(door.event(0)))
    costs = []
    for events in ([door.event(1)], [door.event(2) for _ in range(40)]):
        statements.clear()
        answers(door.send(*events))
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 5


def test_the_interface_is_described(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    posted = document["paths"]["/api/v1/check-ins"]["post"]
    assert set(posted["responses"]) == {"200", "401", "409", "413", "422", "429"}
    assert "/api/v1/devices" in document["paths"]
    assert "/api/v1/sessions/{session}/roster" in document["paths"]
    for reference in ("CheckIn", "CheckInAnswer", "CourseSession", "RosterPerson"):
        assert reference in document["components"]["schemas"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = sorted(CheckInBody.model_fields)


@settings(max_examples=300)
@given(st.lists(JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1), min_size=1, max_size=5), JSON)
def test_any_json_is_read_or_rejected_event_by_event(events: list[Any], sent_at: Any) -> None:
    data = (
        json.dumps({"events": events, "sent_at": sent_at}, allow_nan=False, default=str)
        if _finite([events, sent_at])
        else None
    )
    if data is None:
        return
    found = CHECK_INS.read_batch(data.encode(), clock.now())
    assert len(found) == len(events)
    assert all(isinstance(one, AttendanceInput) or one.code in MESSAGES for one in found)


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    return all(map(_finite, value)) if isinstance(value, list) else True
