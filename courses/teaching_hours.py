"""How long instructors taught, by role and year: from their own check-ins and check-outs.

A session that is over counts from the check-in to the check-out, within the session's planned hours; to its planned end for
whoever did not check out. Whoever never checked in is counted with no minutes and named as such: a plan is no proof. Of
cancelled offerings and drafts nothing counts. A year is that in which the session begins, on the branch's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Integer, Interval, cast, func, literal, select
from sqlalchemy.orm import Session

from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor, TeachingRole
from instructors.models import Instructor
from lms.core.scope import Scope

ORDER = {role: place for place, role in enumerate(TeachingRole)}


@dataclass(frozen=True)
class Taught:
    """One role in one year: sessions with a check-in, their minutes, and sessions without one."""

    year: int
    role: TeachingRole
    sessions: int
    minutes: int
    unproved: int


@dataclass(frozen=True)
class Teacher:
    """One instructor over a period: minutes and sessions by role, and sessions without a check-in."""

    instructor_id: int
    name: str
    registration_number: str
    minutes: dict[TeachingRole, int]
    sessions: dict[TeachingRole, int]
    unproved: int


def of_instructor(db: Session, instructor_id: int, zone: ZoneInfo, now: datetime) -> list[Taught]:
    """The latest year first, and within it lead, assistant, examiner."""
    year = cast(func.extract("year", func.timezone(zone.key, CourseSession.starts_at)), Integer)
    rows = db.execute(
        select(year, SessionInstructor.role, *_sums())
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(SessionInstructor.instructor_id == instructor_id, _held(now))
        .group_by(year, SessionInstructor.role)
    )
    found = [Taught(*row) for row in rows]
    return sorted(found, key=lambda one: (-one.year, ORDER[one.role]))


def by_instructor(
    db: Session, scope: Scope, *, first: date, last: date, zone: ZoneInfo, now: datetime
) -> Sequence[Teacher]:
    """Every instructor whom the reader sees and who was to teach from the first day to the last, by name."""
    since, until = (datetime.combine(day, time.min, zone) for day in (first, last + timedelta(days=1)))
    statement = (
        select(Instructor.id, Instructor.name, Instructor.registration_number, SessionInstructor.role, *_sums())
        .join(SessionInstructor, SessionInstructor.instructor_id == Instructor.id)
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(_held(now), CourseSession.starts_at >= since, CourseSession.starts_at < until)
        .where(Instructor.visible_to(scope))
        .group_by(Instructor.id, SessionInstructor.role)
        .order_by(Instructor.name, Instructor.id)
    )
    found: dict[int, Teacher] = {}
    for identity, name, number, role, sessions, minutes, unproved in db.execute(statement):
        known = found.get(identity, Teacher(identity, name, number, {}, {}, 0))
        found[identity] = Teacher(
            identity, name, number, known.minutes | {role: minutes}, known.sessions | {role: sessions},
            known.unproved + unproved,
        )  # fmt: skip
    return list(found.values())


def own_id(db: Session, user_id: int) -> int | None:
    """The number in the register of the instructor whose account this is."""
    return db.scalars(select(Instructor.id).where(Instructor.user_id == user_id)).one_or_none()


def _held(now: datetime) -> ColumnElement[bool]:
    return Offering.state.in_((OfferingState.PUBLISHED, OfferingState.CLOSED)) & (CourseSession.ends_at <= now)


def _sums() -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    came = func.greatest(SessionInstructor.arrived_at, CourseSession.starts_at)
    went = func.least(func.coalesce(SessionInstructor.left_at, CourseSession.ends_at), CourseSession.ends_at)
    stay = func.greatest(went - came, cast(literal("0"), Interval))
    there = SessionInstructor.arrived_at.is_not(None)
    minutes = func.sum(cast(func.floor(func.extract("epoch", stay) / 60), BigInteger)).filter(there)
    return (
        func.count().filter(there),
        cast(func.coalesce(minutes, 0), BigInteger),
        func.count().filter(~there),
    )
