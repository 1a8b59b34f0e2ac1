"""Hours taught, by instructor and role: what the own check-ins prove, and beside it what was planned without one.

A session counts for the district that its offering is in, as everything else of the reports does, wherever its instructor is
registered. The rule of minutes is that of `courses.offerings.teaching_hours`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Select, and_, cast, func, select, true
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.offerings import CourseSession, Offering, SessionInstructor, TeachingRole
from courses.offerings.teaching_hours import minutes_taught, took_place
from courses.reports.filters import Filters, within
from courses.reports.ledger import asked, of_subject
from instructors.models import Instructor
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, fetch
from lms.organisations.models import Organisation


@dataclass(frozen=True)
class Hours:
    """What adds up, in minutes by role. sessions: with a check-in. missing: sessions without one, planned: their minutes."""

    lead: int = 0
    assistant: int = 0
    examiner: int = 0
    sessions: int = 0
    missing: int = 0
    planned: int = 0

    @property
    def taught(self) -> int:
        """Of all roles."""
        return self.lead + self.assistant + self.examiner

    def __add__(self, other: "Hours") -> "Hours":
        return Hours(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


class Order(StrEnum):
    """What the instructors are sorted by: the most first, but names from the beginning."""

    NAME = "name"
    LEAD = "lead"
    ASSISTANT = "assistant"
    EXAMINER = "examiner"
    TAUGHT = "taught"
    SESSIONS = "sessions"
    MISSING = "missing"
    PLANNED = "planned"


@dataclass(frozen=True)
class Row:
    """One instructor's hours."""

    instructor_id: int
    name: str
    registration_number: str
    hours: Hours


@dataclass(frozen=True)
class Report:
    """Every instructor who taught or was to. `branch`: the whole branch's sum for the same period and courses."""

    rows: list[Row]
    total: Hours
    branch: Hours


@dataclass(frozen=True)
class Taught:
    """One session of an instructor. minutes: proved; planned: those of a session without a check-in."""

    offering_id: int
    session_id: int
    starts_at: datetime
    ends_at: datetime
    role: TeachingRole
    arrived_at: datetime | None
    left_at: datetime | None
    minutes: int
    planned: int
    course_zh: str
    course_en: str
    host_zh: str
    host_en: str | None


@dataclass(frozen=True)
class TaughtSessions:
    """A page of an instructor's sessions, the latest first, and the sum over all pages."""

    name: str
    registration_number: str
    page: Page[Taught]
    total: Hours


def report(
    db: Session, filters: Filters, scope: Scope, *, order: Order = Order.TAUGHT, zone: ZoneInfo, now: datetime
) -> Report:
    """Answer in two statements at most. Raises NotFound for another district's."""
    within(filters, scope)
    statement = (
        _from(select(Instructor.id, Instructor.name, Instructor.registration_number, *_sums()), filters, zone, now)
        .where(asked(filters, scope))
        .group_by(Instructor.id)
    )
    rows = [Row(identity, name, number, Hours(*sums)) for identity, name, number, *sums in db.execute(statement)]
    total = sum((row.hours for row in rows), Hours())
    branch = total
    if filters.narrowed or not scope.everything:
        branch = Hours(*db.execute(_from(select(*_sums()), filters, zone, now)).one())
    return Report(sorted(rows, key=lambda row: _place(row, order)), total, branch)


def by_month(db: Session, filters: Filters, scope: Scope, *, zone: ZoneInfo, now: datetime) -> list[tuple[str, Hours]]:
    """The same sums by month, as in "2017-05", in one statement."""
    within(filters, scope)
    month = func.to_char(func.timezone(zone.key, CourseSession.starts_at), "YYYY-MM").label("month")
    statement = _from(select(month, *_sums()), filters, zone, now).where(asked(filters, scope)).group_by("month")
    return [(key, Hours(*sums)) for key, *sums in db.execute(statement.order_by("month"))]


