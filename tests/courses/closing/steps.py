"""Steps that the tests of closing and of attendance share."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from courses.assessment import assessment
from courses.assessment.marking import Marks
from courses.attendance import recording, roster
from courses.attendance.check_ins import AttendanceInput
from courses.events import OfferingClosed
from courses.models.attendance import AttendanceKind
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering
from lms.core import clock
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING
from tests.courses.attendance.test_recording import happening
from tests.factories import Make

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


def attends(db: Session, enrolment: Enrolment, meeting: CourseSession, *, late: int = 0, early: int = 0) -> None:
    """Check a trainee in at a session, some minutes after its start, and out some minutes before its end."""
    came = meeting.starts_at + timedelta(minutes=late)
    recording.record(db, AttendanceInput(uuid4(), meeting.id, enrolment.id, told_at=came), now=came)
    if early:
        left = meeting.ends_at - timedelta(minutes=early)
        event = AttendanceInput(uuid4(), meeting.id, enrolment.id, AttendanceKind.LEAVE, told_at=left)
        recording.record(db, event, now=left)


def two_sessions(make: Make, **facts: Any) -> Offering:
    """An offering of two sessions of two hours each, both over. facts: of its course, which has four hours and no tests."""
    values = {"pass_mark": None, "skills": 0, "hours": Decimal(4)} | facts
    start = clock.now().replace(second=0, microsecond=0) - timedelta(hours=30)
    return make.offering(course=make.new_course(**values), starts=[start, start + timedelta(hours=24)], hours=2)
