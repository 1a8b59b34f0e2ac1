"""The input of a check-in: cleaned texts, hashed tickets, and events that can only be rejected."""

from dataclasses import replace
from hashlib import sha256
from uuid import UUID, uuid4

import pytest

from courses.attendance.check_ins import (
    MESSAGES,
    NAME_LIMIT,
    TICKET_HASH_LENGTH,
    TICKET_LIMIT,
    AttendanceInput,
    WalkIn,
    cleaned,
    fault_of,
)
from courses.models.attendance import AttendanceKind, AttendanceMethod, ReviewReason
from courses.outcomes import REASON_LIMIT
from lms.core.db import LARGEST_ID

EVENT = AttendanceInput(UUID(int=1), session_id=7, enrolment_id=9)
WALK_IN = WalkIn(uuid4(), "李娜")


def test_a_plain_event_has_no_fault_and_stays_as_it_is():
    assert fault_of(EVENT) is None
    assert cleaned(EVENT) is EVENT
    for person in ({"ticket": "x"}, {"walk_in": WALK_IN}):
        assert fault_of(replace(EVENT, enrolment_id=None, **person)) is None


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"enrolment_id": None}, "bad_event"),
        ({"ticket": "x"}, "bad_event"),
        ({"walk_in": WALK_IN}, "bad_event"),
        ({"enrolment_id": None, "walk_in": WalkIn(uuid4(), "")}, "bad_event"),
        ({"session_id": 0}, "not_found"),
        ({"session_id": LARGEST_ID + 1}, "not_found"),
        ({"enrolment_id": 0}, "not_found"),
        ({"enrolment_id": LARGEST_ID + 1}, "not_found"),
        ({"kind": AttendanceKind.UNDO}, "reason_missing"),
        ({"method": AttendanceMethod.CORRECTION}, "reason_missing"),
        ({"kind": AttendanceKind.UNDO, "reason": "点错了"}, None),
        ({"session_id": LARGEST_ID, "enrolment_id": LARGEST_ID}, None),
    ],
)
def test_the_fault_of_an_event_is_a_code_with_a_message(facts, code):
    assert fault_of(replace(EVENT, **facts)) == code
    assert code is None or code in MESSAGES


def test_texts_become_one_line_without_nuls_and_no_longer_than_their_columns():
    event = replace(
        EVENT,
        reason=" 点\0错\n 了 " + "长" * REASON_LIMIT,
        walk_in=WalkIn(WALK_IN.id, "\t李\0娜 " + "长" * NAME_LIMIT),
        ticket="\0票" * TICKET_LIMIT,
    )
    clean = cleaned(event)
    assert clean.reason.startswith("点 错 了 长")
    assert len(clean.reason) == REASON_LIMIT
    assert clean.walk_in.name.startswith("李 娜 长")
    assert len(clean.walk_in.name) == NAME_LIMIT
    assert clean.ticket == "票" * TICKET_LIMIT
    assert cleaned(replace(EVENT, reason=" \0 ")).reason is None


def test_a_ticket_is_stored_as_its_hash_and_a_hash_stays_itself():
    digest = sha256(b"AbCdEfGhIjKlMnOpQrStUv").hexdigest()
    assert len(digest) == TICKET_HASH_LENGTH
    assert replace(EVENT, ticket="AbCdEfGhIjKlMnOpQrStUv").ticket_hash == digest
    assert replace(EVENT, ticket=digest).ticket_hash == digest
    assert EVENT.ticket_hash is None


def test_every_reason_of_a_review_has_a_message():
    assert set(ReviewReason) <= MESSAGES.keys()


def test_contacts_in_a_reason_are_masked_because_an_event_is_never_altered() -> None:
    event = AttendanceInput(uuid4(), 1, 2, reason="来电 13812345678，a.b@example.org")
    assert cleaned(event).reason == "来电 138****5678，a***@example.org"
