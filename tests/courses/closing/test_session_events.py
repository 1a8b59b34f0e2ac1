"""Acts about a session: each is stored once, and an id stands for one act."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from courses.closing import headcount
from courses.closing.session_events import SessionAct
from courses.models.offerings import CourseSession
from courses.models.session_events import SessionEvent, SessionEventKind
from lms.core import clock
from lms.core.scope import EVERYTHING, Scope

MINUTE = timedelta(minutes=1)


@pytest.fixture
def meeting(db, make) -> CourseSession:
    return make.offering(starts=[clock.now()]).sessions[0]


def act(meeting, number=3, **facts):
    return SessionAct(
        **{"id": uuid4(), "session_id": meeting.id, "kind": SessionEventKind.HEADCOUNT, "told_at": clock.now(),
           "number": number} | facts
    )  # fmt: skip


def send(db, make, *acts, scope=EVERYTHING, user=None):
    user = user or make.user()
    return headcount.record_all(db, acts, user_id=user.id, device_id=None, scope=scope, now=clock.now())


def test_an_act_is_stored_once_and_answered_as_the_first_time(db, make, meeting):
    user, sent = make.user(), act(meeting, 4)
    (first,) = send(db, make, sent, user=user)
    send(db, make, act(meeting, 9), user=user)
    assert send(db, make, sent, sent, user=user) == [first, first]
    assert meeting.headcount == 9
    assert db.scalar(select(func.count()).select_from(SessionEvent)) == 2


def test_an_id_stands_for_one_act_of_one_user(db, make, meeting):
    user, sent = make.user(), act(meeting, 4)
    send(db, make, sent, user=user)
    other = act(meeting, 5, id=sent.id)
    codes = [answer.code for answer in send(db, make, other, user=user) + send(db, make, sent)]
    assert codes == ["event_conflict", "event_conflict"]
    assert meeting.headcount == 4


def test_a_session_out_of_reach_is_not_found_and_does_not_hold_up_the_others(db, make, meeting):
    nothing = Scope()
    foreign = act(meeting, session_id=10**12)
    assert [answer.code for answer in send(db, make, foreign, act(meeting))] == ["not_found", "entered"]
    assert [answer.code for answer in send(db, make, act(meeting), scope=nothing)] == ["not_found"]


def test_a_clock_that_runs_ahead_counts_as_now(db, make, meeting):
    sent = act(meeting, told_at=clock.now() + 300 * MINUTE)
    send(db, make, sent)
    assert abs(db.get(SessionEvent, sent.id).happened_at - clock.now()) < MINUTE
