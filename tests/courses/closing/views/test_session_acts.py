"""The addresses to which devices send own check-ins and headcounts: a token and nothing else, an answer for each."""

import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest

from courses.offerings import staffing
from lms.accounts import devices
from lms.core import clock
from lms.core.scope import Role

OWN, HEADCOUNTS = "/api/v1/own-check-ins", "/api/v1/headcounts"


@pytest.fixture
def user(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def meeting(make, user):
    return make.offering(lead=make.instructor(user=user), starts=[clock.now() - timedelta(minutes=30)]).sessions[0]


@pytest.fixture
def token(db, user, meeting):
    _device, token = devices.pair(db, user, "手机")
    db.commit()
    return token


def act(meeting, **facts):
    told_at = (clock.now() - timedelta(minutes=10)).isoformat()
    return {"id": str(uuid4()), "session": meeting.id, "told_at": told_at, "offset_ms": 0} | facts


def send(client, token, address, *events):
    body = {"sent_at": clock.now().isoformat(), "events": list(events)}
    return client.post(address, json=body, headers={"Authorization": f"Bearer {token}"})


def test_own_check_ins_are_answered_one_by_one_and_a_repeat_as_the_first_time(client, db, token, meeting, user):
    sent = [act(meeting, kind="arrive"), {"id": "x"}, act(meeting, kind="attended")]
    first = send(client, token, OWN, *sent)
    arrived, unreadable, early = first.json["answers"]
    assert (arrived["id"], arrived["outcome"], arrived["code"]) == (sent[0]["id"], "accepted", "arrived")
    assert arrived["text"]["zh"].startswith("您已签到")
    assert (arrived["arrived_at"], arrived["left_at"]) == (sent[0]["told_at"], None)
    assert (unreadable["outcome"], unreadable["code"], unreadable["arrived_at"]) == ("rejected", "bad_event", None)
    assert (early["outcome"], early["code"]) == ("rejected", "not_over")
    send(client, token, OWN, act(meeting, kind="leave"))
    assert send(client, token, OWN, sent[0]).json["answers"] == [arrived]
    db.expire_all()
    teaching = staffing.session_instructor_of(db, meeting, user.id)
    assert teaching.arrived_at.isoformat() == sent[0]["told_at"]


def test_headcounts_are_answered_and_stand_in_the_roster_of_the_device(client, token, meeting):
    answers = send(client, token, HEADCOUNTS, act(meeting, number=12), act(meeting, number=100_001)).json["answers"]
    assert [(answer["outcome"], answer["code"], answer["number"]) for answer in answers] == [
        ("accepted", "entered", 12),
        ("rejected", "bad_number", None),
    ]
    roster = client.get(f"/api/v1/sessions/{meeting.id}/roster", headers={"Authorization": f"Bearer {token}"}).json
    assert roster["session"]["headcount"] == 12
    assert roster["own"]["arrived_at"] is None
    assert roster["own"]["opens_at"] < roster["session"]["opens_at"]


def test_a_used_id_alone_in_its_batch_is_a_conflict(client, token, meeting):
    sent = act(meeting, number=1)
    send(client, token, HEADCOUNTS, sent)
    answer = send(client, token, HEADCOUNTS, sent | {"number": 2})
    assert (answer.status_code, answer.json["code"]) == (409, "event_conflict")


def test_a_saved_file_takes_them(db, meeting, user, sign_in):
    items = [
        {"path": OWN, "event": act(meeting, kind="arrive")},
        {"path": HEADCOUNTS, "event": act(meeting, number=12)},
        {"path": OWN, "event": act(meeting, kind="attended")},
    ]
    db.commit()
    data = {"file": (io.BytesIO(json.dumps({"items": items}).encode()), "check-ins.json")}
    page = sign_in(user).post("/check-ins/upload", data=data)
    assert page.status_code == 200
    for words in ("本人签到", "现场人数", "已接收 2", "未接收 1"):
        assert words in page.text
    db.refresh(meeting)
    assert meeting.headcount == 12
