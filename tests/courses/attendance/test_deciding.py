"""What is made of an event, by the rule alone: what is known goes in, and the answer and the row to be kept come out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.attendance.check_ins import MESSAGES, AttendanceInput, CheckInAnswer, WalkIn
from courses.attendance.deciding import IdentityLookup, Judge, KnownEvents, audit_entry, audit_facts
from courses.attendance.folding import Presence
from courses.attendance.stored_events import KnownWalkIn, LockedRows, LockedSession, StoredEvent
from courses.models.attendance import AttendanceKind, AttendanceMethod, ReviewDecision, ReviewReason
from courses.models.enrolment import HOLDS_PLACE, EnrolmentState
from courses.models.offerings import OfferingState
from courses.outcomes import Outcome
from lms.core.errors import DomainError

STARTS, NOW, ENDS = (datetime(2026, 3, 7, hour, tzinfo=UTC) for hour in (8, 9, 11))
MEETING = LockedSession(1, 10, OfferingState.PUBLISHED, STARTS, ENDS, None)
SOMEBODY, SOMEBODY_ELSE = 5, 6
ARRIVE, LEAVE, UNDO = AttendanceKind.ARRIVE, AttendanceKind.LEAVE, AttendanceKind.UNDO
CORRECTION = AttendanceMethod.CORRECTION
MICROSECOND, MINUTE, HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1)


def sent(kind: AttendanceKind = ARRIVE, **facts: Any) -> AttendanceInput:
    """An event of the one person who has a place, unless the facts say whose it is."""
    if not {"enrolment_id", "ticket", "walk_in"} & facts.keys():
        facts["enrolment_id"] = SOMEBODY
    return AttendanceInput(facts.pop("id", None) or uuid4(), facts.pop("session_id", 1), kind=kind, **facts)


def stored(kind: AttendanceKind = ARRIVE, moment: datetime = NOW - 10 * MINUTE, **facts: Any) -> StoredEvent:
    """An event that came in ten minutes ago, by a tap of Ms Wang's, before answers were kept unless the facts give one."""
    known = StoredEvent(
        uuid4(), 1, SOMEBODY, SOMEBODY, kind, AttendanceMethod.TAP, moment, None, None, None, None, None, None, None,
        None, "王老师",
    )  # fmt: skip
    return replace(known, **facts)


def desk(
    *known: StoredEvent,
    strict: bool = True,
    meeting: LockedSession = MEETING,
    state: EnrolmentState = EnrolmentState.ENROLLED,
    owners: Mapping[str, int] | None = None,
    guests: Mapping[UUID, KnownWalkIn] | None = None,
    now: datetime = NOW,
) -> Judge:
    held = LockedRows({1: meeting, 2: replace(meeting, id=2)}, {(1, SOMEBODY): state, (2, SOMEBODY): state})
    return Judge(held, KnownEvents(known), IdentityLookup(owners or {}, guests or {}), now=now, strict=strict)


def refusal(desk: Judge, event: AttendanceInput) -> DomainError:
    with pytest.raises(DomainError) as refused:
        desk.answer(event, None)
    return refused.value


def told(answer: CheckInAnswer) -> tuple[str, str]:
    return str(answer.outcome), answer.code


# The person who is there is told at once.


def test_the_first_arrival_checks_a_person_in() -> None:
    at = desk()
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
    at = desk(first)
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
    at = desk(stored(by=None))
    answer = at.answer(sent(), None)
    assert (answer.message, answer.by, answer.params) == (MESSAGES["already"], None, {"time": NOW - 10 * MINUTE})
    assert at.rows[0]["answer"]["by"] is None


def test_leaving_is_noted_with_the_time() -> None:
    first = stored()
    at = desk(first)
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
    error = refusal(desk(), sent(LEAVE))
    assert error.code == "not_present"
    assert error.message == "This person is not checked in. Check them in first."


