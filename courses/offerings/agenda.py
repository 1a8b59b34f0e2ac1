"""The agenda of an instructor: today's sessions, the coming ones, and earlier ones that still have to be closed."""

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
class AgendaEntry:
    """A session of an instructor, with the number of trainees who have a place and who are present.

    `teaching` holds the instructor's role and own check-in.
    """

    meeting: CourseSession
    teaching: SessionInstructor
    enrolled: int
    present: int


@dataclass(frozen=True)
class Agenda:
    """The sessions of an instructor, each list in the order of time.

    `today` holds the sessions that take place at any time today, `unclosed` those that ended before today and are not
    closed, and `coming` the next ones after today, at most `COMING_LIMIT`.
    """

    today: Sequence[AgendaEntry]
    unclosed: Sequence[AgendaEntry]
    coming: Sequence[AgendaEntry]


def of_instructor(db: Session, user_id: int, zone: ZoneInfo) -> Agenda:
    """The agenda of the instructor who has the user's account. Its lists are empty where no instructor has it."""
    day_start = datetime.combine(clock.today(zone), time.min, zone)
    day_end = day_start + timedelta(days=1)
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
    # A session that runs over midnight is one of today's sessions on both days.
    today = statement.where(CourseSession.starts_at < day_end, CourseSession.ends_at > day_start)
    unclosed = statement.where(CourseSession.ends_at <= day_start, CourseSession.closed_at.is_(None))
    coming = statement.where(CourseSession.starts_at >= day_end).limit(COMING_LIMIT)
    return Agenda(
        *([AgendaEntry(*row) for row in db.execute(query).all()] for query in (today, unclosed, coming)),
    )
