"""The judgement of an event, by the rule alone: the known events go in, and the answer and the row to store come out."""

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import pytest

from courses.attendance.check_ins import MESSAGES, CheckInAnswer, WalkIn
from courses.attendance.deciding import audit_entry, audit_facts
from courses.attendance.folding import Presence
from courses.attendance.stored_events import KnownWalkIn
from courses.models.attendance import AttendanceMethod, ReviewReason
from courses.models.enrolment import HOLDS_PLACE, EnrolmentState
from courses.models.offerings import OfferingState
from courses.outcomes import Outcome
from tests.courses.attendance.judging import (
    ARRIVE,
    CANCELLED,
    CORRECTION,
    ENDS,
    ENROLLED,
    HOUR,
    LEAVE,
    MEETING,
    MICROSECOND,
    MINUTE,
    NOW,
    SOMEBODY,
    SOMEBODY_ELSE,
    STARTS,
    UNDO,
    WAITLISTED,
    judge,
    refusal,
    sent,
    stored,
    told,
)

# The person who is there is told at once.


def test_the_first_arrival_checks_a_person_in() -> None:
    at = judge()
    event = sent(reason="走进来", offset_ms=70)
    answer = at.answer(event, None)
    assert answer == CheckInAnswer(
        event.id, Outcome.ACCEPTED, "arrived", MESSAGES["arrived"], {"time": NOW}, SOMEBODY, True, NOW, None, None
    )
    assert at.new_events == [event]
    assert at.changed == {(1, SOMEBODY): Presence(event.id, NOW)}
    assert at.rows == [
        {
            "id": event.id,
            "course_session_id": 1,
            "enrolment_id": SOMEBODY,
            "kind": ARRIVE,
            "method": AttendanceMethod.TAP,
            "happened_at": NOW,
            "reason": "走进来",
            "told_at": None,
            "offset_ms": 70,
            "undoes": None,
            "ticket": None,
            "walk_in_id": None,
            "review": None,
            "answer": {"outcome": "accepted", "code": "arrived", "arrived_at": NOW, "left_at": None, "by": None},
            "action": "attendance.arrive",
            "subject": f"enrolment:{SOMEBODY}",
            "before": None,
            "after": {"session": 1, "arrived_at": NOW.isoformat(), "method": "tap"},
        }
    ]


def test_who_is_there_already_is_not_checked_in_twice_and_the_answer_says_by_whom() -> None:
    first = stored()
    at = judge(first)
    answer = at.answer(sent(), None)
    assert answer == CheckInAnswer(
        answer.id,
        Outcome.ALREADY,
        "already",
        MESSAGES["already_by"],
        {"by": "王老师", "time": first.moment},
        SOMEBODY,
        True,
        first.moment,
        None,
        "王老师",
    )
    assert at.changed == {}
    [row] = at.rows
    assert row["answer"]["by"] == first.id
    assert "action" not in row


def test_who_checked_in_by_themselves_is_named_to_nobody() -> None:
    at = judge(stored(by=None))
    answer = at.answer(sent(), None)
    assert (answer.message, answer.by, answer.params) == (MESSAGES["already"], None, {"time": NOW - 10 * MINUTE})
    assert at.rows[0]["answer"]["by"] is None


def test_leaving_is_noted_with_the_time() -> None:
    first = stored()
    at = judge(first)
    answer = at.answer(sent(LEAVE), None)
    assert answer == CheckInAnswer(
        answer.id, Outcome.ACCEPTED, "left", MESSAGES["left"], {"time": NOW}, SOMEBODY, True, first.moment, NOW, None
    )
    assert at.changed == {(1, SOMEBODY): Presence(first.id, first.moment, NOW)}
    assert at.rows[0]["answer"] == {
        "outcome": "accepted", "code": "left", "arrived_at": first.moment, "left_at": NOW, "by": None,
    }  # fmt: skip
    assert at.rows[0]["before"] is None
    assert at.rows[0]["after"] == {
        "session": 1, "arrived_at": first.moment.isoformat(), "left_at": NOW.isoformat(), "method": "tap",
    }  # fmt: skip


