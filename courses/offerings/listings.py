"""The staff's list of offerings, a page in one statement, and the parts of it that the public list shares."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, false, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from courses.models.catalogue import Course, Programme
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.person_time import is_withdrawn
from courses.offerings.offerings import OPEN_STATES
from instructors.models import Instructor
from lms.core.db import LARGEST_ID
from lms.core.paging import FIRST, KeyPage, Order, Part, Place, page_by_key
from lms.core.scope import Scope, visible
from lms.organisations.models import District, Organisation

MOST_NAMED = 200  # courses or hosts of a word whose offerings are looked for


class StateFilter(StrEnum):
    """The states to which a list is filtered. `current` stands for drafts and published offerings."""

    CURRENT = "current"
    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    ALL = "all"


@dataclass(frozen=True)
class OfferingFilters:
    """The filters of the staff's list.

    An offering matches the days when one of its sessions begins on or between them, in the branch's time zone.
    """

    state: StateFilter = StateFilter.CURRENT
    programme_code: str | None = None
    district_id: int | None = None
    organisation: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    search: str | None = None


@dataclass(frozen=True)
class BilingualName:
    """A name in both languages, for the template filter `named`."""

    name_zh: str
    name_en: str | None


@dataclass(frozen=True)
class OfferingRow:
    """An offering in the staff's list.

    `starts_at` and `ends_at` are the first start and the last end of its sessions.
    """

    id: int
    state: OfferingState
    course: BilingualName
    programme: BilingualName
    organisation: BilingualName
    district: BilingualName
    place: str
    lead: str | None
    by_invitation: bool
    capacity: int
    enrolled: int
    waiting: int
    sessions: int
    starts_at: datetime | None
    ends_at: datetime | None


def count_enrolments(state_condition: ColumnElement[bool]) -> Any:
    """A column for a SELECT from Offering: the number of the offering's enrolments that meet the condition."""
    return (
        select(func.count())
        .select_from(Enrolment)
        .where(Enrolment.offering_id == Offering.id, state_condition)
        .scalar_subquery()
    )


def list_offerings(
    db: Session,
    filters: OfferingFilters,
    scope: Scope,
    *,
    zone: ZoneInfo,
    place: Place = FIRST,
    order: Order | None = None,
) -> KeyPage[OfferingRow]:
    """A page of the offerings in the scope. Current offerings stand soonest first, all others latest first."""
    statement = _by_names(db, apply_filters(visible(select(Offering.id), Offering, scope), filters, zone), filters)
    page = page_by_key(db, [Part(statement, order or orders_of(filters)[0])], place)
    rows = {row.id: row for row in _rows(db, page.rows)} if page.rows else {}
    return replace(page, rows=[rows[offering_id] for offering_id in page.rows if offering_id in rows])


def find(db: Session, scope: Scope, words: str, *, most: int) -> Sequence[Offering]:
    """The offering of a number, or the latest ones whose course or host has each of the words in its name."""
    listed = visible(select(Offering), Offering, scope).where(~is_withdrawn())
    listed = listed.options(joinedload(Offering.course), joinedload(Offering.organisation))
    if words.isascii() and words.isdecimal():
        return db.scalars(listed.where(Offering.id == int(words))).all() if 1 <= int(words) <= LARGEST_ID else ()
    each = words.split()[:8]
    courses, hosts = (
        db.scalars(
            select(model.id)
            .where(*(_contains(word, model.name_zh, model.name_en) for word in each))
            .order_by(model.id)
            .limit(MOST_NAMED)
        ).all()
        for model in (Course, Organisation)
    )
    if not courses and not hosts:
        return ()
    named = or_(Offering.course_id.in_(courses), Offering.organisation_id.in_(hosts))
    latest = (Offering.first_starts_at.desc(), Offering.id.desc())
    return db.scalars(listed.where(named).order_by(*latest).limit(most)).all()


def orders_of(filters: OfferingFilters) -> tuple[Order, ...]:
    """The orders of a list with these filters, the usual one first: by the first session, and by when it was planned."""
    by_start = Order(
        "start", (Offering.first_starts_at, Offering.id), descending=filters.state is not StateFilter.CURRENT
    )
    return by_start, Order("planned", (Offering.id,))


