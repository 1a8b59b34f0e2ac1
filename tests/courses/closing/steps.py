"""Steps that the tests of closing and of attendance share."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from courses.assessment import assessment
from courses.assessment.marking import Marks
from courses.attendance import recording, roster
from courses.events import OfferingClosed
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING
from tests.courses.attendance.test_recording import happening

ZONE = ZoneInfo("Asia/Shanghai")


def refusal(rule: Any, *arguments: Any, **keywords: Any) -> str:
    """Call a rule that must refuse, and return the code of its refusal."""
    with pytest.raises(DomainError) as caught:
        rule(*arguments, **keywords)
    return caught.value.code


def published(db: Session) -> list[OfferingClosed]:
    """Return the closings that were published and not committed yet."""
    return [event for event in db.info.get("events", []) if isinstance(event, OfferingClosed)]


def loaded(db: Session, offering: Offering, number: int = 0) -> CourseSession:
    """Load a session of an offering as the pages do."""
    return roster.load_session(db, offering.sessions[number].id, EVERYTHING)


def passing(db: Session, enrolment: Enrolment, score: int = 80) -> None:
    """Enter a theory score, and every skill as passed."""
    skills = {skill.id: True for skill in enrolment.offering.course.skills}
    assessment.save(db, enrolment, Marks(score, skills), seen="0.0", retest=False)


def arrived(db: Session, enrolment: Enrolment) -> Enrolment:
    """Check a trainee in now."""
    recording.record(db, happening(enrolment), now=clock.now())
    return enrolment
