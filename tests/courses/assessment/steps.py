"""Steps that the tests of results share: make a result as a device does, send it, and read what counts."""

from datetime import timedelta
from itertools import groupby
from uuid import uuid4

from courses.assessment import assessment, retests, skill_results, theory_marks
from courses.assessment.retests import RetestInput
from courses.assessment.skill_results import SkillInput
from courses.assessment.theory_marks import TheoryInput
from lms.core import clock
from lms.core.scope import EVERYTHING


def shown(enrolment, skill=0, *, passed=True, ago=0, **facts):
    """A skill of the course's checklist, shown so many minutes ago."""
    told = clock.now() - timedelta(minutes=ago)
    skill_id = enrolment.offering.course.skills[skill].id
    session_id = enrolment.offering.sessions[0].id
    return SkillInput(facts.pop("id", uuid4()), session_id, enrolment.id, skill_id, passed, told, **facts)


def send(db, examiner, *events, scope=EVERYTHING):
    return skill_results.record_all(db, events, user_id=examiner.id, device_id=None, scope=scope, now=clock.now())


def held(db, enrolment):
    return skill_results.skill_states(db, enrolment.offering_id).get(enrolment.id, {})


def scored(enrolment, score, *, ago=0, **facts):
    """A theory score entered so many minutes ago."""
    told = clock.now() - timedelta(minutes=ago)
    session_id = enrolment.offering.sessions[0].id
    return TheoryInput(facts.pop("id", uuid4()), session_id, enrolment.id, score, told, **facts)


def retested(enrolment, after=1, *, ago=0, **facts):
    """A retest started so many minutes ago."""
    told = clock.now() - timedelta(minutes=ago)
    session_id = enrolment.offering.sessions[0].id
    return RetestInput(facts.pop("id", uuid4()), session_id, enrolment.id, after, told, **facts)


def deliver(db, examiner, *events, device=None, scope=EVERYTHING):
    """Send events of any kind in their order, each run of one kind as a batch, as a device does."""
    rules = {SkillInput: skill_results, TheoryInput: theory_marks, RetestInput: retests}
    answers = []
    for kind, run in groupby(events, key=type):
        answers += rules[kind].record_all(
            db, list(run), user_id=examiner.id, device_id=device, scope=scope, now=clock.now()
        )
    return answers


def marks(db, enrolment):
    """The theory score and the skills of each attempt."""
    return [
        (attempt.theory_score, {result.skill_id: result.passed for result in attempt.skills})
        for attempt in assessment.attempts_of(db, enrolment.id)
    ]
