"""The addresses that devices send theory marks and retests to: a token and nothing else, an answer for each."""

import json
from io import BytesIO
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from courses.assessment import assessment
from courses.models.assessment import RetestEvent, TheoryEvent
from lms.accounts import devices
from lms.core import clock
from lms.core.scope import Role

MARKS, RETESTS = "/api/v1/theory-marks", "/api/v1/retests"


@pytest.fixture
def examiner(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def enrolment(make, examiner):
    return make.enrolment(make.offering(course=make.new_course(skills=2), lead=make.instructor(user=examiner)))


@pytest.fixture
def token(db, examiner, enrolment):
    _device, token = devices.pair(db, examiner, "手机")
    db.commit()
    return token


def event(enrolment, **facts):
    return {
        "id": str(uuid4()),
        "session": enrolment.offering.sessions[0].id,
        "enrolment": enrolment.id,
        "told_at": clock.now().isoformat(),
        "offset_ms": 0,
    } | facts


def send(client, token, address, *events):
    body = {"sent_at": clock.now().isoformat(), "events": list(events)}
    return client.post(address, json=body, headers={"Authorization": f"Bearer {token}"})


def test_marks_and_retests_are_answered_one_by_one(client, token, enrolment, db):
    events = [event(enrolment, score=40), event(enrolment, score=101), event(enrolment, score="7"), event(enrolment)]
    good, *bad = send(client, token, MARKS, *events).json["answers"]
    assert (good["outcome"], good["code"], good["attempt"], good["score"]) == ("accepted", "recorded", 1, 40)
    assert [(answer["outcome"], answer["code"], answer["score"]) for answer in bad] == [
        ("rejected", "bad_event", None)
    ] * 3
    started, again, odd = send(
        client, token, RETESTS, event(enrolment, after=1), event(enrolment, after=1), event(enrolment, after=0)
    ).json["answers"]
    assert {started["code"], again["code"]} == {"recorded", "started_before"}
    assert (started["attempt"], started["text"]["zh"], odd["code"]) == (2, "补考已开始。", "bad_event")
    send(client, token, MARKS, event(enrolment, score=80))
    assert [attempt.theory_score for attempt in assessment.attempts_of(db, enrolment.id)] == [40, 80]
    stored = db.scalars(select(RetestEvent)).all()
    assert all(row.device_id is not None for row in stored)


def test_without_the_right_nothing_is_written(client, make, token, enrolment, db):
    host = make.user(Role.COORDINATOR, organisation_id=enrolment.offering.organisation_id)
    _device, hosts_token = devices.pair(db, host, "手机")
    stranger = make.enrolment(make.offering())
    db.commit()
    for address, facts in ((MARKS, {"score": 70}), (RETESTS, {"after": 1})):
        assert client.post(address, json={"events": [event(enrolment, **facts)]}).status_code == 401
        assert send(client, hosts_token, address, event(enrolment, **facts)).status_code == 403
        (answer,) = send(client, token, address, event(stranger, **facts)).json["answers"]
        assert (answer["outcome"], answer["code"]) == ("rejected", "not_found")
    for table in (TheoryEvent, RetestEvent):
        assert db.scalar(select(func.count()).select_from(table)) == 0


def test_one_mark_under_a_used_number_is_a_conflict(client, token, enrolment):
    first = event(enrolment, score=70)
    send(client, token, MARKS, first)
    answer = send(client, token, MARKS, first | {"score": 71})
    assert (answer.status_code, answer.json["code"]) == (409, "event_conflict")


def test_a_saved_file_takes_both_in_their_order(sign_in, examiner, enrolment, db):
    items = [
        {"path": MARKS, "event": event(enrolment, score=40)},
        {"path": RETESTS, "event": event(enrolment, after=1)},
        {"path": MARKS, "event": event(enrolment, score=90)},
    ]
    data = {"file": (BytesIO(json.dumps({"items": items}).encode()), "unsent.json")}
    db.commit()
    page = sign_in(examiner).post("/check-ins/upload", data=data)
    assert page.status_code == 200
    assert [attempt.theory_score for attempt in assessment.attempts_of(db, enrolment.id)] == [40, 90]
