import pytest

from courses.closing.open_session import refuse_unless_open
from courses.models.offerings import OfferingState
from lms.core import clock
from tests.courses.closing.steps import loaded, refusal


def test_an_open_session_of_a_published_offering_is_not_refused(db, offering):
    refuse_unless_open(loaded(db, offering))


@pytest.mark.parametrize("state", sorted(set(OfferingState) - {OfferingState.PUBLISHED}))
def test_a_session_of_an_offering_that_does_not_run_is_refused(db, offering, state):
    meeting = loaded(db, offering)
    with db.no_autoflush:
        meeting.offering.state = state
        assert refusal(refuse_unless_open, meeting) == "not_running"
        db.refresh(meeting.offering)


def test_a_closed_session_is_refused(db, make):
    now = clock.now()
    meeting = loaded(db, make.offering(starts=[now]))
    meeting.closed_at = now
    assert refusal(refuse_unless_open, meeting) == "session_closed"