def test_a_device_that_says_so_is_told_that_the_person_is_not_there() -> None:
    at = desk(strict=False)
    answer = at.answer(sent(LEAVE), None)
    assert (told(answer), answer.present, answer.params) == (("already", "not_present"), False, {})
    assert at.rows[0]["answer"] == {
        "outcome": "already", "code": "not_present", "arrived_at": None, "left_at": None, "by": None,
    }  # fmt: skip
    assert at.changed == {}


def test_who_left_later_had_left_already() -> None:
    left_at = NOW - 2 * MINUTE
    answer = desk(stored(), stored(LEAVE, left_at)).answer(sent(LEAVE, told_at=NOW - 5 * MINUTE), None)
    assert (told(answer), answer.message) == (("already", "already_left"), MESSAGES["already_left"])
    assert (answer.params["time"], answer.left_at) == (left_at, left_at)


def test_a_leave_before_the_arrival_changes_nothing() -> None:
    answer = desk(stored()).answer(sent(LEAVE, told_at=NOW - 20 * MINUTE), None)
    assert (told(answer), answer.left_at) == (("already", "already"), None)


def test_an_undo_takes_the_check_in_back_and_says_why() -> None:
    first = stored()
    at = desk(first)
    answer = at.answer(sent(UNDO, reason="点错了"), None)
    assert answer == CheckInAnswer(answer.id, Outcome.ACCEPTED, "undone", MESSAGES["undone"], {}, SOMEBODY)
    assert at.changed == {(1, SOMEBODY): None}
    row = at.rows[0]
    assert (row["reason"], row["action"], row["after"]) == ("点错了", "attendance.undo", None)
    assert row["before"] == {"session": 1, "arrived_at": first.moment.isoformat()}


def test_an_undo_of_the_leaving_alone_leaves_the_person_there() -> None:
    first, leaving = stored(), stored(LEAVE, NOW - 2 * MINUTE)
    at = desk(first, leaving)
    answer = at.answer(sent(UNDO, undoes=leaving.id), None)
    assert (told(answer), answer.present, answer.left_at) == (("accepted", "arrived"), True, None)
    row = at.rows[0]
    assert (row["undoes"], row["before"]["left_at"]) == (leaving.id, leaving.moment.isoformat())
    assert row["after"] == {"session": 1, "arrived_at": first.moment.isoformat()}


def test_an_undo_where_there_is_nothing_to_take_back() -> None:
    assert told(desk().answer(sent(UNDO), None)) == ("already", "not_present")


def test_an_earlier_arrival_is_kept_and_answered_as_there_already() -> None:
    first = stored()
    at = desk(first)
    event = sent(told_at=NOW - 30 * MINUTE)
    answer = at.answer(event, None)
    assert (told(answer), answer.arrived_at) == (("already", "already"), first.moment)
    assert at.changed == {(1, SOMEBODY): Presence(event.id, NOW - 30 * MINUTE)}


def test_who_left_and_comes_back_is_checked_in_again() -> None:
    first = stored()
    answer = desk(first, stored(LEAVE, NOW - 5 * MINUTE)).answer(sent(), None)
    assert (told(answer), answer.arrived_at, answer.left_at) == (("accepted", "arrived"), first.moment, None)


def test_an_earlier_arrival_of_who_has_left_is_told_of_the_leaving() -> None:
    left_at = NOW - 5 * MINUTE
    answer = desk(stored(), stored(LEAVE, left_at)).answer(sent(told_at=NOW - 30 * MINUTE), None)
    assert (told(answer), answer.params["time"], answer.left_at) == (("accepted", "left"), left_at, left_at)


def test_a_leave_that_is_earlier_than_a_return_leaves_the_person_there() -> None:
    """Somebody came at 8:50, left and came back at 8:58; the leaving of 8:52 is told last."""
    back = stored(ARRIVE, NOW - 2 * MINUTE)
    answer = desk(stored(), back).answer(sent(LEAVE, told_at=NOW - 8 * MINUTE), None)
    assert (told(answer), answer.left_at) == (("already", "already"), None)


# One batch.


