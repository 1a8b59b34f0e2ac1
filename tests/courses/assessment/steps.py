"""Steps that the tests of skill results share: make a result as a device does, send it, and read what counts."""

from datetime import timedelta
from uuid import uuid4

from courses.assessment import skill_results
from courses.assessment.skill_results import SkillInput
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
