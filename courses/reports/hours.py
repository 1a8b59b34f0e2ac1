"""Hours taught, by instructor and role: minutes that check-ins prove, and sessions without a check-in.

A session counts for the district of its offering, as in all other reports, wherever its instructor is registered.
`courses.offerings.teaching_hours` holds the rule of minutes.
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
from courses.reports.ledger import course_matches, offering_matches, organisation_matches
from courses.reports.questions import Filters, Question
from instructors.models import Instructor
from lms.core.name_order import by_sound
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import fetch
from lms.organisations.models import Organisation


@dataclass(frozen=True)
class Hours:
    """Hours of teaching, in minutes; they add up field by field.

    lead, assistant, examiner: taught in this role. sessions: with a check-in. missing: sessions without a check-in;
    planned: the planned minutes of these.
    """

    lead: int = 0
    assistant: int = 0
    examiner: int = 0
    sessions: int = 0
    missing: int = 0
    planned: int = 0

    @property
    def taught(self) -> int:
        """The minutes of all roles."""
        return self.lead + self.assistant + self.examiner

    def __add__(self, other: "Hours") -> "Hours":
        return Hours(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


class HoursColumn(StrEnum):
    """A column of the table, by the attribute of `Hours` that it shows; `NAME` is the instructor's name.

    The table is sorted by a column, largest first, but names from the beginning. A drill-down shows the sessions of a
    column.
    """

    NAME = "name"
    LEAD = "lead"
    ASSISTANT = "assistant"
    EXAMINER = "examiner"
    TAUGHT = "taught"
    SESSIONS = "sessions"
    MISSING = "missing"
    PLANNED = "planned"


@dataclass(frozen=True)
class InstructorHours:
    """The hours of one instructor."""

    instructor_id: int
    name: str
    registration_number: str
    hours: Hours


@dataclass(frozen=True)
class HoursReport:
    """Every instructor who taught or was to teach. branch: the whole branch's sum for the same period and courses."""

    rows: list[InstructorHours]
    total: Hours
    branch: Hours


@dataclass(frozen=True)
class TaughtSession:
    """A session of an instructor. minutes: proved by the check-in.

    planned: the minutes of a session without a check-in.
    """

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
    page: Page[TaughtSession]
    total: Hours


def report(
    db: Session, question: Question, *, sort_by: HoursColumn = HoursColumn.TAUGHT, zone: ZoneInfo, now: datetime
) -> HoursReport:
    """Answer a question, in two statements at most. zone: in which days begin and end.

    now: sessions until then are over.
    """
    filters = question.filters
    # The sums are made before the names come in: joining hundreds of thousands of sessions with them took a third more.
    sums = (
        _sessions_alone(select(SessionInstructor.instructor_id, *_sums()), filters, zone, now)
        .where(offering_matches(question))
        .group_by(SessionInstructor.instructor_id)
        .subquery("sums")
    )
    by_instructor, *columns = sums.c
    statement = select(Instructor.id, Instructor.name, Instructor.registration_number, *columns).join(
        sums, by_instructor == Instructor.id
    )
    rows = [
        InstructorHours(instructor_id, name, number, Hours(*sums))
        for instructor_id, name, number, *sums in db.execute(statement)
    ]
    total = sum((row.hours for row in rows), Hours())
    branch = total
    if question.beside_branch:
        branch = Hours(*db.execute(_sessions_alone(select(*_sums()), filters, zone, now)).one())
    return HoursReport(sorted(rows, key=lambda row: _sort_key(row, sort_by)), total, branch)


def by_month(db: Session, question: Question, *, zone: ZoneInfo, now: datetime) -> list[tuple[str, Hours]]:
    """The sums by month, as "2017-05", in one statement."""
    month = func.to_char(func.timezone(zone.key, CourseSession.starts_at), "YYYY-MM").label("month")
    statement = (
        _past_sessions(select(month, *_sums()), question.filters, zone, now)
        .where(offering_matches(question))
        .group_by("month")
        .order_by("month")
    )
    return [(key, Hours(*sums)) for key, *sums in db.execute(statement)]