def test_events_of_one_batch_add_up() -> None:
    at = desk()
    arrival = sent(told_at=NOW - 30 * MINUTE)
    codes = [told(at.answer(event, None)) for event in (arrival, sent(), sent(LEAVE), sent())]
    assert codes == [("accepted", "arrived"), ("already", "already"), ("accepted", "left"), ("already", "already")]
    assert at.changed == {(1, SOMEBODY): Presence(arrival.id, NOW - 30 * MINUTE, NOW)}
    assert len(at.rows) == 4


def test_what_was_undone_within_a_batch_is_no_change() -> None:
    at = desk()
    for event in (sent(), sent(UNDO)):
        at.answer(event, None)
    assert at.changed == {}


def test_an_event_that_is_in_a_batch_twice_is_answered_twice_and_kept_once() -> None:
    at = desk()
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
    at = desk()
    event = sent()
    assert at.answer(event, code) == CheckInAnswer(event.id, Outcome.REJECTED, code, MESSAGES[code], status=status)
    assert at.rows == at.new_events == []
    assert told(at.answer(event, None)) == ("accepted", "arrived")  # a rejected id is free for the event put right


@pytest.mark.parametrize("strict", [True, False])
def test_a_session_or_person_that_is_not_there_is_not_found(strict: bool) -> None:
    at = desk(strict=strict)
    for event in (sent(session_id=3), sent(enrolment_id=SOMEBODY_ELSE), sent(session_id=3, ticket="票")):
        assert at.answer(event, None).code == "not_found"
    assert at.rows == []


@pytest.mark.parametrize(
    ("strict", "expected"),
    [(True, ("rejected", "not_found")), (False, ("review", "unknown_ticket"))],
)
def test_a_ticket_that_is_nobodys(strict: bool, expected: tuple[str, str]) -> None:
    at = desk(strict=strict)
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
    at = desk(strict=strict, owners={"票": SOMEBODY})
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
        at = desk(strict=False, guests=guests)
        assert told(at.answer(sent(walk_in=person), None)) == expected
        assert [row["walk_in_id"] for row in at.rows] == ([person.id] if expected[0] != "rejected" else [])


# The same event again.


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("happening", ["arrive", "already", "already left", "leave", "undo", "doubt"])
def test_an_event_sent_again_is_answered_as_the_first_time(strict: bool, happening: str) -> None:
    others = {
        "already": [stored()],
        "already left": [stored(), stored(LEAVE, NOW - MINUTE)],
        "leave": [stored()],
        "undo": [stored()],
    }.get(happening, [])
    kinds = {"already left": LEAVE, "leave": LEAVE, "undo": UNDO}
    early = NOW - 5 * MINUTE if happening == "already left" else None
    doubt = ReviewReason.SECOND_FROM_BROWSER if happening == "doubt" else None
    event = sent(kinds.get(happening, ARRIVE), told_at=early, review=doubt)
    first = desk(*others, strict=strict and doubt is None)
    answer = first.answer(event, None)
    [row] = first.rows
    kept = {name: _as_json(value) for name, value in row["answer"].items()}
    again = stored(
        event.kind, row["happened_at"], id=event.id, told_at=event.told_at, answer=kept, review=doubt
    )  # fmt: skip
    later = desk(*others, again, strict=strict, now=NOW + HOUR)
    assert later.answer(event, None) == answer
    assert later.rows == []
    assert later.changed == {}


def _as_json(value: object) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)