def sessions(
    db: Session, instructor_id: int, filters: Filters, scope: Scope, *, part: Order = Order.NAME, zone: ZoneInfo,
    now: datetime, page: int = 1, size: int = PAGE_SIZE,
) -> TaughtSessions:  # fmt: skip
    """The sessions that an instructor's hours are made of; part: those alone that give to this figure.

    Raises NotFound for another district's, and for an instructor of elsewhere who did not teach here.
    """
    within(filters, scope)
    mine = and_(asked(filters, scope), Instructor.id == instructor_id, _of_part(part))
    sums = (
        _from(select(Instructor.name, Instructor.registration_number, *_sums()), filters, zone, now)
        .where(mine)
        .group_by(Instructor.id)
    )
    found = db.execute(sums).one_or_none()
    if found is None:
        instructor = fetch(db, Instructor, instructor_id, scope)
        return TaughtSessions(instructor.name, instructor.registration_number, Page([], 1, 1, 0), Hours())
    name, number, *added = found
    total = Hours(*added)
    every = total.sessions + total.missing
    pages = max(1, -(-every // size))
    page = min(max(page, 1), pages)
    statement = (
        _from(
            select(
                Offering.id, CourseSession.id, CourseSession.starts_at, CourseSession.ends_at, SessionInstructor.role,
                SessionInstructor.arrived_at, SessionInstructor.left_at, minutes_taught(), _planned(), Course.name_zh,
                Course.name_en, Organisation.name_zh, Organisation.name_en,
            ), filters, zone, now,
        )
        .where(mine)
        .order_by(CourseSession.starts_at.desc(), CourseSession.id.desc())
        .limit(size)
        .offset((page - 1) * size)
    )  # fmt: skip
    rows = [_taught(tuple[Any, ...](row)) for row in db.execute(statement)]
    return TaughtSessions(name, number, Page(rows, page, pages, every), total)


def _taught(row: tuple[Any, ...]) -> Taught:
    offering_id, session_id, starts_at, ends_at, role, arrived_at, left_at, proved, planned, *names = row
    there = arrived_at is not None
    return Taught(
        offering_id, session_id, starts_at, ends_at, role, arrived_at, left_at, int(proved) if there else 0,
        0 if there else int(planned), *names,
    )  # fmt: skip


def _place(row: Row, order: Order) -> tuple[object, ...]:
    if order is Order.NAME:
        return row.name, row.registration_number
    return -int(getattr(row.hours, order.value)), row.name, row.registration_number


def _from(
    statement: Select[*tuple[Any, ...]], filters: Filters, zone: ZoneInfo, now: datetime
) -> Select[*tuple[Any, ...]]:
    """Instructors at sessions that are over, of the period and the courses asked for."""
    since, until = (datetime.combine(day, time.min, zone) for day in (filters.since, filters.until + timedelta(days=1)))
    return (
        statement.select_from(SessionInstructor)
        .join(Instructor, Instructor.id == SessionInstructor.instructor_id)
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(took_place(now), CourseSession.starts_at >= since, CourseSession.starts_at < until, of_subject(filters))
    )


def _sums() -> Sequence[ColumnElement[int]]:
    """The figures of `Hours`, in its order."""
    there = SessionInstructor.arrived_at.is_not(None)
    return [
        *(_sum(minutes_taught(), there & (SessionInstructor.role == role)) for role in TeachingRole),
        func.count().filter(there),
        func.count().filter(~there),
        _sum(_planned(), ~there),
    ]


def _sum(of: ColumnElement[int], where: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(of).filter(where), 0), BigInteger)


def _of_part(part: Order) -> ColumnElement[bool]:
    """The sessions that a figure is made of; of the name, all of them."""
    there = SessionInstructor.arrived_at.is_not(None)
    if part is Order.NAME:
        return true()
    if part in {Order.MISSING, Order.PLANNED}:
        return ~there
    if part in {Order.TAUGHT, Order.SESSIONS}:
        return there
    return there & (SessionInstructor.role == TeachingRole(part.value))


def _planned() -> ColumnElement[int]:
    length = func.extract("epoch", CourseSession.ends_at - CourseSession.starts_at)
    return cast(func.floor(length / 60), BigInteger)
