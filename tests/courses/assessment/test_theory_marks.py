"""Theory marks from devices: the last by its moment counts in any order of arrival, and no examiner overwrites another."""

from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import func, select

from courses.assessment import assessment, late_results
from courses.assessment.marking import Marks
from courses.models.assessment import TheoryEvent
from courses.models.offerings import OfferingState
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.courses.assessment.steps import deliver, marks, scored
from tests.factories import Make


@pytest.fixture
def examiner(make: Make):
    return make.user(Role.INSTRUCTOR, name="王老师")


@pytest.fixture
def enrolment(make: Make, examiner):
    return make.enrolment(make.offering(course=make.new_course(skills=2), lead=make.instructor(user=examiner)))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_by_moment_counts_in_any_order_of_arrival(db, examiner, enrolment, order):
    events = [scored(enrolment, 40, ago=9), scored(enrolment, None, ago=6), scored(enrolment, 85, ago=3)]
    for number in order:
        deliver(db, examiner, events[number])
    assert marks(db, enrolment) == [(85, {})]
    deliver(db, examiner, scored(enrolment, None, ago=1))
    assert marks(db, enrolment) == [(None, {})]


def test_a_mark_is_kept_once_and_answered_the_same_again(db, make, examiner, enrolment):
    other = make.user(Role.INSTRUCTOR, name="李老师")
    event = scored(enrolment, 70, ago=3)
    (first,), (again,) = deliver(db, examiner, event), deliver(db, examiner, event)
    assert first == again
    assert (first.outcome, first.code, first.attempt, first.score) == (Outcome.ACCEPTED, "recorded", 1, 70)
    (earlier,) = deliver(db, other, scored(enrolment, 90, ago=5))
    assert (earlier.outcome, earlier.score, earlier.params) == (Outcome.ALREADY, 70, {"by": "王老师"})
    (conflict,) = deliver(db, examiner, scored(enrolment, 71, id=event.id))
    assert (conflict.outcome, conflict.code) == (Outcome.REJECTED, "event_conflict")
    assert db.scalar(select(func.count()).select_from(TheoryEvent)) == 2
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert (attempt.theory_score, attempt.examiner.user_id) == (70, examiner.id)
    assert db.scalars(select(AuditEntry).where(AuditEntry.action == "assessment.theory")).one().after == {
        "theory_score": 70,
        "attempt": 1,
    }


def test_the_page_and_a_device_overwrite_nothing_of_each_other(db, examiner, enrolment):
    skill = enrolment.offering.course.skills[0].id
    offline = scored(enrolment, 55, ago=2)
    assessment.save(db, enrolment, Marks(80, {skill: True}), seen="0.0", retest=False)
    assert deliver(db, examiner, offline)[0].code == "superseded"
    deliver(db, examiner, scored(enrolment, 82))
    assert marks(db, enrolment) == [(82, {skill: True})]


def test_a_foreign_person_is_not_found_and_a_late_mark_waits(db, make, examiner, enrolment):
    offering, stranger = enrolment.offering, make.enrolment(make.offering())
    elsewhere = replace(scored(stranger, 70), session_id=offering.sessions[0].id)
    (foreign,) = deliver(db, examiner, elsewhere)
    assert foreign.code == "not_found"
    offering.state, offering.closed_at, offering.counted_on = OfferingState.CLOSED, clock.now(), clock.branch_today()
    db.flush()
    (late,) = deliver(db, examiner, scored(enrolment, 88))
    assert (late.outcome, late.code) == (Outcome.REVIEW, "offering_closed")
    assert marks(db, enrolment) == []
    (waiting,) = late_results.waiting(db, offering.id)
    assert (waiting.score, waiting.skill, waiting.is_retest, waiting.by) == (88, None, False, "王老师")


def test_a_hundred_marks_need_few_statements(db, make, examiner, enrolment, statements):
    events = [scored(make.enrolment(enrolment.offering), 60 + number % 40) for number in range(100)]
    deliver(db, examiner, *events)
    statements.clear()
    deliver(db, examiner, *events)
    assert len(statements) <= 7