def test_what_came_in_before_answers_were_kept_is_told_what_holds_now() -> None:
    first = stored()
    own = desk(first).answer(sent(id=first.id), None)
    assert own == CheckInAnswer(
        first.id, Outcome.ACCEPTED, "arrived", MESSAGES["arrived"], {"time": first.moment}, SOMEBODY, True,
        first.moment, None, None,
    )  # fmt: skip
    second = stored(ARRIVE, NOW - 5 * MINUTE, by="李老师")
    other = desk(first, second).answer(sent(id=second.id), None)
    assert (told(other), other.by, other.arrived_at) == (("already", "already"), "王老师", first.moment)
    assert (other.id, other.enrolment_id) == (second.id, SOMEBODY)
    leaving = stored(LEAVE, NOW - MINUTE)
    left = desk(first, leaving).answer(sent(LEAVE, id=leaving.id), None)
    assert (told(left), left.by, left.left_at) == (("accepted", "left"), None, NOW - MINUTE)
    returned = stored(ARRIVE, NOW)
    back = desk(first, leaving, returned).answer(sent(LEAVE, id=leaving.id), None)
    assert (told(back), back.left_at) == (("accepted", "arrived"), None)
    undo = stored(UNDO, NOW - MINUTE)
    for event in (sent(UNDO, id=undo.id), sent(id=first.id)):
        answer = desk(first, undo).answer(event, None)
        assert (told(answer), answer.present) == (("accepted", "not_present"), False)
    nobodys = stored(enrolment_id=None, sent_for=None, ticket="x" * 64, review=ReviewReason.UNKNOWN_TICKET)
    others = [stored(enrolment_id=number) for number in range(1, 4)]
    answer = desk(nobodys, *others, strict=False).answer(sent(id=nobodys.id, ticket="x" * 64), None)
    assert (told(answer), answer.enrolment_id) == (("accepted", "not_present"), None)


REASON, UNDONE = "补签", uuid4()
SENT = sent(id=uuid4(), reason=REASON, undoes=UNDONE, told_at=NOW)
BODY = {"id": SENT.id, "reason": REASON, "undoes": UNDONE, "told_at": NOW}
ANSWERED = {"outcome": "accepted", "code": "arrived", "arrived_at": NOW.isoformat(), "left_at": None, "by": None}


@pytest.mark.parametrize(
    "other",
    [
        {"kind": LEAVE},
        {"method": AttendanceMethod.SCAN},
        {"reason": "漏签"},
        {"undoes": uuid4()},
        {"session_id": 2},
        {"enrolment_id": SOMEBODY_ELSE},
        {"enrolment_id": None, "ticket": "票"},
        {"enrolment_id": None, "walk_in": WalkIn(uuid4(), "李娜")},
        {"told_at": NOW - MICROSECOND},
    ],
)
def test_an_id_that_another_event_has_is_a_conflict(other: dict[str, Any]) -> None:
    known = stored(**BODY, answer=ANSWERED)
    at = desk(known, strict=False)
    at._locked.enrolments[1, SOMEBODY_ELSE] = EnrolmentState.ENROLLED
    assert told(at.answer(SENT, None)) == ("accepted", "arrived")
    again = desk(known, strict=False)
    assert told(again.answer(replace(SENT, **other), None)) == ("rejected", "event_conflict")
    assert again.rows == []


def test_the_offset_is_measured_anew_with_each_sending_and_the_time_was_not_always_compared() -> None:
    assert told(desk(stored(**BODY, answer=ANSWERED)).answer(replace(SENT, offset_ms=70), None))[0] == "accepted"
    assert told(desk(stored(**BODY)).answer(replace(SENT, told_at=NOW - MINUTE), None))[0] == "accepted"


def test_a_ticket_and_a_walk_in_are_the_same_only_as_themselves() -> None:
    person = WalkIn(uuid4(), "李娜")
    by_ticket = {"id": SENT.id, "enrolment_id": None, "ticket": "x" * 64}
    by_person = {"id": SENT.id, "enrolment_id": None, "walk_in": person}
    ticket = stored(id=SENT.id, sent_for=None, ticket="x" * 64, answer=ANSWERED)
    guest = stored(id=SENT.id, sent_for=None, walk_in_id=person.id, answer=ANSWERED)
    plain = stored(id=SENT.id, answer=ANSWERED)
    for known, same in ((ticket, by_ticket), (guest, by_person), (plain, {"id": SENT.id})):
        for body in (by_ticket, by_person, {"id": SENT.id}):
            expected = "accepted" if body == same else "rejected"
            assert told(desk(known, strict=False).answer(sent(**body), None))[0] == expected
    for odd in (replace(ticket, sent_for=SOMEBODY), replace(guest, sent_for=SOMEBODY)):
        assert told(desk(odd, strict=False).answer(sent(id=SENT.id), None))[1] == "event_conflict"