def taught_sessions(
    db: Session, instructor_id: int, question: Question, *, column: HoursColumn = HoursColumn.NAME, zone: ZoneInfo,
    now: datetime, page: int = 1, size: int = PAGE_SIZE,
) -> TaughtSessions:  # fmt: skip
    """A page of the sessions that an instructor's hours are made of. column: only the sessions that add to this figure.

    Raises NotFound for an instructor who is registered outside of the scope and taught nothing in it.
    """
    filters = question.filters
    of_instructor = and_(offering_matches(question), Instructor.id == instructor_id, _adds_to(column))
    sums = (
        _past_sessions(select(Instructor.name, Instructor.registration_number, *_sums()), filters, zone, now)
        .where(of_instructor)
        .group_by(Instructor.id)
    )
    answer = db.execute(sums).one_or_none()
    if answer is None:
        instructor = fetch(db, Instructor, instructor_id, question.scope)
        return TaughtSessions(instructor.name, instructor.registration_number, Page([], 1, 1, 0), Hours())
    name, registration_number, *sums_of_all = answer
    total = Hours(*sums_of_all)
    sessions = total.sessions + total.missing
    pages = max(1, -(-sessions // size))
    page = min(max(page, 1), pages)
    statement = (
        _past_sessions(
            select(
                Offering.id, CourseSession.id, CourseSession.starts_at, CourseSession.ends_at, SessionInstructor.role,
                SessionInstructor.arrived_at, SessionInstructor.left_at, minutes_taught(), _planned_minutes(), Course.name_zh,
                Course.name_en, Organisation.name_zh, Organisation.name_en,
            ), filters, zone, now,
        )
        .where(of_instructor)
        .order_by(CourseSession.starts_at.desc(), CourseSession.id.desc())
        .limit(size)
        .offset((page - 1) * size)
    )  # fmt: skip
    rows = [_taught_session(tuple[Any, ...](row)) for row in db.execute(statement)]
    return TaughtSessions(name, registration_number, Page(rows, page, pages, sessions), total)


def _taught_session(row: tuple[Any, ...]) -> TaughtSession:
    offering_id, session_id, starts_at, ends_at, role, arrived_at, left_at, proved, planned, *names = row
    checked_in = arrived_at is not None
    return TaughtSession(
        offering_id, session_id, starts_at, ends_at, role, arrived_at, left_at, int(proved) if checked_in else 0,
        0 if checked_in else int(planned), *names,
    )  # fmt: skip


def _sort_key(row: InstructorHours, column: HoursColumn) -> tuple[object, ...]:
    if column is HoursColumn.NAME:
        return by_sound(row.name), row.registration_number
    return -int(getattr(row.hours, column.value)), by_sound(row.name), row.registration_number


def _past_sessions(
    statement: Select[*tuple[Any, ...]], filters: Filters, zone: ZoneInfo, now: datetime
) -> Select[*tuple[Any, ...]]:
    """FROM and WHERE: instructors at sessions that are over, of the period and the courses asked for."""
    return _limited(
        statement.select_from(SessionInstructor)
        .join(Instructor, Instructor.id == SessionInstructor.instructor_id)
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id),
        filters,
        zone,
        now,
    )


def _sessions_alone(
    statement: Select[*tuple[Any, ...]], filters: Filters, zone: ZoneInfo, now: datetime
) -> Select[*tuple[Any, ...]]:
    """The same without the tables that only names come from, unless a filter is about them."""
    statement = (
        statement.select_from(SessionInstructor)
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
    )
    if filters.programme is not None or filters.refresher is not None:
        statement = statement.join(Course, Course.id == Offering.course_id)
    if organisation_matches(filters) is not None:
        statement = statement.join(Organisation, Organisation.id == Offering.organisation_id)
    return _limited(statement, filters, zone, now)


def _limited(
    statement: Select[*tuple[Any, ...]], filters: Filters, zone: ZoneInfo, now: datetime
) -> Select[*tuple[Any, ...]]:
    since, until = (datetime.combine(day, time.min, zone) for day in (filters.since, filters.until + timedelta(days=1)))
    return statement.where(
        took_place(now), CourseSession.starts_at >= since, CourseSession.starts_at < until, course_matches(filters)
    )


def _sums() -> Sequence[ColumnElement[int]]:
    """The sums of the fields of `Hours`, in their order."""
    checked_in = SessionInstructor.arrived_at.is_not(None)
    return [
        *(
            _sum(minutes_taught(), checked_in & (SessionInstructor.role == role)).label(role.value)
            for role in TeachingRole
        ),
        func.count().filter(checked_in).label("sessions"),
        func.count().filter(~checked_in).label("missing"),
        _sum(_planned_minutes(), ~checked_in).label("planned"),
    ]


def _sum(of: ColumnElement[int], where: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(of).filter(where), 0), BigInteger)


def _adds_to(column: HoursColumn) -> ColumnElement[bool]:
    """The condition for the sessions that add to a column; all sessions for `NAME`."""
    checked_in = SessionInstructor.arrived_at.is_not(None)
    if column is HoursColumn.NAME:
        return true()
    if column in {HoursColumn.MISSING, HoursColumn.PLANNED}:
        return ~checked_in
    if column in {HoursColumn.TAUGHT, HoursColumn.SESSIONS}:
        return checked_in
    return checked_in & (SessionInstructor.role == TeachingRole(column.value))


def _planned_minutes() -> ColumnElement[int]:
    length = func.extract("epoch", CourseSession.ends_at - CourseSession.starts_at)
    return cast(func.floor(length / 60), BigInteger)