def test_who_never_came_cannot_leave() -> None:
    error = refusal(judge(), sent(LEAVE))
    assert error.code == "not_present"
    assert error.message == "This person is not checked in. Check them in first."


def test_a_device_that_says_so_is_told_that_the_person_is_not_there() -> None:
    at = judge(strict=False)
    answer = at.answer(sent(LEAVE), None)
    assert (told(answer), answer.present, answer.params) == (("already", "not_present"), False, {})
    assert at.rows[0]["answer"] == {
        "outcome": "already", "code": "not_present", "arrived_at": None, "left_at": None, "by": None,
    }  # fmt: skip
    assert at.changed == {}


def test_who_left_later_had_left_already() -> None:
    left_at = NOW - 2 * MINUTE
    answer = judge(stored(), stored(LEAVE, left_at)).answer(sent(LEAVE, told_at=NOW - 5 * MINUTE), None)
    assert (told(answer), answer.message) == (("already", "already_left"), MESSAGES["already_left"])
    assert (answer.params["time"], answer.left_at) == (left_at, left_at)


def test_a_leave_before_the_arrival_changes_nothing() -> None:
    answer = judge(stored()).answer(sent(LEAVE, told_at=NOW - 20 * MINUTE), None)
    assert (told(answer), answer.left_at) == (("already", "already"), None)


def test_an_undo_takes_the_check_in_back_and_says_why() -> None:
    first = stored()
    at = judge(first)
    answer = at.answer(sent(UNDO, reason="点错了"), None)
    assert answer == CheckInAnswer(answer.id, Outcome.ACCEPTED, "undone", MESSAGES["undone"], {}, SOMEBODY)
    assert at.changed == {(1, SOMEBODY): None}
    row = at.rows[0]
    assert (row["reason"], row["action"], row["after"]) == ("点错了", "attendance.undo", None)
    assert row["before"] == {"session": 1, "arrived_at": first.moment.isoformat()}


def test_an_undo_of_the_leaving_alone_leaves_the_person_there() -> None:
    first, leaving = stored(), stored(LEAVE, NOW - 2 * MINUTE)
    at = judge(first, leaving)
    answer = at.answer(sent(UNDO, undoes=leaving.id), None)
    assert (told(answer), answer.present, answer.left_at) == (("accepted", "arrived"), True, None)
    row = at.rows[0]
    assert (row["undoes"], row["before"]["left_at"]) == (leaving.id, leaving.moment.isoformat())
    assert row["after"] == {"session": 1, "arrived_at": first.moment.isoformat()}


def test_an_undo_where_there_is_nothing_to_take_back() -> None:
    assert told(judge().answer(sent(UNDO), None)) == ("already", "not_present")


def test_an_earlier_arrival_is_kept_and_answered_as_there_already() -> None:
    first = stored()
    at = judge(first)
    event = sent(told_at=NOW - 30 * MINUTE)
    answer = at.answer(event, None)
    assert (told(answer), answer.arrived_at) == (("already", "already"), first.moment)
    assert at.changed == {(1, SOMEBODY): Presence(event.id, NOW - 30 * MINUTE)}


def test_who_left_and_comes_back_is_checked_in_again() -> None:
    first = stored()
    answer = judge(first, stored(LEAVE, NOW - 5 * MINUTE)).answer(sent(), None)
    assert (told(answer), answer.arrived_at, answer.left_at) == (("accepted", "arrived"), first.moment, None)


def test_an_earlier_arrival_of_who_has_left_is_told_of_the_leaving() -> None:
    left_at = NOW - 5 * MINUTE
    answer = judge(stored(), stored(LEAVE, left_at)).answer(sent(told_at=NOW - 30 * MINUTE), None)
    assert (told(answer), answer.params["time"], answer.left_at) == (("accepted", "left"), left_at, left_at)