# Who is checked in at the roster.


ENROLLED, WAITLISTED, CANCELLED = EnrolmentState.ENROLLED, EnrolmentState.WAITLISTED, EnrolmentState.CANCELLED


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
        assert told(desk(state=state).answer(event, None)) == ("accepted", "arrived")
        return
    error = refusal(desk(state=state), event)
    assert error.code == refused_with
    assert {"waitlisted": "waiting list", "enrolment_cancelled": "walk-in"}[refused_with] in error.message


@pytest.mark.parametrize("state", OfferingState)
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("now", [STARTS - HOUR - MICROSECOND, STARTS - HOUR])
def test_a_correction_is_taken_where_training_took_place_also_when_it_is_closed(
    state: OfferingState, closed: bool, now: datetime
) -> None:
    meeting = replace(MEETING, offering_state=state, closed_at=ENDS if closed else None)
    at = desk(meeting=meeting, now=now)
    event = sent(method=CORRECTION, reason="漏签")
    if state in {OfferingState.PUBLISHED, OfferingState.CLOSED} and now >= STARTS - HOUR:
        assert told(at.answer(event, None)) == ("accepted", "arrived")
    else:
        refused = {OfferingState.DRAFT: "offering_draft", OfferingState.CANCELLED: "offering_cancelled"}
        assert refusal(at, event).code == refused.get(state, "too_early")
    if closed and state is OfferingState.PUBLISHED and now >= STARTS - HOUR:
        assert refusal(desk(meeting=meeting, now=now), sent()).code == "session_closed"


# What a device sends later is kept, and what is in doubt counts for nothing.


@pytest.mark.parametrize("state", EnrolmentState)
@pytest.mark.parametrize("offering_state", OfferingState)
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("own", [ReviewReason.SECOND_FROM_BROWSER, None])
def test_the_first_doubt_is_the_one_that_is_named(
    state: EnrolmentState, offering_state: OfferingState, closed: bool, late: bool, own: ReviewReason | None
) -> None:
    meeting = replace(MEETING, offering_state=offering_state, closed_at=ENDS if closed else None)
    at = desk(strict=False, meeting=meeting, state=state)
    answer = at.answer(sent(told_at=NOW - 100 * HOUR if late else NOW, review=own), None)
    doubts = [
        own,
        ReviewReason.NOT_ENROLLED if state in {WAITLISTED, CANCELLED} else None,
        ReviewReason.NOT_RUNNING if offering_state in {OfferingState.DRAFT, OfferingState.CANCELLED} else None,
        ReviewReason.SESSION_CLOSED if closed or offering_state is OfferingState.CLOSED else None,
        ReviewReason.OUTSIDE_WINDOW if late else None,
    ]
    doubt = next((doubt for doubt in doubts if doubt is not None), None)
    [row] = at.rows
    assert row["review"] == doubt
    if doubt is None:
        assert told(answer) == ("accepted", "arrived")
    else:
        assert answer == CheckInAnswer(answer.id, Outcome.REVIEW, str(doubt), MESSAGES[doubt], {}, SOMEBODY)
        assert at.changed == {}
        assert "action" not in row


def test_a_doubtful_event_leaves_the_attendance_as_it_was_and_says_so() -> None:
    first = stored()
    at = desk(first, strict=False)
    answer = at.answer(sent(LEAVE, review=ReviewReason.SECOND_FROM_BROWSER), None)
    assert (told(answer), answer.arrived_at, answer.left_at, answer.params) == (
        ("review", "second_from_browser"), first.moment, None, {},
    )  # fmt: skip
    assert told(at.answer(sent(LEAVE), None)) == ("accepted", "left")


