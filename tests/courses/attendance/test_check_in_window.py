"""When a session takes check-ins: from an hour before its start, while it runs, and on devices four hours longer."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from courses.attendance import check_in_window
from courses.attendance.recording import record
from courses.models.offerings import OfferingState
from lms.core import clock
from lms.core.errors import DomainError
from tests.courses.attendance.test_recording import happening, refusal

START = datetime(2026, 5, 4, 1, tzinfo=UTC)
END = START + timedelta(hours=3)
OPENING = START - timedelta(minutes=60)
MICROSECOND, HOUR = timedelta(microseconds=1), timedelta(hours=1)


@dataclass(frozen=True)
class Times:
    starts_at: datetime = START
    ends_at: datetime = END
    closed_at: datetime | None = None


def test_check_in_opens_an_hour_before(db, make):
    start = clock.now() + timedelta(hours=5)
    enrolment = make.enrolment(make.offering(starts=[start]))
    found = refusal(db, happening(enrolment), now=start - timedelta(minutes=61))
    assert (found.code, found.params["opens"]) == ("too_early", start - timedelta(minutes=60))
    assert record(db, happening(enrolment), now=start - timedelta(minutes=60)).present


def test_the_opening_is_announced_until_it_comes():
    assert check_in_window.opens_at(Times()) == OPENING
    assert check_in_window.opening_ahead(Times(), OPENING - MICROSECOND) == OPENING
    assert check_in_window.opening_ahead(Times(), OPENING) is None


@pytest.mark.parametrize(
    ("moment", "contained"),
    [
        (OPENING - MICROSECOND, False),
        (OPENING, True),
        (END, True),
        (END + timedelta(hours=4), True),
        (END + timedelta(hours=4) + MICROSECOND, False),
    ],
)
def test_the_window_contains_both_its_ends(moment, contained):
    assert check_in_window.contains(Times(), moment) == contained


@pytest.mark.parametrize(
    ("state", "closed_at", "now", "code"),
    [
        (OfferingState.CANCELLED, None, START, "offering_cancelled"),
        (OfferingState.DRAFT, None, START, "offering_draft"),
        (OfferingState.PUBLISHED, None, OPENING - MICROSECOND, "too_early"),
        (OfferingState.PUBLISHED, END, END, "session_closed"),
    ],
)
def test_a_session_that_takes_no_check_ins_says_why(state, closed_at, now, code):
    with pytest.raises(DomainError) as caught:
        check_in_window.refuse_unless_running(Times(closed_at=closed_at), state, now)
    assert caught.value.code == code


def test_a_published_session_takes_check_ins_from_the_opening_and_after_its_end():
    for now in (OPENING, END + timedelta(days=1)):
        check_in_window.refuse_unless_running(Times(), OfferingState.PUBLISHED, now)


@pytest.mark.parametrize(
    ("state", "now", "closed_at", "code", "message"),
    [
        (OfferingState.CANCELLED, OPENING - HOUR, END, "offering_cancelled", "This offering was cancelled;"),
        (OfferingState.DRAFT, OPENING - HOUR, END, "offering_draft", "Ask its host to publish it."),
        (OfferingState.PUBLISHED, OPENING - MICROSECOND, END, "too_early", "Check-in opens at"),
        (OfferingState.PUBLISHED, OPENING, END, "session_closed", "This session is closed."),
        (OfferingState.CLOSED, START + HOUR, END, "session_closed", "This session is closed."),
        (OfferingState.PUBLISHED, OPENING, None, None, ""),
        (OfferingState.CLOSED, END + 100 * HOUR, None, None, ""),
    ],
)
def test_a_session_takes_check_ins_from_an_hour_before_until_it_is_closed(
    state: OfferingState, now: datetime, closed_at: datetime | None, code: str | None, message: str
) -> None:
    meeting = Times(closed_at=closed_at)
    if code is None:
        check_in_window.refuse_unless_running(meeting, state, now)
        return
    with pytest.raises(DomainError) as refused:
        check_in_window.refuse_unless_running(meeting, state, now)
    assert refused.value.code == code
    assert message in refused.value.message
    assert refused.value.params == ({"opens": OPENING} if code == "too_early" else {})


def test_a_session_runs_while_it_is_open_and_its_training_is_published(db, make):
    meeting = make.offering().sessions[0]
    assert check_in_window.is_running(meeting)
    meeting.closed_at = clock.now()
    assert not check_in_window.is_running(meeting)
    assert not check_in_window.is_running(make.offering(state=OfferingState.DRAFT).sessions[0])


@pytest.mark.parametrize("state", OfferingState)
@pytest.mark.parametrize("closed_at", [None, END])
def test_no_other_session_runs(state, closed_at):
    meeting = SimpleNamespace(closed_at=closed_at, offering=SimpleNamespace(state=state))
    assert check_in_window.is_running(meeting) is (state is OfferingState.PUBLISHED and closed_at is None)
