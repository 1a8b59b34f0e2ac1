"""An event that is sent again is answered as the first time; another event under its id is a conflict."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from courses.attendance.check_ins import MESSAGES, CheckInAnswer, WalkIn
from courses.models.attendance import AttendanceMethod, ReviewReason
from courses.models.enrolment import EnrolmentState
from courses.outcomes import Outcome
from tests.courses.attendance.judging import (
    ARRIVE,
    HOUR,
    LEAVE,
    MICROSECOND,
    MINUTE,
    NOW,
    SOMEBODY,
    SOMEBODY_ELSE,
    UNDO,
    judge,
    sent,
    stored,
    told,
)


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
    first = judge(*others, strict=strict and doubt is None)
    answer = first.answer(event, None)
    [row] = first.rows
    kept = {name: _as_json(value) for name, value in row["answer"].items()}
    again = stored(
        event.kind, row["happened_at"], id=event.id, told_at=event.told_at, answer=kept, review=doubt
    )  # fmt: skip
    later = judge(*others, again, strict=strict, now=NOW + HOUR)
    assert later.answer(event, None) == answer
    assert later.rows == []
    assert later.changed == {}


def _as_json(value: object) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)


def test_what_came_in_before_answers_were_kept_is_told_what_holds_now() -> None:
    first = stored()
    own = judge(first).answer(sent(id=first.id), None)
    assert own == CheckInAnswer(
        first.id, Outcome.ACCEPTED, "arrived", MESSAGES["arrived"], {"time": first.moment}, SOMEBODY, True,
        first.moment, None, None,
    )  # fmt: skip
    second = stored(ARRIVE, NOW - 5 * MINUTE, by="李老师")
    other = judge(first, second).answer(sent(id=second.id), None)
    assert (told(other), other.by, other.arrived_at) == (("already", "already"), "王老师", first.moment)
    assert (other.id, other.enrolment_id) == (second.id, SOMEBODY)
    leaving = stored(LEAVE, NOW - MINUTE)
    left = judge(first, leaving).answer(sent(LEAVE, id=leaving.id), None)
    assert (told(left), left.by, left.left_at) == (("accepted", "left"), None, NOW - MINUTE)
    returned = stored(ARRIVE, NOW)
    back = judge(first, leaving, returned).answer(sent(LEAVE, id=leaving.id), None)
    assert (told(back), back.left_at) == (("accepted", "arrived"), None)
    undo = stored(UNDO, NOW - MINUTE)
    for event in (sent(UNDO, id=undo.id), sent(id=first.id)):
        answer = judge(first, undo).answer(event, None)
        assert (told(answer), answer.present) == (("accepted", "not_present"), False)
    nobodys = stored(enrolment_id=None, sent_for=None, ticket="x" * 64, review=ReviewReason.UNKNOWN_TICKET)
    others = [stored(enrolment_id=number) for number in range(1, 4)]
    answer = judge(nobodys, *others, strict=False).answer(sent(id=nobodys.id, ticket="x" * 64), None)
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
    at = judge(known, strict=False)
    at._locked.enrolments[1, SOMEBODY_ELSE] = EnrolmentState.ENROLLED
    assert told(at.answer(SENT, None)) == ("accepted", "arrived")
    again = judge(known, strict=False)
    assert told(again.answer(replace(SENT, **other), None)) == ("rejected", "event_conflict")
    assert again.rows == []


def test_the_offset_is_measured_anew_with_each_sending_and_the_time_was_not_always_compared() -> None:
    assert told(judge(stored(**BODY, answer=ANSWERED)).answer(replace(SENT, offset_ms=70), None))[0] == "accepted"
    assert told(judge(stored(**BODY)).answer(replace(SENT, told_at=NOW - MINUTE), None))[0] == "accepted"


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
            assert told(judge(known, strict=False).answer(sent(**body), None))[0] == expected
    for odd in (replace(ticket, sent_for=SOMEBODY), replace(guest, sent_for=SOMEBODY)):
        assert told(judge(odd, strict=False).answer(sent(id=SENT.id), None))[1] == "event_conflict"
