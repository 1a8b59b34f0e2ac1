"""Events that a device sends later are stored, doubtful ones count for nothing; and which moments are believed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.attendance.check_ins import MESSAGES, AttendanceInput, CheckInAnswer
from courses.attendance.deciding import Judge
from courses.attendance.folding import Presence
from courses.models.attendance import ReviewDecision, ReviewReason
from courses.models.enrolment import EnrolmentState
from courses.models.offerings import OfferingState
from courses.outcomes import Outcome
from tests.courses.attendance.judging import (
    CANCELLED,
    ENDS,
    HOUR,
    LEAVE,
    MEETING,
    MICROSECOND,
    MINUTE,
    NOW,
    SOMEBODY,
    STARTS,
    UNDO,
    WAITLISTED,
    judge,
    sent,
    stored,
    told,
)


@pytest.mark.parametrize("state", EnrolmentState)
@pytest.mark.parametrize("offering_state", OfferingState)
@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("own", [ReviewReason.SECOND_FROM_BROWSER, None])
def test_the_first_doubt_is_the_one_that_is_named(
    state: EnrolmentState, offering_state: OfferingState, closed: bool, late: bool, own: ReviewReason | None
) -> None:
    meeting = replace(MEETING, offering_state=offering_state, closed_at=ENDS if closed else None)
    at = judge(strict=False, meeting=meeting, state=state)
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
    at = judge(first, strict=False)
    answer = at.answer(sent(LEAVE, review=ReviewReason.SECOND_FROM_BROWSER), None)
    assert (told(answer), answer.arrived_at, answer.left_at, answer.params) == (
        ("review", "second_from_browser"), first.moment, None, {},
    )  # fmt: skip
    assert told(at.answer(sent(LEAVE), None)) == ("accepted", "left")


def test_a_doubtful_arrival_is_no_arrival_for_the_rest_of_its_batch() -> None:
    at = judge(strict=False)
    at.answer(sent(told_at=NOW - 5 * MINUTE, review=ReviewReason.SECOND_FROM_BROWSER), None)
    event = sent()
    assert told(at.answer(event, None)) == ("accepted", "arrived")
    assert at.changed == {(1, SOMEBODY): Presence(event.id, NOW)}


def test_an_event_that_is_in_review_is_no_part_of_the_attendance_until_accepted() -> None:
    doubtful = stored(review=ReviewReason.OUTSIDE_WINDOW)
    assert told(judge(doubtful).answer(sent(), None)) == ("accepted", "arrived")
    accepted = replace(doubtful, decision=ReviewDecision.ACCEPT)
    assert told(judge(accepted).answer(sent(), None)) == ("already", "already")


offsets = st.sampled_from([timedelta(0), MICROSECOND, -MICROSECOND, MINUTE, -MINUTE])
edges = st.builds(
    lambda edge, off: edge + off, st.sampled_from([STARTS - HOUR, NOW, NOW + 5 * MINUTE, STARTS - 30 * HOUR]), offsets
)


@given(edges)
def test_at_the_roster_the_phones_time_is_believed_where_it_can_be_right(told_at: datetime) -> None:
    [row] = _after(judge(), sent(told_at=told_at))
    can_be = STARTS - HOUR <= told_at <= NOW + 5 * MINUTE
    assert row["happened_at"] == (min(told_at, NOW) if can_be else NOW)


@given(edges)
def test_an_undo_at_the_roster_counts_from_now_whatever_the_phones_clock_says(told_at: datetime) -> None:
    [row] = _after(judge(), sent(UNDO, told_at=told_at))
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
    at = judge(strict=False, now=LATER)
    [row] = _after(at, sent(told_at=moment - timedelta(milliseconds=offset_ms or 0), offset_ms=offset_ms))
    ahead = moment > LATER + 5 * MINUTE
    assert row["happened_at"] == (moment if ahead else min(moment, LATER))
    within = not ahead and STARTS - HOUR <= min(moment, LATER) <= CLOSING_TIME
    assert row["review"] == (None if within else ReviewReason.OUTSIDE_WINDOW)


@pytest.mark.parametrize("ahead", [timedelta(0), MICROSECOND])
def test_a_device_may_be_five_minutes_ahead_within_the_session(ahead: timedelta) -> None:
    [row] = _after(judge(strict=False), sent(told_at=NOW + 5 * MINUTE + ahead))
    expected = (NOW + 5 * MINUTE + ahead, ReviewReason.OUTSIDE_WINDOW) if ahead else (NOW, None)
    assert (row["happened_at"], row["review"]) == expected


def test_a_device_without_a_clock_says_now_and_an_impossible_time_is_in_doubt() -> None:
    [row] = _after(judge(strict=False), sent())
    assert (row["happened_at"], row["review"]) == (NOW, None)
    beyond = datetime.max.replace(tzinfo=UTC)
    [row] = _after(judge(strict=False), sent(told_at=beyond, offset_ms=1))
    assert (row["happened_at"], row["review"]) == (NOW, ReviewReason.OUTSIDE_WINDOW)


def _after(at: Judge, event: AttendanceInput) -> Sequence[dict[str, Any]]:
    at.answer(event, None)
    return at.rows
