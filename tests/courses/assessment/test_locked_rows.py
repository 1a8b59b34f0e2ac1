"""The facts that decide about examiners' events: the attempt to which an event belongs, and the moment that counts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from courses.assessment.locked_rows import LockedRows
from lms.accounts import devices
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.courses.assessment.steps import deliver, marks, retested, scored
from tests.factories import Make


@pytest.fixture
def examiner(make: Make):
    return make.user(Role.INSTRUCTOR)


@pytest.fixture
def enrolment(make: Make, examiner):
    return make.enrolment(make.offering(course=make.new_course(skills=1), lead=make.instructor(user=examiner)))


def test_marks_after_the_retest_of_a_device_belong_to_it_although_its_clock_was_set_back(db, examiner, enrolment):
    device = devices.pair(db, examiner, "手机")[0].id
    deliver(db, examiner, scored(enrolment, 40, ago=40), retested(enrolment, ago=2), device=device)
    deliver(db, examiner, scored(enrolment, 90, ago=12), device=device)
    assert marks(db, enrolment) == [(40, {}), (90, {})]


def test_a_moment_before_the_session_or_in_the_future_is_the_moment_of_receipt(db, enrolment):
    now = clock.now()
    start = enrolment.offering.sessions[0].starts_at
    for told in (start - timedelta(days=2), now + timedelta(hours=3)):
        event = replace(scored(enrolment, 70), told_at=told)
        locked = LockedRows(db, [event], None, EVERYTHING, now)
        assert locked.course_of(event) == enrolment.offering.course_id
        assert (locked.facts_of(event)["happened_at"], locked.facts_of(event)["attempt"]) == (now, 1)
    assert locked.latest_attempt(enrolment.id) == 0
