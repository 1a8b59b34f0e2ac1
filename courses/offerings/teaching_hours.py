"""How long instructors taught, by role and year: from their own check-ins and check-outs.

A session that is over counts from the check-in to the check-out, within the session's planned hours; to its planned end for
whoever did not check out. Whoever never checked in is counted with no minutes and named as such: a plan is no proof. Of
cancelled offerings and drafts nothing counts. A year is that in which the session begins, on the branch's clock.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Integer, Interval, cast, func, literal, select
from sqlalchemy.orm import Session

from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor, TeachingRole
from instructors.models import Instructor

ORDER = {role: place for place, role in enumerate(TeachingRole)}


@dataclass(frozen=True)
class Taught:
    """One role in one year: sessions with a check-in, their minutes, and sessions without one."""

    year: int
    role: TeachingRole
    sessions: int
    minutes: int
    unproved: int


def of_instructor(db: Session, instructor_id: int, zone: ZoneInfo, now: datetime) -> list[Taught]:
    """The latest year first, and within it lead, assistant, examiner."""
    year = cast(func.extract("year", func.timezone(zone.key, CourseSession.starts_at)), Integer)
    rows = db.execute(
        select(year, SessionInstructor.role, *_sums())
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(SessionInstructor.instructor_id == instructor_id, held(now))
        .group_by(year, SessionInstructor.role)
    )
    found = [Taught(*row) for row in rows]
    return sorted(found, key=lambda one: (-one.year, ORDER[one.role]))


def own_id(db: Session, user_id: int) -> int | None:
    """The number in the register of the instructor whose account this is."""
    return db.scalars(select(Instructor.id).where(Instructor.user_id == user_id)).one_or_none()


def held(now: datetime) -> ColumnElement[bool]:
    """Sessions that are over, of offerings that took place, for statements over Offering and CourseSession."""
    return Offering.state.in_((OfferingState.PUBLISHED, OfferingState.CLOSED)) & (CourseSession.ends_at <= now)


def minutes() -> ColumnElement[int]:
    """Whole minutes of one instructor at one session, for statements over SessionInstructor and CourseSession."""
    came = func.greatest(SessionInstructor.arrived_at, CourseSession.starts_at)
    went = func.least(func.coalesce(SessionInstructor.left_at, CourseSession.ends_at), CourseSession.ends_at)
    stay = func.greatest(went - came, cast(literal("0"), Interval))
    return cast(func.floor(func.date_part("epoch", stay) / 60), Integer)


def _sums() -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    there = SessionInstructor.arrived_at.is_not(None)
    return (
        func.count().filter(there),
        cast(func.coalesce(func.sum(minutes()).filter(there), 0), BigInteger),
        func.count().filter(~there),
    )
