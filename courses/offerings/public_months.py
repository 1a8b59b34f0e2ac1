"""A month of open training, by day, for the calendar on the public pages."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.enrolment.place_counts import PlaceCounts
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings.listings import BilingualName, midnight
from courses.offerings.public_listings import PublicFilters, conditions, is_open
from lms.core import clock
from lms.organisations.models import District

# Months that can be looked at, the present one included. Trainings are planned at most about a year ahead.
MONTHS = 18
# Sessions of one day in the calendar; the list shows all of them.
PER_DAY = 5


@dataclass(frozen=True)
class MonthEntry:
    """A session in the calendar. `number` and `sessions`: which session of how many its offering has."""

    offering_id: int
    starts_at: datetime
    course: BilingualName
    district: BilingualName
    number: int
    sessions: int
    free: int


@dataclass(frozen=True)
class MonthDay:
    """A day with its first sessions. more: how many further sessions the day has."""

    day: date
    entries: tuple[MonthEntry, ...]
    more: int


@dataclass(frozen=True)
class Month:
    """A month of open training.

    blanks: days of the former month in the first week, which begins on Monday. earlier, later: the first days of the months
    before and after, None beyond the months that can be looked at.
    """

    first: date
    days: tuple[MonthDay, ...]
    blanks: int
    earlier: date | None
    later: date | None


def month_of(text: str | None, zone: ZoneInfo) -> date:
    """The first day of a month such as "2026-12". A text that names no month within reach gives the present one."""
    present = clock.today(zone).replace(day=1)
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return present
    return first if present <= first <= _shifted(present, MONTHS - 1) else present


def first_with_training(db: Session, filters: PublicFilters, zone: ZoneInfo) -> date:
    """The first day of the first month with a training that takes enrolments; the present month where there is none."""
    first = func.min(CourseSession.starts_at)
    begins = select(first).where(CourseSession.offering_id == Offering.id).scalar_subquery()
    soonest = db.scalar(
        select(func.min(begins)).join(Offering.course).where(is_open(begins), *conditions(filters, zone))
    )
    return month_of(f"{clock.day_of(soonest, zone):%Y-%m}" if soonest is not None else None, zone)


def read(db: Session, first: date, filters: PublicFilters, zone: ZoneInfo) -> Month:
    """The sessions of a month (`first`: its first day) whose offerings take enrolments, in two statements."""
    length = monthrange(first.year, first.month)[1]
    by_day = _by_day(db, first, first + timedelta(days=length - 1), filters, zone)
    free = _free_places(db, {row.offering_id: row.capacity for rows in by_day.values() for row in rows[:PER_DAY]})
    days = []
    for day in (first + timedelta(days=number) for number in range(length)):
        rows = by_day.get(day, [])
        entries = tuple(
            MonthEntry(
                row.offering_id, row.starts_at, row.course, row.district, row.number, row.sessions,
                free[row.offering_id],
            )
            for row in rows[:PER_DAY]
        )  # fmt: skip
        days.append(MonthDay(day, entries, max(0, len(rows) - PER_DAY)))
    present = clock.today(zone).replace(day=1)
    return Month(
        first=first,
        days=tuple(days),
        blanks=first.weekday(),
        earlier=_shifted(first, -1) if first > present else None,
        later=_shifted(first, 1) if first < _shifted(present, MONTHS - 1) else None,
    )


@dataclass(frozen=True)
class _Row:
    offering_id: int
    capacity: int
    starts_at: datetime
    course: BilingualName
    district: BilingualName
    number: int
    sessions: int


def _by_day(db: Session, first: date, last: date, filters: PublicFilters, zone: ZoneInfo) -> dict[date, list[_Row]]:
    """The sessions of the days, by day and in the order of time."""
    whole = CourseSession.offering_id
    sessions = (
        select(
            CourseSession.offering_id,
            CourseSession.starts_at,
            func.row_number()
            .over(order_by=(CourseSession.starts_at, CourseSession.id), partition_by=whole)
            .label("number"),
            func.count().over(partition_by=whole).label("sessions"),
            func.min(CourseSession.starts_at).over(partition_by=whole).label("first"),
        )
        .join(CourseSession.offering)
        .where(Offering.state == OfferingState.PUBLISHED)
        .subquery("sessions")
    )
    statement = (
        select(
            Offering.id, Offering.capacity, sessions.c.starts_at, Course.name_zh, Course.name_en,
            District.name_zh, District.name_en, sessions.c.number, sessions.c.sessions,
        )
        .join(sessions, sessions.c.offering_id == Offering.id)
        .join(Offering.course)
        .join(Offering.district)
        .where(
            is_open(sessions.c.first),
            sessions.c.starts_at >= midnight(first, zone),
            sessions.c.starts_at < midnight(last + timedelta(days=1), zone),
            *conditions(filters, zone),
        )
        .order_by(sessions.c.starts_at, Offering.id)
    )  # fmt: skip
    by_day: dict[date, list[_Row]] = defaultdict(list)
    for record in db.execute(statement):
        course, district = BilingualName(record[3], record[4]), BilingualName(record[5], record[6])
        row = _Row(record[0], record[1], record[2], course, district, record[7], record[8])
        by_day[clock.day_of(row.starts_at, zone)].append(row)
    return by_day


def _free_places(db: Session, capacities: Mapping[int, int]) -> dict[int, int]:
    """The free places by offering: none where people wait. capacities: of the offerings."""
    counted = (
        select(
            Enrolment.offering_id,
            func.count().filter(Enrolment.takes_place()),
            func.count().filter(Enrolment.waits()),
        )
        .where(Enrolment.offering_id.in_(capacities))
        .group_by(Enrolment.offering_id)
    )
    free = dict(capacities)
    for offering_id, taken, waiting in db.execute(counted):
        free[offering_id] = PlaceCounts(capacities[offering_id], taken, waiting).free
    return free


def _shifted(first: date, months: int) -> date:
    """The first day of the month some months later."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