def _rows(db: Session, offering_ids: Sequence[int]) -> list[OfferingRow]:
    meetings = (
        select(
            func.min(CourseSession.starts_at).label("starts_at"),
            func.max(CourseSession.ends_at).label("ends_at"),
            func.count().label("sessions"),
        )
        .where(CourseSession.offering_id == Offering.id)
        .lateral("meetings")
    )
    statement = join_listed_tables(
        select(
            Offering.id, Offering.state, Offering.place, Offering.by_invitation, Offering.capacity,
            Course.name_zh, Course.name_en, Programme.name_zh, Programme.name_en,
            Organisation.name_zh, Organisation.name_en, District.name_zh, District.name_en,
            Instructor.name,
            count_enrolments(Enrolment.takes_place()),
            count_enrolments(Enrolment.waits()),
            meetings.c.sessions, meetings.c.starts_at, meetings.c.ends_at,
        ),
        meetings,
    )  # fmt: skip
    return [
        OfferingRow(
            id=record[0], state=OfferingState(record[1]), place=record[2], by_invitation=record[3], capacity=record[4],
            course=BilingualName(record[5], record[6]), programme=BilingualName(record[7], record[8]),
            organisation=BilingualName(record[9], record[10]), district=BilingualName(record[11], record[12]),
            lead=record[13], enrolled=record[14], waiting=record[15], sessions=record[16],
            starts_at=record[17], ends_at=record[18],
        )
        for record in db.execute(statement.where(Offering.id.in_(offering_ids)))
    ]  # fmt: skip


def counting(filters: OfferingFilters, scope: Scope, zone: ZoneInfo) -> Any:
    """The SELECT that counts the offerings of the staff's list, for filters by state, days and district."""
    return apply_filters(visible(select(func.count(Offering.id)), Offering, scope), filters, zone)


def join_listed_tables(statement: Any, meetings: Any) -> Any:
    """Join a SELECT of offerings with the tables whose columns a list shows.

    These are course, programme, host organisation, district, lead instructor, and the lateral subquery of sessions.
    """
    return (
        statement.select_from(Offering)
        .join(Offering.course)
        .join(Course.programme)
        .join(Offering.organisation)
        .join(Offering.district)
        .outerjoin(Offering.lead_instructor)
        .join(meetings, onclause=true())
    )


def apply_filters(statement: Any, filters: OfferingFilters, zone: ZoneInfo) -> Any:
    """Apply the filters by state, programme, district and days to a SELECT from Offering alone.

    Offerings of an undone import are on no list: only their ledger entries are on record.
    """
    if filters.state in {StateFilter.CANCELLED, StateFilter.ALL}:
        statement = statement.where(~is_withdrawn())
    if filters.state is StateFilter.CURRENT:
        statement = statement.where(Offering.state.in_(OPEN_STATES))
    elif filters.state is not StateFilter.ALL:
        statement = statement.where(Offering.state == filters.state.value)
    if filters.programme_code:
        statement = statement.where(
            Offering.course_id.in_(select(Course.id).where(Course.programme_code == filters.programme_code))
        )
    if filters.district_id is not None:
        statement = statement.where(Offering.district_id == filters.district_id)
    if filters.first_day or filters.last_day:
        statement = statement.where(has_session_between(filters.first_day, filters.last_day, zone))
    return statement


def _by_names(db: Session, statement: Any, filters: OfferingFilters) -> Any:
    """Apply the filters by words: names are looked up in their own, short tables first."""
    if filters.organisation:
        statement = statement.where(Offering.organisation_id.in_(_hosts(db, filters.organisation)))
    for word in filters.search.split()[:8] if filters.search else ():
        courses = select(Course.id).where(_contains(word, Course.name_zh, Course.name_en, Course.code))
        leads = select(Instructor.id).where(_contains(word, Instructor.name))
        statement = statement.where(
            or_(
                Offering.course_id.in_(db.scalars(courses).all()),
                Offering.organisation_id.in_(_hosts(db, word)),
                Offering.lead_instructor_id.in_(db.scalars(leads).all()),
                _contains(word, Offering.place),
            )
        )
    return statement


def _hosts(db: Session, text: str) -> Sequence[int]:
    named = _contains(text, Organisation.name_zh, Organisation.name_en)
    return db.scalars(select(Organisation.id).where(named)).all()


def has_session_between(first_day: date | None, last_day: date | None, zone: ZoneInfo) -> ColumnElement[bool]:
    """A condition for a SELECT from Offering: one of its sessions begins on or between the days."""
    conditions = [CourseSession.offering_id == Offering.id]
    if first_day is not None:
        conditions.append(CourseSession.starts_at >= midnight(first_day, zone))
    if last_day is not None and last_day < date.max:
        conditions.append(CourseSession.starts_at < midnight(last_day + timedelta(days=1), zone))
    return exists().where(*conditions)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The moment at which a day begins in the zone."""
    # Days at the far ends of the calendar cannot be converted to UTC, and no offering lies there.
    if not 1900 <= day.year <= 9000:
        return datetime(1900 if day.year < 1900 else 9000, 1, 1, tzinfo=UTC)
    return datetime.combine(day, time(), tzinfo=zone)


def _contains(text: str, *columns: Any) -> ColumnElement[bool]:
    return or_(false(), *(column.icontains(text, autoescape=True) for column in columns))