def test_a_leave_that_is_earlier_than_a_return_leaves_the_person_there() -> None:
    """A trainee came at 8:50, left and came back at 8:58; the leaving of 8:52 is told last."""
    back = stored(ARRIVE, NOW - 2 * MINUTE)
    answer = judge(stored(), back).answer(sent(LEAVE, told_at=NOW - 8 * MINUTE), None)
    assert (told(answer), answer.left_at) == (("already", "already"), None)


# One batch.


def test_events_of_one_batch_add_up() -> None:
    at = judge()
    arrival = sent(told_at=NOW - 30 * MINUTE)
    codes = [told(at.answer(event, None)) for event in (arrival, sent(), sent(LEAVE), sent())]
    assert codes == [("accepted", "arrived"), ("already", "already"), ("accepted", "left"), ("already", "already")]
    assert at.changed == {(1, SOMEBODY): Presence(arrival.id, NOW - 30 * MINUTE, NOW)}
    assert len(at.rows) == 4


def test_what_was_undone_within_a_batch_is_no_change() -> None:
    at = judge()
    for event in (sent(), sent(UNDO)):
        at.answer(event, None)
    assert at.changed == {}


def test_an_event_that_is_in_a_batch_twice_is_answered_twice_and_kept_once() -> None:
    at = judge()
    event = sent()
    assert at.answer(event, None) == at.answer(event, None)
    assert len(at.rows) == 1
    conflict = at.answer(replace(event, kind=LEAVE), None)
    assert conflict == CheckInAnswer(
        event.id, Outcome.REJECTED, "event_conflict", MESSAGES["event_conflict"], status=409
    )
    assert len(at.rows) == 1


@pytest.mark.parametrize(("code", "status"), [("reason_missing", 409), ("bad_event", 422), ("not_found", 404)])
def test_what_cannot_be_kept_is_rejected(code: str, status: int) -> None:
    at = judge()
    event = sent()
    assert at.answer(event, code) == CheckInAnswer(event.id, Outcome.REJECTED, code, MESSAGES[code], status=status)
    assert at.rows == at.new_events == []
    assert told(at.answer(event, None)) == ("accepted", "arrived")  # a rejected id is free for the event put right


@pytest.mark.parametrize("strict", [True, False])
def test_a_session_or_person_that_is_not_there_is_not_found(strict: bool) -> None:
    at = judge(strict=strict)
    for event in (sent(session_id=3), sent(enrolment_id=SOMEBODY_ELSE), sent(session_id=3, ticket="票")):
        assert at.answer(event, None).code == "not_found"
    assert at.rows == []


@pytest.mark.parametrize(
    ("strict", "expected"),
    [(True, ("rejected", "not_found")), (False, ("review", "unknown_ticket"))],
)
def test_a_ticket_that_is_nobodys(strict: bool, expected: tuple[str, str]) -> None:
    at = judge(strict=strict)
    answer = at.answer(sent(ticket="x" * 64), None)
    assert (told(answer), answer.enrolment_id) == (expected, None)
    if not strict:
        [row] = at.rows
        assert (row["ticket"], row["enrolment_id"], row["review"]) == ("x" * 64, None, ReviewReason.UNKNOWN_TICKET)
        assert "action" not in row
        assert at.changed == {}


# Tickets and walk-ins.


@pytest.mark.parametrize("strict", [True, False])
def test_a_ticket_stands_for_its_owner(strict: bool) -> None:
    at = judge(strict=strict, owners={"票": SOMEBODY})
    answer = at.answer(sent(ticket="票"), None)
    assert (told(answer), answer.enrolment_id) == (("accepted", "arrived"), SOMEBODY)
    assert at.rows[0]["ticket"] == sent(ticket="票").ticket_hash


