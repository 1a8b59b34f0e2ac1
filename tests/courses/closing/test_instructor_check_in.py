from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from courses.closing import instructor_check_in
from courses.closing.session_events import SessionAct
from courses.models.session_events import SessionEventKind
from courses.offerings import staffing
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.scope import EVERYTHING, Role
from tests.courses.closing.steps import loaded, refusal


def test_the_instructor_checks_in_and_out(db, make):
    user = make.user(Role.INSTRUCTOR)
    offering = make.offering(lead=make.instructor(user=user), starts=[clock.now() + timedelta(hours=4)])
    meeting = loaded(db, offering)
    start = meeting.starts_at
    assert refusal(instructor_check_in.arrive, db, meeting, user.id, now=start - timedelta(minutes=181)) == "too_early"
    assert refusal(instructor_check_in.leave, db, meeting, user.id, now=start) == "not_present"
    for moment in (start - timedelta(minutes=20), start):
        instructor_check_in.arrive(db, meeting, user.id, now=moment)
    teaching = staffing.session_instructor_of(db, meeting, user.id)
    assert teaching.arrived_at == start - timedelta(minutes=20)
    instructor_check_in.leave(db, meeting, user.id, now=start + timedelta(hours=1))
    assert teaching.left_at == start + timedelta(hours=1)
    with pytest.raises(NotFound):
        instructor_check_in.arrive(db, meeting, make.user(Role.INSTRUCTOR).id, now=start)


def test_an_instructor_who_forgot_was_there_all_along(db, make):
    user = make.user(Role.INSTRUCTOR)
    offering = make.offering(lead=make.instructor(user=user), starts=[clock.now() - timedelta(hours=9)], hours=2)
    meeting = loaded(db, offering)
    instructor_check_in.arrive(db, meeting, user.id, now=clock.now())
    teaching = staffing.session_instructor_of(db, meeting, user.id)
    assert (teaching.arrived_at, teaching.left_at) == (meeting.starts_at, meeting.ends_at)


@pytest.fixture
def taught(db, make):
    """A session of two hours that ended an hour ago, and its instructor."""
    user = make.user(Role.INSTRUCTOR)
    offering = make.offering(lead=make.instructor(user=user), starts=[clock.now() - timedelta(hours=3)], hours=2)
    return loaded(db, offering), user


def own(meeting, kind, minutes):
    """An act so many minutes after the start."""
    return SessionAct(uuid4(), meeting.id, SessionEventKind(kind), meeting.starts_at + timedelta(minutes=minutes))


def send(db, user, *acts):
    return instructor_check_in.record_all(db, acts, user_id=user.id, device_id=None, scope=EVERYTHING, now=clock.now())


def minutes_of(db, meeting, user):
    """The times, in minutes after the start."""
    teaching = staffing.session_instructor_of(db, meeting, user.id)
    return tuple(
        moment and round((moment - meeting.starts_at) / timedelta(minutes=1))
        for moment in (teaching.arrived_at, teaching.left_at)
    )


def test_a_device_credits_from_the_moment_at_which_it_happened(db, taught):
    meeting, user = taught
    answers = send(db, user, own(meeting, "arrive", 30), own(meeting, "leave", 100))
    assert [(answer.outcome, answer.code) for answer in answers] == [("accepted", "arrived"), ("accepted", "left")]
    assert minutes_of(db, meeting, user) == (30, 100)


def test_the_times_are_the_same_in_whatever_order_the_acts_arrive(db, make, taught):
    _meeting, user = taught
    teacher = staffing.session_instructor_of(db, _meeting, user.id).instructor
    steps = [("arrive", 5), ("leave", 40), ("arrive", 45), ("leave", 90)]
    for number, order in enumerate(permutations(steps), 1):
        starts = clock.now() - timedelta(days=number, hours=3)
        meeting = loaded(db, make.offering(lead=teacher, starts=[starts], hours=2))
        for step in order:
            send(db, user, own(meeting, *step))
        assert minutes_of(db, meeting, user) == (5, 90), order


def test_who_was_there_all_along_says_so_after_the_end(db, taught):
    meeting, user = taught
    assert [answer.code for answer in send(db, user, own(meeting, "arrive", 130), own(meeting, "attended", 60))] == [
        "over",
        "not_over",
    ]
    assert minutes_of(db, meeting, user) == (None, None)
    send(db, user, own(meeting, "attended", 130))
    assert minutes_of(db, meeting, user) == (0, 120)
    send(db, user, own(meeting, "arrive", 20))  # it had waited on another device
    assert minutes_of(db, meeting, user) == (20, None)


def test_times_that_no_act_tells_stand(db, taught):
    meeting, user = taught
    teaching = staffing.session_instructor_of(db, meeting, user.id)
    teaching.arrived_at, teaching.left_at = meeting.starts_at, meeting.starts_at + timedelta(minutes=50)
    (answer,) = send(db, user, own(meeting, "leave", 70))
    assert (answer.outcome, answer.code) == ("already", "left")
    assert minutes_of(db, meeting, user) == (0, 50)


def test_an_own_check_in_is_refused_with_words(db, make, taught):
    meeting, user = taught
    stranger = make.user(Role.INSTRUCTOR)
    assert [answer.code for answer in send(db, stranger, own(meeting, "arrive", 1))] == ["not_teaching"]
    assert [answer.code for answer in send(db, user, own(meeting, "arrive", -181))] == ["too_early"]
    meeting.closed_at = clock.now()
    assert [answer.code for answer in send(db, user, own(meeting, "arrive", 1))] == ["session_closed"]
