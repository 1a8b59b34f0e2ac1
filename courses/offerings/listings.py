"""Offerings in lists: the staff's and the public's, each a page in one statement."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, false, func, or_, select, true
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings.offerings import OPEN
from instructors.models import Instructor
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, visible
from lms.organisations.models import District, Organisation


class Shown(StrEnum):
    """Which states a list shows; `current` is what somebody still has to work on."""

    CURRENT = "current"
    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    ALL = "all"


@dataclass(frozen=True)
class Filters:
    """What a list of offerings is narrowed to. Days are the branch's, both included; they mean any session."""

    shown: Shown = Shown.CURRENT
    programme_code: str | None = None
    district_id: int | None = None
    organisation: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    search: str | None = None


@dataclass(frozen=True)
class Names:
    """A name in both languages, for the `named` filter."""

    name_zh: str
    name_en: str | None


@dataclass(frozen=True)
class Row:
    """One offering in a list."""

    id: int
    state: OfferingState
    course: Names
    programme: Names
    organisation: Names
    district: Names
    place: str
    lead: str | None
    by_invitation: bool
    capacity: int
    enrolled: int
    waiting: int
    sessions: int
    starts_at: datetime | None
    ends_at: datetime | None

    @property
    def free(self) -> int:
        """Places left."""
        return max(0, self.capacity - self.enrolled)


def held(state: ColumnElement[bool]) -> Any:
    """How many enrolments of the offering at hand are in some state, as a column."""
    return (
        select(func.count()).select_from(Enrolment).where(Enrolment.offering_id == Offering.id, state).scalar_subquery()
    )


def listing(db: Session, filters: Filters, scope: Scope, *, zone: ZoneInfo, page: int = 1) -> Page[Row]:
    """A page of offerings in one statement: the current ones soonest first, the others latest first."""
    meetings = (
        select(
            func.min(CourseSession.starts_at).label("starts_at"),
            func.max(CourseSession.ends_at).label("ends_at"),
            func.count().label("sessions"),
        )
        .where(CourseSession.offering_id == Offering.id)
        .lateral("meetings")
    )
    statement: Any = (
        select(
            Offering.id, Offering.state, Offering.place, Offering.by_invitation, Offering.capacity,
            Course.name_zh, Course.name_en, Programme.name_zh, Programme.name_en,
            Organisation.name_zh, Organisation.name_en, District.name_zh, District.name_en,
            Instructor.name,
            held(Enrolment.state.in_(HOLDS_PLACE)),
            held(Enrolment.state == EnrolmentState.WAITLISTED),
            meetings.c.sessions, meetings.c.starts_at, meetings.c.ends_at,
            func.count().over(),
        )
    )  # fmt: skip
    statement = joined(statement, meetings)
    statement = narrowed(visible(statement, Offering, scope), filters, zone)
    if filters.shown is Shown.CURRENT:
        statement = statement.order_by(meetings.c.starts_at.asc().nulls_last(), Offering.id)
    else:
        statement = statement.order_by(meetings.c.starts_at.desc().nulls_first(), Offering.id.desc())
    page = max(page, 1)
    found = db.execute(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    if not found and page > 1:
        return listing(db, filters, scope, zone=zone)
    total = found[0][-1] if found else 0
    rows = [
        Row(
            id=row[0], state=OfferingState(row[1]), place=row[2], by_invitation=row[3], capacity=row[4],
            course=Names(row[5], row[6]), programme=Names(row[7], row[8]),
            organisation=Names(row[9], row[10]), district=Names(row[11], row[12]),
            lead=row[13], enrolled=row[14], waiting=row[15], sessions=row[16], starts_at=row[17], ends_at=row[18],
        )
        for row in found
    ]  # fmt: skip
    return Page(rows=rows, page=page, pages=max(1, -(-total // PAGE_SIZE)), total=total)


def joined(statement: Any, meetings: Any) -> Any:
    """A SELECT of offerings with what a list names beside each: course, programme, host, district, lead, and its sessions."""
    return (
        statement.select_from(Offering)
        .join(Offering.course)
        .join(Course.programme)
        .join(Offering.organisation)
        .join(Offering.district)
        .outerjoin(Offering.lead_instructor)
        .join(meetings, onclause=true())
    )


def narrowed(statement: Any, filters: Filters, zone: ZoneInfo) -> Any:
    """A SELECT that draws on offering, course, organisation and lead, narrowed to the filters."""
    if filters.shown is Shown.CURRENT:
        statement = statement.where(Offering.state.in_(OPEN))
    elif filters.shown is not Shown.ALL:
        statement = statement.where(Offering.state == filters.shown.value)
    if filters.programme_code:
        statement = statement.where(Course.programme_code == filters.programme_code)
    if filters.district_id is not None:
        statement = statement.where(Offering.district_id == filters.district_id)
    if filters.organisation:
        statement = statement.where(_contains(filters.organisation, Organisation.name_zh, Organisation.name_en))
    if filters.search:
        columns = (
            Course.name_zh, Course.name_en, Course.code, Organisation.name_zh, Organisation.name_en,
            Offering.place, Instructor.name,
        )  # fmt: skip
        statement = statement.where(*(_contains(word, *columns) for word in filters.search.split()[:8]))
    if filters.first_day or filters.last_day:
        statement = statement.where(in_period(filters.first_day, filters.last_day, zone))
    return statement


def in_period(first_day: date | None, last_day: date | None, zone: ZoneInfo) -> ColumnElement[bool]:
    """Whether the offering at hand has a session that begins on one of the days, both included."""
    conditions = [CourseSession.offering_id == Offering.id]
    if first_day is not None:
        conditions.append(CourseSession.starts_at >= _midnight(first_day, zone))
    if last_day is not None and last_day < date.max:
        conditions.append(CourseSession.starts_at < _midnight(last_day + timedelta(days=1), zone))
    return exists().where(*conditions)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # The far ends of the calendar cannot be moved to UTC; nobody plans there.
    if not 1900 <= day.year <= 9000:
        return datetime(1900 if day.year < 1900 else 9000, 1, 1, tzinfo=UTC)
    return datetime.combine(day, time(), tzinfo=zone)


def _contains(text: str, *columns: Any) -> ColumnElement[bool]:
    return or_(false(), *(column.icontains(text, autoescape=True) for column in columns))