def test_a_doubtful_arrival_is_no_arrival_for_the_rest_of_its_batch() -> None:
    at = desk(strict=False)
    at.answer(sent(told_at=NOW - 5 * MINUTE, review=ReviewReason.SECOND_FROM_BROWSER), None)
    event = sent()
    assert told(at.answer(event, None)) == ("accepted", "arrived")
    assert at.changed == {(1, SOMEBODY): Presence(event.id, NOW)}


def test_an_event_that_is_in_review_is_no_part_of_the_attendance_until_accepted() -> None:
    doubtful = stored(review=ReviewReason.OUTSIDE_WINDOW)
    assert told(desk(doubtful).answer(sent(), None)) == ("accepted", "arrived")
    accepted = replace(doubtful, decision=ReviewDecision.ACCEPT)
    assert told(desk(accepted).answer(sent(), None)) == ("already", "already")


offsets = st.sampled_from([timedelta(0), MICROSECOND, -MICROSECOND, MINUTE, -MINUTE])
edges = st.builds(
    lambda edge, off: edge + off, st.sampled_from([STARTS - HOUR, NOW, NOW + 5 * MINUTE, STARTS - 30 * HOUR]), offsets
)


@given(edges)
def test_at_the_roster_the_phones_time_is_believed_where_it_can_be_right(told_at: datetime) -> None:
    [row] = _after(desk(), sent(told_at=told_at))
    can_be = STARTS - HOUR <= told_at <= NOW + 5 * MINUTE
    assert row["happened_at"] == (min(told_at, NOW) if can_be else NOW)


@given(edges)
def test_an_undo_at_the_roster_counts_from_now_whatever_the_phones_clock_says(told_at: datetime) -> None:
    [row] = _after(desk(), sent(UNDO, told_at=told_at))
    assert (row["happened_at"], row["told_at"]) == (NOW, told_at)


CLOSING_TIME = ENDS + 4 * HOUR
LATER = CLOSING_TIME + 10 * HOUR


@given(
    st.builds(
        lambda edge, off: edge + off,
        st.sampled_from([STARTS - HOUR, ENDS, CLOSING_TIME, LATER, LATER + 5 * MINUTE]),
        offsets,
    ),
    st.sampled_from([None, 0, 1500, -1500]),
)
def test_what_a_device_kept_counts_from_an_hour_before_until_four_hours_after(
    moment: datetime, offset_ms: int | None
) -> None:
    at = desk(strict=False, now=LATER)
    [row] = _after(at, sent(told_at=moment - timedelta(milliseconds=offset_ms or 0), offset_ms=offset_ms))
    ahead = moment > LATER + 5 * MINUTE
    assert row["happened_at"] == (moment if ahead else min(moment, LATER))
    within = not ahead and STARTS - HOUR <= min(moment, LATER) <= CLOSING_TIME
    assert row["review"] == (None if within else ReviewReason.OUTSIDE_WINDOW)


@pytest.mark.parametrize("ahead", [timedelta(0), MICROSECOND])
def test_a_device_may_be_five_minutes_ahead_within_the_session(ahead: timedelta) -> None:
    [row] = _after(desk(strict=False), sent(told_at=NOW + 5 * MINUTE + ahead))
    expected = (NOW + 5 * MINUTE + ahead, ReviewReason.OUTSIDE_WINDOW) if ahead else (NOW, None)
    assert (row["happened_at"], row["review"]) == expected


def test_a_device_without_a_clock_says_now_and_an_impossible_time_is_in_doubt() -> None:
    [row] = _after(desk(strict=False), sent())
    assert (row["happened_at"], row["review"]) == (NOW, None)
    beyond = datetime.max.replace(tzinfo=UTC)
    [row] = _after(desk(strict=False), sent(told_at=beyond, offset_ms=1))
    assert (row["happened_at"], row["review"]) == (NOW, ReviewReason.OUTSIDE_WINDOW)


def _after(at: Judge, event: AttendanceInput) -> Sequence[dict[str, Any]]:
    at.answer(event, None)
    return at.rows


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
