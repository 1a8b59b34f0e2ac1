"""Skill results from devices: any order gives the same, nothing is lost, and two examiners take nothing from each other."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from courses.assessment import assessment
from courses.assessment.marking import Marks
from courses.assessment.skill_results import SkillInput
from courses.closing import judging
from courses.models.assessment import SkillEvent, SkillResult
from courses.outcomes import Outcome
from lms.core import clock
from lms.core.audit import AuditEntry
from lms.core.scope import Role
from tests.courses.assessment.steps import held, send, shown
from tests.factories import Make


@pytest.fixture
def examiner(make: Make):
    return make.user(Role.INSTRUCTOR, name="王老师")


@pytest.fixture
def offering(make: Make, examiner):
    return make.offering(course=make.new_course(skills=3), lead=make.instructor(user=examiner))


@pytest.fixture
def enrolment(make: Make, offering):
    return make.enrolment(offering)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 50)), min_size=1, max_size=8), st.randoms())
@hypothesis_settings(max_examples=25)
def test_stored_results_are_the_same_in_any_order_of_arrival(db, make, results, random):
    examiner = make.user(Role.INSTRUCTOR)
    offering = make.offering(course=make.new_course(skills=3))
    tables = []
    ids = [uuid4() for _ in results]
    now = clock.now()
    for _round in range(3):
        enrolment = make.enrolment(offering)
        turned = list(enumerate(results))
        random.shuffle(turned)
        for number, (skill, passed, ago) in [*turned, turned[0]]:
            event = shown(enrolment, skill, passed=passed, id=UUID(int=ids[number].int ^ enrolment.id))
            send(db, examiner, replace(event, told_at=now - timedelta(minutes=ago)))
        best = {}
        for number, (skill, passed, ago) in enumerate(results):
            key = (-ago, UUID(int=ids[number].int ^ enrolment.id))
            best[skill] = max(best.get(skill, (key, passed)), (key, passed))
        skills = offering.course.skills
        assert held(db, enrolment) == {skills[skill].id: passed for skill, (_key, passed) in best.items()}
        tables.append(held(db, enrolment))
    moments = [(skill, ago) for skill, _passed, ago in results]
    if len(set(moments)) == len(moments):
        assert tables[0] == tables[1] == tables[2]


def test_a_result_is_kept_once_and_answered_the_same_again(db, examiner, enrolment):
    event = shown(enrolment, ago=3, offset_ms=1000)
    (first,) = send(db, examiner, event)
    (again,) = send(db, examiner, event)
    assert first == again
    assert (first.outcome, first.code, first.passed) == (Outcome.ACCEPTED, "recorded", True)
    (row,) = db.scalars(select(SkillEvent)).all()
    assert row.happened_at == event.told_at + timedelta(seconds=1)
    assert (row.user_id, row.told_at, row.attempt) == (examiner.id, event.told_at, 1)
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert attempt.examiner.user_id == examiner.id
    assert db.scalars(select(AuditEntry).where(AuditEntry.action == "assessment.skill")).one().after["passed"] is True


def test_the_same_number_for_another_result_is_a_conflict(db, examiner, enrolment):
    event = shown(enrolment)
    send(db, examiner, event)
    (answer,) = send(db, examiner, shown(enrolment, passed=False, id=event.id))
    assert (answer.outcome, answer.code) == (Outcome.REJECTED, "event_conflict")
    assert held(db, enrolment) == {event.skill_id: True}


def test_the_earlier_result_is_told_that_a_later_one_counts(db, make, examiner, enrolment):
    other = make.user(Role.INSTRUCTOR, name="李老师")
    send(db, other, shown(enrolment, passed=True, ago=1))
    (answer,) = send(db, examiner, shown(enrolment, passed=False, ago=9))
    assert (answer.outcome, answer.code, answer.passed, answer.params) == (
        Outcome.ALREADY,
        "superseded",
        True,
        {"by": "李老师"},
    )
    assert db.scalar(select(func.count()).select_from(SkillEvent)) == 2


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_result_belongs_to_the_attempt_that_had_begun(db, examiner, enrolment, order):
    early = shown(enrolment, passed=False, ago=30)
    saved = clock.now()
    with clock.at(saved - timedelta(minutes=20)):
        assessment.save(db, enrolment, Marks(50), seen="0.0", retest=False)
    with clock.at(saved - timedelta(minutes=10)):
        seen = assessment.form_version(assessment.attempts_of(db, enrolment.id))
        assessment.save(db, enrolment, Marks(70), seen=seen, retest=True)
    later = [shown(enrolment, passed=True, ago=5), shown(enrolment, 1, passed=False, ago=15)]
    events = [early, *later]
    for number in order:
        send(db, examiner, events[number])
    first, second = assessment.attempts_of(db, enrolment.id)
    assert {one.skill_id: one.passed for one in first.skills} == {early.skill_id: False, later[1].skill_id: False}
    assert {one.skill_id: one.passed for one in second.skills} == {later[0].skill_id: True}


def test_results_of_foreign_people_and_skills_are_rejected_one_by_one(db, make, examiner, enrolment):
    good, elsewhere = shown(enrolment), make.enrolment(make.offering())
    foreign = make.new_course().skills[0].id
    wrong = [
        SkillInput(uuid4(), good.session_id, elsewhere.id, good.skill_id, True, clock.now()),
        SkillInput(uuid4(), good.session_id, enrolment.id, foreign, True, clock.now()),
        SkillInput(uuid4(), 2**70, enrolment.id, good.skill_id, True, clock.now()),
        SkillInput(uuid4(), good.session_id, enrolment.id, 0, True, clock.now()),
    ]
    answers = send(db, examiner, *wrong, good)
    assert [answer.code for answer in answers] == ["not_found"] * 4 + ["recorded"]


def test_two_examiners_on_one_page_and_two_devices_keep_everything(db, make, examiner, enrolment):
    skills = [skill.id for skill in enrolment.offering.course.skills]
    seen = assessment.form_version(assessment.attempts_of(db, enrolment.id))
    send(db, examiner, shown(enrolment, 0, passed=True, ago=1))
    first, second = make.instructor(), make.instructor()
    assessment.save(db, enrolment, Marks(80, {skills[1]: True}, first.id), seen=seen, retest=False)
    assessment.save(db, enrolment, Marks(None, {skills[2]: False}, second.id), seen=seen, retest=False)
    (attempt,) = assessment.attempts_of(db, enrolment.id)
    assert {one.skill_id: one.passed for one in attempt.skills} == {
        skills[0]: True,
        skills[1]: True,
        skills[2]: False,
    }
    assert attempt.theory_score == 80


def test_a_correction_on_the_page_holds_against_an_older_result_that_arrives_later(db, examiner, enrolment):
    event = shown(enrolment, passed=True, ago=2)
    assessment.save(db, enrolment, Marks(None, {event.skill_id: False}), seen="0.0", retest=False)
    (answer,) = send(db, examiner, event)
    assert answer.code == "superseded"
    assert held(db, enrolment) == {event.skill_id: False}


def test_a_skill_that_is_taken_back_on_the_page_stays_so(db, examiner, enrolment):
    event = shown(enrolment, passed=True, ago=2)
    other = shown(enrolment, 1, passed=True, ago=2)
    send(db, examiner, event, other)
    seen = assessment.form_version(assessment.attempts_of(db, enrolment.id))
    assessment.save(db, enrolment, Marks(None, {other.skill_id: True}), seen=seen, retest=False)
    send(db, examiner, shown(enrolment, passed=True, ago=1))
    assert held(db, enrolment) == {other.skill_id: True}
    assert db.scalar(select(func.count()).select_from(SkillResult)) == 1


def test_a_result_from_a_device_counts_for_the_certificate(db, make, examiner, offering):
    offering.course.pass_mark = None
    enrolment = make.enrolment(offering)
    send(db, examiner, *(shown(enrolment, number) for number in range(3)))
    (judged,) = [one for one in judging.judgements(db, offering.id) if one.enrolment.id == enrolment.id]
    assert judged.verdict.shortfalls == ("absent",)


def test_a_batch_of_a_hundred_needs_few_statements(db, make, examiner, offering, statements):
    people = [make.enrolment(offering) for _ in range(33)]
    events = [shown(person, number) for person in people for number in range(3)]
    assert len(send(db, examiner, *events)) == 99
    statements.clear()
    send(db, examiner, *events)
    assert len(statements) <= 8
