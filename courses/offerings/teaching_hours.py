"""Teaching hours of instructors, by role and year, from their own check-ins and check-outs.

A session that is over counts from the instructor's check-in to the check-out, within the session's planned times, and
to its planned end without a check-out. A session without a check-in counts no minutes and is shown as such, because a
plan is no proof. Sessions of drafts and cancelled offerings do not count. A session belongs to the year in which it
begins, in the branch's time zone.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Integer, Interval, cast, func, literal, select
from sqlalchemy.orm import Session

from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor, TeachingRole
from instructors.models import Instructor

ROLE_ORDER = {role: position for position, role in enumerate(TeachingRole)}


@dataclass(frozen=True)
class TeachingHours:
    """The hours of one role in one year: sessions with a check-in, their minutes, and sessions without a check-in."""

    year: int
    role: TeachingRole
    sessions: int
    minutes: int
    without_check_in: int


def of_instructor(db: Session, instructor_id: int, zone: ZoneInfo, now: datetime) -> list[TeachingHours]:
    """The teaching hours of an instructor: the latest year first, and within a year lead, assistant, examiner."""
    year = cast(func.extract("year", func.timezone(zone.key, CourseSession.starts_at)), Integer)
    rows = db.execute(
        select(year, SessionInstructor.role, *_sums())
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(SessionInstructor.instructor_id == instructor_id, took_place(now))
        .group_by(year, SessionInstructor.role)
    )
    hours = [TeachingHours(*row) for row in rows]
    return sorted(hours, key=lambda row: (-row.year, ROLE_ORDER[row.role]))


def instructor_id_of(db: Session, user_id: int) -> int | None:
    """The id of the instructor who has the user's account, or None."""
    return db.scalars(select(Instructor.id).where(Instructor.user_id == user_id)).one_or_none()


def took_place(now: datetime) -> ColumnElement[bool]:
    """A condition on Offering and CourseSession: the session is over, and its offering is neither a draft nor
    cancelled.
    """
    return Offering.state.in_((OfferingState.PUBLISHED, OfferingState.CLOSED)) & (CourseSession.ends_at <= now)


def minutes_taught() -> ColumnElement[int]:
    """An expression over SessionInstructor and CourseSession: the whole minutes of the instructor at the session."""
    began_at = func.greatest(SessionInstructor.arrived_at, CourseSession.starts_at)
    ended_at = func.least(func.coalesce(SessionInstructor.left_at, CourseSession.ends_at), CourseSession.ends_at)
    duration = func.greatest(ended_at - began_at, cast(literal("0"), Interval))
    return cast(func.floor(func.date_part("epoch", duration) / 60), Integer)


def _sums() -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    checked_in = SessionInstructor.arrived_at.is_not(None)
    return (
        func.count().filter(checked_in),
        cast(func.coalesce(func.sum(minutes_taught()).filter(checked_in), 0), BigInteger),
        func.count().filter(~checked_in),
    )
