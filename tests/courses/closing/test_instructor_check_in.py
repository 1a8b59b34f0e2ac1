from datetime import timedelta

import pytest

from courses.closing import instructor_check_in
from courses.offerings import staffing
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.scope import Role
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
