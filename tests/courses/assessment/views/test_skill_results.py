"""The address that devices send skill results to: a token and nothing else, an answer for each."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from courses.assessment import skill_results
from courses.models.assessment import SkillEvent
from lms.accounts import devices
from lms.core import clock
from lms.core.scope import Role

ADDRESS = "/api/v1/skill-results"


@pytest.fixture
def examiner(make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def enrolment(make, examiner):
    offering = make.offering(course=make.new_course(skills=2), lead=make.instructor(user=examiner))
    return make.enrolment(offering)


@pytest.fixture
def token(db, examiner, enrolment):
    _device, token = devices.pair(db, examiner, "手机")
    db.commit()
    return token


def event(enrolment, number=0, **facts):
    return {
        "id": str(uuid4()),
        "session": enrolment.offering.sessions[0].id,
        "enrolment": enrolment.id,
        "skill": enrolment.offering.course.skills[number].id,
        "passed": True,
        "told_at": clock.now().isoformat(),
        "offset_ms": 250,
    } | facts


def send(client, token, *events, **more):
    body = {"sent_at": clock.now().isoformat(), "events": list(events)}
    return client.post(ADDRESS, json=body, headers={"Authorization": f"Bearer {token}"}, **more)


def test_results_are_answered_one_by_one(client, token, enrolment, db):
    good, bad = event(enrolment), {"id": "x"}
    answer = send(client, token, good, bad, event(enrolment, 1, passed=False))
    assert answer.status_code == 200
    first, second, third = answer.json["answers"]
    assert (first["id"], first["outcome"], first["code"], first["passed"]) == (good["id"], "accepted", "recorded", True)
    assert first["text"] == {"zh": "结果已登记。", "en": "The result is entered."}
    assert (second["outcome"], second["code"]) == ("rejected", "bad_event")
    assert third["passed"] is False
    held = skill_results.skill_states(db, enrolment.offering_id)[enrolment.id]
    assert sorted(held.values()) == [False, True]
    stored = db.scalars(select(SkillEvent).where(SkillEvent.id == good["id"])).one()
    assert stored.device_id is not None


def test_without_a_token_nothing_is_written(client, enrolment, db):
    answer = client.post(ADDRESS, json={"events": [event(enrolment)]})
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert db.scalar(select(func.count()).select_from(SkillEvent)) == 0


def test_a_revoked_device_writes_nothing(client, token, enrolment, db):
    devices.revoke(db, devices.of_user(db, enrolment.offering.lead_instructor.user_id)[0])
    db.commit()
    assert send(client, token, event(enrolment)).status_code == 401
    assert db.scalar(select(func.count()).select_from(SkillEvent)) == 0


def test_another_instructors_trainees_are_not_found(client, token, make):
    stranger = make.enrolment(make.offering())
    make.db.commit()
    (answer,) = send(client, token, event(stranger)).json["answers"]
    assert (answer["outcome"], answer["code"]) == ("rejected", "not_found")


def test_a_host_may_connect_a_device_and_enters_no_results(client, make, enrolment, db):
    host = make.user(Role.COORDINATOR, organisation_id=enrolment.offering.organisation_id)
    _device, token = devices.pair(db, host, "手机")
    db.commit()
    assert send(client, token, event(enrolment)).status_code == 403


def test_one_result_under_a_used_number_is_a_conflict(client, token, enrolment):
    first = event(enrolment)
    send(client, token, first)
    answer = send(client, token, first | {"passed": False})
    assert (answer.status_code, answer.json["code"]) == (409, "event_conflict")


@pytest.mark.parametrize("body", [None, [], {}, {"events": []}, {"events": "x"}])
def test_an_invalid_batch_is_refused(client, token, body):
    answer = client.post(ADDRESS, json=body, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")


def test_too_many_results_are_refused_so_that_the_device_sends_fewer(client, token):
    answer = client.post(ADDRESS, json={"events": [{}] * 101}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["code"]) == (413, "too_many_events")


def test_a_result_without_a_measured_clock_is_moved_by_the_time_of_sending(client, token, enrolment, db):
    slow = clock.now() - timedelta(minutes=7)  # by a device's clock that is seven minutes behind
    sent = event(enrolment, told_at=slow.isoformat(), offset_ms=None)
    body = {"sent_at": slow.isoformat(), "events": [sent]}
    assert client.post(ADDRESS, json=body, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    stored = db.scalars(select(SkillEvent).where(SkillEvent.id == sent["id"])).one()
    assert stored.happened_at - slow > timedelta(minutes=6)


def test_the_interface_is_described(client):
    described = client.get("/api/v1/openapi.json").json
    assert ADDRESS in described["paths"]
    assert "SkillAnswer" in described["components"]["schemas"]
