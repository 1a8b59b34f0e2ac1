"""Retests that devices start: one for each attempt however often it is asked for, and later marks belong to it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from courses.assessment import assessment, late_results
from courses.assessment.marking import Marks
from courses.models.assessment import RetestEvent
from courses.models.offerings import OfferingState
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.scope import Role
from tests.courses.assessment.steps import deliver, marks, retested, scored, shown
from tests.factories import Make


@pytest.fixture
def examiner(make: Make):
    return make.user(Role.INSTRUCTOR, name="王老师")


@pytest.fixture
def enrolment(make: Make, examiner):
    return make.enrolment(make.offering(course=make.new_course(skills=1), lead=make.instructor(user=examiner)))


@pytest.fixture
def skill(enrolment):
    return enrolment.offering.course.skills[0].id


def test_all_that_a_device_kept_arrives_in_its_attempts(db, examiner, enrolment, skill):
    answers = deliver(
        db, examiner, scored(enrolment, 40, ago=9), shown(enrolment, passed=False, ago=8), retested(enrolment, ago=7),
        scored(enrolment, 75, ago=6), shown(enrolment, passed=True, ago=5),
    )  # fmt: skip
    assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
    assert answers[2].attempt == answers[3].attempt == 2
    assert marks(db, enrolment) == [(40, {skill: False}), (75, {skill: True})]


def test_a_double_tap_and_two_devices_start_one_retest(db, make, examiner, enrolment):
    deliver(db, examiner, scored(enrolment, 40, ago=30))
    tap, double = retested(enrolment, ago=9), retested(enrolment, ago=9)
    first, second = deliver(db, examiner, tap, double)
    assert {first.outcome, second.outcome} == {Outcome.ACCEPTED, Outcome.ALREADY}
    other = make.user(Role.INSTRUCTOR)
    (offline,) = deliver(db, other, retested(enrolment, ago=20))
    assert (offline.outcome, offline.code, offline.attempt) == (Outcome.ALREADY, "started_before", 2)
    # The other examiner, who started it earlier, marked it between the two starts.
    deliver(db, other, scored(enrolment, 66, ago=15))
    assert marks(db, enrolment) == [(40, {}), (66, {})]
    assert deliver(db, examiner, tap, double) == [first, second]
    assert deliver(db, examiner, retested(enrolment, 2))[0].attempt == 3
    assert db.scalar(select(func.count()).select_from(RetestEvent)) == 4


def test_without_a_result_there_is_nothing_to_retest(db, make, examiner, enrolment):
    event = retested(enrolment)
    (answer,) = deliver(db, examiner, event)
    assert (answer.outcome, answer.code) == (Outcome.REJECTED, "nothing_to_retest")
    # An earlier start was refused: the later one starts the attempt that comes next.
    deliver(db, examiner, scored(enrolment, 40))
    assert deliver(db, examiner, retested(enrolment, 3))[0].attempt == 2
    elsewhere = make.enrolment(make.offering())
    (conflict,) = deliver(db, examiner, retested(elsewhere, id=event.id))
    assert conflict.code == "nothing_to_retest"


def test_a_retest_on_the_page_and_on_a_device_is_one(db, examiner, enrolment):
    assessment.save(db, enrolment, Marks(40), seen="0.0", retest=False)
    seen = assessment.form_version(assessment.attempts_of(db, enrolment.id))
    assessment.save(db, enrolment, Marks(50), seen=seen, retest=True)
    (answer,) = deliver(db, examiner, retested(enrolment))
    assert answer.code == "started_before"
    assert marks(db, enrolment) == [(40, {}), (50, {})]


def test_a_retest_after_the_closing_waits_with_its_marks(db, examiner, enrolment):
    deliver(db, examiner, scored(enrolment, 40, ago=30))
    offering = enrolment.offering
    with clock.at(clock.now() + timedelta(seconds=1)):
        offering.state, offering.closed_at = OfferingState.CLOSED, clock.now()
        offering.counted_on = clock.branch_today()
        db.flush()
        answers = deliver(db, examiner, retested(enrolment, ago=3), scored(enrolment, 80, ago=2))
    assert [answer.outcome for answer in answers] == [Outcome.REVIEW] * 2
    assert marks(db, enrolment) == [(40, {})]
    assert [(late.is_retest, late.score) for late in late_results.waiting(db, offering.id)] == [
        (True, None),
        (False, 80),
    ]
