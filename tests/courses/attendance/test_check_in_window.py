"""The hours in which a session takes check-ins, at their edges."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from courses.attendance.check_in_window import contains, is_running, opening_ahead, opens_at, refuse_unless_running
from courses.attendance.stored_events import LockedSession
from courses.models.offerings import OfferingState
from lms.core.errors import DomainError

STARTS, NOW, ENDS = (datetime(2026, 3, 7, hour, tzinfo=UTC) for hour in (8, 9, 11))
MEETING = LockedSession(1, 10, OfferingState.PUBLISHED, STARTS, ENDS, None)
MICROSECOND, HOUR = timedelta(microseconds=1), timedelta(hours=1)


def test_check_in_opens_an_hour_before_the_session() -> None:
    assert opens_at(MEETING) == STARTS - HOUR


@pytest.mark.parametrize(
    ("state", "now", "closed_at", "code", "message"),
    [
        (OfferingState.CANCELLED, STARTS - 2 * HOUR, ENDS, "offering_cancelled", "This offering was cancelled;"),
        (OfferingState.DRAFT, STARTS - 2 * HOUR, ENDS, "offering_draft", "Ask its host to publish it."),
        (OfferingState.PUBLISHED, STARTS - HOUR - MICROSECOND, ENDS, "too_early", "Check-in opens at"),
        (OfferingState.PUBLISHED, STARTS - HOUR, ENDS, "session_closed", "This session is closed."),
        (OfferingState.CLOSED, NOW, ENDS, "session_closed", "This session is closed."),
        (OfferingState.PUBLISHED, STARTS - HOUR, None, None, ""),
        (OfferingState.CLOSED, ENDS + 100 * HOUR, None, None, ""),
    ],
)
def test_a_session_takes_check_ins_from_an_hour_before_until_it_is_closed(
    state: OfferingState, now: datetime, closed_at: datetime | None, code: str | None, message: str
) -> None:
    meeting = replace(MEETING, closed_at=closed_at)
    if code is None:
        refuse_unless_running(meeting, state, now)
        return
    with pytest.raises(DomainError) as refused:
        refuse_unless_running(meeting, state, now)
    assert refused.value.code == code
    assert message in refused.value.message
    assert refused.value.params == ({"opens": STARTS - HOUR} if code == "too_early" else {})


def test_the_opening_is_announced_until_it_is_there() -> None:
    assert opening_ahead(MEETING, STARTS - HOUR - MICROSECOND) == STARTS - HOUR
    assert opening_ahead(MEETING, STARTS - HOUR) is None


@pytest.mark.parametrize(
    ("moment", "within"),
    [
        (STARTS - HOUR - MICROSECOND, False),
        (STARTS - HOUR, True),
        (ENDS, True),
        (ENDS + 4 * HOUR, True),
        (ENDS + 4 * HOUR + MICROSECOND, False),
    ],
)
def test_a_check_in_counts_from_an_hour_before_until_four_hours_after(moment: datetime, within: bool) -> None:
    assert contains(MEETING, moment) is within


@pytest.mark.parametrize("state", OfferingState)
@pytest.mark.parametrize("closed_at", [None, ENDS])
def test_a_session_runs_while_it_is_open_and_its_training_published(
    state: OfferingState, closed_at: datetime | None
) -> None:
    meeting: Any = SimpleNamespace(closed_at=closed_at, offering=SimpleNamespace(state=state))
    assert is_running(meeting) is (state is OfferingState.PUBLISHED and closed_at is None)