def test_a_walk_in_waits_until_matched_and_counts_once_it_has_a_place() -> None:
    person = WalkIn(uuid4(), "李娜")
    for guests, expected in (
        ({}, ("review", "walk_in_match")),
        ({person.id: KnownWalkIn(1, None)}, ("review", "walk_in_match")),
        ({person.id: KnownWalkIn(1, SOMEBODY)}, ("accepted", "arrived")),
        ({person.id: KnownWalkIn(2, SOMEBODY)}, ("rejected", "event_conflict")),
        ({person.id: KnownWalkIn(2, None)}, ("rejected", "event_conflict")),
    ):
        at = judge(strict=False, guests=guests)
        assert told(at.answer(sent(walk_in=person), None)) == expected
        assert [row["walk_in_id"] for row in at.rows] == ([person.id] if expected[0] != "rejected" else [])


# Who is checked in at the roster.


@pytest.mark.parametrize(
    ("method", "state", "refused_with"),
    [
        (AttendanceMethod.TAP, ENROLLED, None),
        (AttendanceMethod.TAP, EnrolmentState.COMPLETED, "enrolment_cancelled"),
        (AttendanceMethod.TAP, WAITLISTED, "waitlisted"),
        (AttendanceMethod.TAP, CANCELLED, "enrolment_cancelled"),
        *((CORRECTION, state, None) for state in HOLDS_PLACE),
        (CORRECTION, WAITLISTED, "waitlisted"),
        (CORRECTION, CANCELLED, "enrolment_cancelled"),
    ],
)
def test_only_who_has_a_place_is_checked_in(
    method: AttendanceMethod, state: EnrolmentState, refused_with: str | None
) -> None:
    event = sent(method=method, reason="漏签")
    if refused_with is None:
        assert told(judge(state=state).answer(event, None)) == ("accepted", "arrived")
        return
    error = refusal(judge(state=state), event)
    assert error.code == refused_with
    assert {"waitlisted": "waiting list", "enrolment_cancelled": "walk-in"}[refused_with] in error.message


@pytest.mark.parametrize("state", OfferingState)
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("now", [STARTS - HOUR - MICROSECOND, STARTS - HOUR])
def test_a_correction_is_taken_where_training_took_place_also_when_it_is_closed(
    state: OfferingState, closed: bool, now: datetime
) -> None:
    meeting = replace(MEETING, offering_state=state, closed_at=ENDS if closed else None)
    at = judge(meeting=meeting, now=now)
    event = sent(method=CORRECTION, reason="漏签")
    if state in {OfferingState.PUBLISHED, OfferingState.CLOSED} and now >= STARTS - HOUR:
        assert told(at.answer(event, None)) == ("accepted", "arrived")
    else:
        refused = {OfferingState.DRAFT: "offering_draft", OfferingState.CANCELLED: "offering_cancelled"}
        assert refusal(at, event).code == refused.get(state, "too_early")
    if closed and state is OfferingState.PUBLISHED and now >= STARTS - HOUR:
        assert refusal(judge(meeting=meeting, now=now), sent()).code == "session_closed"


# The audit trail.


def test_the_audit_trail_has_the_attendance_before_an_undo_and_after_anything_else() -> None:
    first, second = Presence(uuid4(), STARTS), Presence(uuid4(), STARTS, ENDS)
    came = {"session": 1, "arrived_at": STARTS.isoformat()}
    left = {**came, "left_at": ENDS.isoformat()}
    subject = {"subject": f"enrolment:{SOMEBODY}"}
    assert audit_facts(1, None) == {"session": 1}
    assert audit_facts(1, second, method="scan") == {**left, "method": "scan"}
    scan = sent(method=AttendanceMethod.SCAN)
    assert audit_entry(scan, SOMEBODY, first, second) == {
        "action": "attendance.arrive", **subject, "before": None, "after": {**left, "method": "scan"},
    }  # fmt: skip
    assert audit_entry(scan, SOMEBODY, first, None) == {
        "action": "attendance.arrive", **subject, "before": None, "after": {"session": 1, "method": "scan"},
    }  # fmt: skip
    assert audit_entry(sent(UNDO), SOMEBODY, first, None) == {
        "action": "attendance.undo", **subject, "before": came, "after": None,
    }  # fmt: skip
    assert audit_entry(sent(UNDO), SOMEBODY, second, first) == {
        "action": "attendance.undo", **subject, "before": left, "after": came,
    }  # fmt: skip
