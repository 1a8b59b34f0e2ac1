"""The address of requests to close, and the pages that show and confirm them."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from courses.models.closing_requests import ClosingRequest, ClosingRequestState
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from lms.accounts import devices
from lms.core import clock
from lms.core.scope import Role
from tests.courses.closing.steps import arrived, passing

ADDRESS = "/api/v1/closings"


@pytest.fixture
def sender(make):
    return make.user(Role.INSTRUCTOR, name="王老师")


@pytest.fixture
def offering(make, sender):
    course = make.new_course(skills=1, hours=1)
    lead = make.instructor(user=sender)
    return make.offering(course=course, lead=lead, starts=[clock.now() - timedelta(hours=2)], hours=1)


@pytest.fixture
def people(db, make, offering):
    """Two trainees: the first passes, the second is absent."""
    rows = [make.enrolment(offering, make.trainee(name)) for name in ("陈静", "周磊")]
    passing(db, arrived(db, rows[0]))
    return rows


@pytest.fixture
def token(db, sender, people):
    _device, token = devices.pair(db, sender, "手机")
    db.commit()
    return token


def event(offering, **facts):
    foreseen = {"last": True, "present": 1, "certified": 1, "missing": {}}
    return {
        "id": str(uuid4()), "session": offering.sessions[0].id, "told_at": clock.now().isoformat(), "offset_ms": 20,
        "foreseen": foreseen | facts.pop("foreseen", {}),
    } | facts  # fmt: skip


def send(client, token, *events):
    body = {"sent_at": clock.now().isoformat(), "events": list(events)}
    return client.post(ADDRESS, json=body, headers={"Authorization": f"Bearer {token}"})


def test_the_judgement_comes_back_and_one_tap_on_any_page_confirms_it(  # noqa: PLR0917  # fixtures, each by name
    db, client, token, sign_in, sender, offering, people
):
    good, absent = people
    missing = {str(good.id): ["theory_missing"], str(absent.id): ["absent", "skills_missing", "theory_missing"]}
    sent = event(offering, foreseen={"missing": missing, "certified": 0})
    answer = send(client, token, sent, {"id": "x"})
    assert answer.status_code == 200
    first, second = answer.json["answers"]
    assert (first["outcome"], first["code"], first["state"]) == ("review", "to_confirm", "waiting")
    judged = first["judged"]
    assert (judged["last"], judged["present"], judged["certified"], judged["refusals"]) == (True, 1, 1, [])
    assert [(row["enrolment"], row["absent"]) for row in judged["missed"] if row["absent"]] == [(absent.id, 1)]
    assert judged["differences"] == [{"enrolment": good.id, "foreseen": ["theory_missing"], "judged": []}]
    assert (second["outcome"], second["code"]) == ("rejected", "bad_event")
    assert offering.state == OfferingState.PUBLISHED

    browser = sign_in(sender)
    session = offering.sessions[0].id
    for page in ("/today/", f"/sessions/{session}/attendance", f"/sessions/{session}/close"):
        text = browser.get(page).text
        assert 'class="panel closing-request"' in text, page
        assert "陈静" in text, page
    form = re.search(r'<form method="post" action="/sessions/\d+/close">.*?</form>', text, re.S).group(0)
    values = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', form))
    assert values["request"] == sent["id"]
    assert browser.post(f"/sessions/{session}/close", data=values).status_code == 302
    db.refresh(offering)
    assert offering.state == OfferingState.CLOSED
    assert (good.state, good.certificate_due, absent.state) == (
        EnrolmentState.COMPLETED, True, EnrolmentState.INCOMPLETE,
    )  # fmt: skip
    assert db.get_one(ClosingRequest, sent["id"]).state is ClosingRequestState.CONFIRMED
    assert "closing-request" not in browser.get("/today/").text
    (again,) = send(client, token, event(offering)).json["answers"]
    assert (again["outcome"], again["code"], again["judged"]) == ("already", "session_closed", None)


def test_nothing_that_changed_since_is_closed_unseen(  # noqa: PLR0917  # fixtures, each by name
    db, client, token, sign_in, sender, offering, people
):
    send(client, token, event(offering))
    browser = sign_in(sender)
    text = browser.get("/today/").text
    seen = re.search(r'name="seen" value="([^"]+)"', text).group(1)
    arrived(db, people[1])
    db.commit()
    session = offering.sessions[0].id
    answer = browser.post(f"/sessions/{session}/close", data={"seen": seen})
    assert answer.status_code == 422
    assert offering.state == OfferingState.PUBLISHED


def test_a_host_sees_which_offerings_wait_and_what_hinders_leads_to_the_page(  # noqa: PLR0917  # fixtures, each by name
    db, make, client, token, sign_in, sender, offering
):
    offering.course.hours = 8
    db.commit()
    (answer,) = send(client, token, event(offering, heads=3, heads_reason="有人\u0007先走")).json["answers"]
    assert answer["code"] == "to_confirm"
    host = make.user(Role.COORDINATOR, organisation_id=offering.organisation_id)
    db.commit()
    assert "结班待确认" in sign_in(host).get("/offerings/").text
    text = sign_in(sender).get("/today/").text
    assert "补填" in text
    assert 'name="seen"' not in text
    assert db.query(ClosingRequest).one().heads_reason == "有人 先走"


def test_its_sender_withdraws_it(  # noqa: PLR0917  # fixtures, each by name
    db, make, client, token, sign_in, sender, offering
):
    sent = event(offering)
    send(client, token, sent)
    path = f"/sessions/{offering.sessions[0].id}/closing-requests/{sent['id']}/withdraw"
    other = make.user(Role.INSTRUCTOR)
    db.commit()
    assert sign_in(other).post(path).status_code == 404
    assert sign_in(sender).post(path, data={"next": "/today/"}).location == "/today/"
    assert db.get_one(ClosingRequest, sent["id"]).state is ClosingRequestState.WITHDRAWN


def test_only_those_who_may_close_ask_for_it(client, make, token, offering, db):
    host = make.user(Role.COORDINATOR, organisation_id=offering.organisation_id)
    _device, hosts = devices.pair(db, host, "手机")
    stranger = make.user(Role.INSTRUCTOR)
    _device, strangers = devices.pair(db, stranger, "手机")
    db.commit()
    assert send(client, hosts, event(offering)).status_code == 403
    assert send(client, strangers, event(offering)).json["answers"][0]["code"] == "not_found"
    assert send(client, "nobody", event(offering)).status_code == 401
    assert db.query(ClosingRequest).count() == 0


def test_more_than_a_batch_is_too_much(client, token, offering):
    assert send(client, token, *[{}] * 101).status_code == 413


def test_one_request_under_a_used_number_is_a_conflict(client, token, offering):
    sent = event(offering)
    send(client, token, sent)
    answer = send(client, token, sent | {"before_end": True})
    assert (answer.status_code, answer.json["code"]) == (409, "event_conflict")


@pytest.mark.parametrize("body", [None, [], {}, {"events": []}, {"events": "x"}])
def test_an_invalid_batch_is_refused(client, token, body):
    answer = client.post(ADDRESS, json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 422
