"""Requests to close: kept once, judged when they arrive, final when a person confirms."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from courses.assessment.entitlement import Shortfall
from courses.attendance import recording
from courses.closing import closing, closing_requests
from courses.closing.closing_requests import ClosingInput, Foreseen
from courses.closing.spot_check import HeadCount
from courses.models.closing_requests import ClosingRequest, ClosingRequestState
from courses.models.offerings import OfferingState
from courses.offerings.class_hours import HoursDecision
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.courses.attendance.test_recording import happening
from tests.courses.closing.confirming import CONFIRMED
from tests.courses.closing.steps import ZONE, arrived, loaded, passing, refusal, two_sessions

NOTHING = Foreseen(last=True, present=0, certified=0, missing={})


@pytest.fixture
def sender(make):
    return make.user(Role.INSTRUCTOR)


def asked(meeting, foreseen=NOTHING, **facts):
    return ClosingInput(uuid4(), meeting.id, clock.now(), foreseen, **facts)


def send(db, sender, *requests):
    return closing_requests.record_all(
        db, requests, user_id=sender.id, device_id=None, scope=EVERYTHING, now=clock.now()
    )


def test_a_request_is_judged_and_closes_nothing(db, make, offering, sender):
    good, absent = make.enrolment(offering), make.enrolment(offering)
    passing(db, arrived(db, good))
    meeting = loaded(db, offering)
    foreseen = Foreseen(True, 1, 1, {good.id: [], absent.id: ["absent", "theory_missing", "skills_missing"]})
    (answer,) = send(db, sender, asked(meeting, foreseen, hours=HoursDecision()))
    assert (answer.outcome, answer.code, answer.state) == (Outcome.REVIEW, "to_confirm", ClosingRequestState.WAITING)
    judged = answer.judged
    assert (judged.effects.last, judged.effects.present, judged.effects.certificates_due) == (True, 1, 1)
    assert (list(judged.refusals), judged.differs, list(judged.differences)) == ([], False, [])
    assert (offering.state, meeting.closed_at) == (OfferingState.PUBLISHED, None)


def test_a_repeat_changes_nothing_and_is_answered_as_the_first_time(db, offering, sender):
    request = asked(loaded(db, offering))
    first, second = send(db, sender, request, request)
    assert (first.outcome, first.code) == (second.outcome, second.code)
    assert db.query(ClosingRequest).count() == 1
    closing_requests.withdraw(db, request.id, user_id=sender.id, scope=EVERYTHING, now=clock.now())
    (third,) = send(db, sender, request)
    assert (third.outcome, third.code, third.state) == (first.outcome, first.code, ClosingRequestState.WITHDRAWN)


def test_another_body_or_sender_under_the_same_id_is_a_conflict(db, make, offering, sender):
    request = asked(loaded(db, offering))
    send(db, sender, request)
    other = ClosingInput(request.id, request.session_id, request.told_at, NOTHING, before_end=True)
    assert send(db, sender, other)[0].code == "event_conflict"
    assert send(db, make.user(Role.INSTRUCTOR), request)[0].code == "event_conflict"


def test_each_person_whom_the_device_judged_otherwise_is_named(db, make, offering, sender):
    enrolments = [make.enrolment(offering) for _ in range(3)]
    for enrolment in enrolments:
        passing(db, arrived(db, enrolment))
    foreseen = Foreseen(True, 3, 1, {enrolments[0].id: [], enrolments[1].id: ["theory_failed"], 999_999: []})
    (answer,) = send(db, sender, asked(loaded(db, offering), foreseen))
    shown = {row.enrolment_id: (row.foreseen, row.judged) for row in answer.judged.differences}
    assert shown == {enrolments[1].id: (["theory_failed"], []), enrolments[2].id: (None, []), 999_999: ([], None)}
    assert answer.judged.differs


def test_before_the_last_session_the_presence_that_can_no_longer_be_reached_is_compared(db, make, sender):
    offering = two_sessions(make)
    absent, present = make.enrolment(offering), make.enrolment(offering)
    recording.record(db, happening(present), now=offering.sessions[0].starts_at)
    foreseen = Foreseen(False, 1, 0, {present.id: ["sessions_missing"]})
    (answer,) = send(db, sender, asked(loaded(db, offering), foreseen))
    shown = {row.enrolment_id: (list(row.foreseen), list(row.judged)) for row in answer.judged.differences}
    assert shown[present.id] == (["sessions_missing"], [])
    assert shown[absent.id][1] == [Shortfall.SESSIONS_MISSING]


def test_what_hinders_is_told_with_what_to_do(db, make, sender):
    running = make.offering(
        course=make.new_course(skills=0, pass_mark=None, hours=8), starts=[clock.now() + timedelta(hours=1)], hours=1
    )
    meeting = loaded(db, running)
    (answer,) = send(db, sender, asked(meeting))
    assert [error.code for error in answer.judged.refusals] == ["not_begun", "nobody_came", "before_end", "fewer_hours"]
    decided = asked(meeting, before_end=True, hours=HoursDecision("补课"), heads=HeadCount(3, "有人先走"))
    (answer,) = send(db, sender, decided)
    assert [error.code for error in answer.judged.refusals] == ["not_begun", "nobody_came"]


def test_a_newer_request_of_its_sender_takes_the_place_of_the_former(db, offering, sender):
    meeting = loaded(db, offering)
    former, newer = asked(meeting), asked(meeting)
    send(db, sender, former, newer)
    send(db, sender, former)
    states = {row.id: row.state for row in db.query(ClosingRequest)}
    assert states == {former.id: ClosingRequestState.OUTDATED, newer.id: ClosingRequestState.WAITING}


def test_closing_confirms_one_request_and_outdates_the_others(db, make, offering, sender):
    passing(db, arrived(db, make.enrolment(offering)))
    meeting = loaded(db, offering)
    own, others = asked(meeting), asked(meeting)
    send(db, sender, own)
    send(db, make.user(Role.INSTRUCTOR), others)
    assert closing_requests.waiting_offerings(db, [offering.id]) == {offering.id}
    assert [row.id for row in closing_requests.waiting(db, [meeting])[meeting.id]] == [own.id, others.id]
    seen = closing.outlook(db, meeting).seen
    closing.close(db, meeting, zone=ZONE, **(CONFIRMED | {"seen": seen, "request": own.id}))
    states = {row.id: row.state for row in db.query(ClosingRequest)}
    assert states == {own.id: ClosingRequestState.CONFIRMED, others.id: ClosingRequestState.OUTDATED}
    assert closing_requests.waiting(db, [meeting]) == {}
    late = asked(meeting)
    for _ in range(2):
        assert send(db, sender, late)[0].code == "session_closed"
    assert (
        refusal(closing_requests.withdraw, db, late.id, user_id=sender.id, scope=EVERYTHING, now=clock.now())
        == "request_decided"
    )


def test_nobody_withdraws_the_request_of_another(db, make, offering, sender):
    request = asked(loaded(db, offering))
    send(db, sender, request)
    other = make.user(Role.INSTRUCTOR)
    assert (
        refusal(closing_requests.withdraw, db, request.id, user_id=other.id, scope=EVERYTHING, now=clock.now())
        == "not_found"
    )


def test_the_closing_of_an_earlier_session_that_waits_is_named(db, make, sender):
    offering = two_sessions(make)
    first, second = loaded(db, offering), loaded(db, offering, 1)
    _first, answer = send(db, sender, asked(first), asked(second))
    assert answer.judged.earlier.id == first.id


def test_the_closings_that_wait_are_in_the_order_of_their_sessions_whatever_their_ids(db, make, sender):
    meetings = loaded(db, two_sessions(make)).offering.sessions
    requests = [replace(asked(meeting), id=UUID(int=9 - place)) for place, meeting in enumerate(meetings)]
    send(db, sender, *requests)
    shown = closing_requests.waiting(db, list(reversed(meetings)))
    assert list(shown) == [meeting.id for meeting in meetings]


def test_an_offering_that_does_not_run_takes_no_request(db, offering, sender):
    offering.state = OfferingState.DRAFT
    db.flush()
    assert send(db, sender, asked(loaded(db, offering)))[0].code == "not_running"
    assert db.query(ClosingRequest).count() == 0


def test_a_moment_that_a_clock_cannot_know_is_the_moment_of_receipt(db, offering, sender):
    meeting = loaded(db, offering)
    early = ClosingInput(uuid4(), meeting.id, clock.now() - timedelta(days=900), NOTHING)
    ahead = ClosingInput(uuid4(), meeting.id, clock.now() + timedelta(days=900), NOTHING, offset_ms=10**17)
    send(db, sender, early, ahead)
    assert all(row.happened_at == row.received_at for row in db.query(ClosingRequest))
