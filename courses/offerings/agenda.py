"""An instructor's day: the sessions of today, those that come, and those that still have to be closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from courses.models.attendance import Attendance
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from instructors.models import Instructor
from lms.core import clock

COMING_LIMIT = 20


@dataclass(frozen=True)
class Entry:
    """One session of an instructor. Places filled, people present, and the own check-in."""

    meeting: CourseSession
    teaching: SessionInstructor
    enrolled: int
    present: int


@dataclass(frozen=True)
class Agenda:
    """today: by time. unclosed: earlier ones that are still open, the oldest first. coming: the next ones."""

    today: Sequence[Entry]
    unclosed: Sequence[Entry]
    coming: Sequence[Entry]


def of_instructor(db: Session, user_id: int, zone: ZoneInfo) -> Agenda:
    """What an instructor has before them, by the account's number; three empty lists for whoever is none."""
    dawn = datetime.combine(clock.today(zone), time.min, zone)
    dusk = dawn + timedelta(days=1)
    enrolled = (
        select(func.count())
        .where(Enrolment.offering_id == CourseSession.offering_id, Enrolment.state.in_(HOLDS_PLACE))
        .correlate(CourseSession)
        .scalar_subquery()
    )
    present = (
        select(func.count())
        .where(Attendance.course_session_id == CourseSession.id)
        .correlate(CourseSession)
        .scalar_subquery()
    )
    offering = joinedload(CourseSession.offering)
    statement = (
        select(CourseSession, SessionInstructor, enrolled, present)
        .join(SessionInstructor, SessionInstructor.course_session_id == CourseSession.id)
        .join(Instructor, Instructor.id == SessionInstructor.instructor_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(Instructor.user_id == user_id, Offering.state.in_((OfferingState.PUBLISHED, OfferingState.CLOSED)))
        .options(offering.joinedload(Offering.course), offering.joinedload(Offering.organisation))
        .order_by(CourseSession.starts_at, CourseSession.id)
    )
    # A session that runs over midnight is today's on both days.
    today = statement.where(CourseSession.starts_at < dusk, CourseSession.ends_at > dawn)
    unclosed = statement.where(CourseSession.ends_at <= dawn, CourseSession.closed_at.is_(None))
    coming = statement.where(CourseSession.starts_at >= dusk).limit(COMING_LIMIT)
    return Agenda(
        *([Entry(*row) for row in db.execute(chosen).all()] for chosen in (today, unclosed, coming)),
    )
