"""The headline figures of an administrator's home page: this year beside last year, and the sessions of this week."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.person_time import PersonTimeEntry
from lms.core import clock
from lms.core.scope import Scope


@dataclass(frozen=True)
class ProgrammeFigures:
    """Person-times of one programme: this year up to today, and `last_year` up to the same day of the year."""

    code: str
    name_zh: str
    name_en: str
    person_times: int
    last_year: int


@dataclass(frozen=True)
class Headline:
    """The figures of all programmes together and of each.

    `person_times` counts the days `since` to `until`, which the page's link to the report needs too. A week is Monday
    to Sunday in the branch's time zone.
    """

    since: date
    until: date
    person_times: int
    last_year: int
    programmes: tuple[ProgrammeFigures, ...]
    sessions_this_week: int

    @property
    def change(self) -> int | None:
        """The change against the same days of last year, in whole per cent; None where last year has none."""
        return round((self.person_times - self.last_year) * 100 / self.last_year) if self.last_year else None


def headline(db: Session, scope: Scope, zone: ZoneInfo) -> Headline:
    """Return the figures of the offerings that the scope covers, in two statements."""
    today = clock.today(zone)
    since = date(today.year, 1, 1)
    last_since = date(today.year - 1, 1, 1)
    # Last year has no 29 February: 28 February takes its place.
    last_until = date(today.year - 1, today.month, min(today.day, 28) if today.month == 2 else today.day)
    person_times = PersonTimeEntry.named + PersonTimeEntry.counted
    sums = (
        select(
            Course.programme_code.label("code"),
            func.sum(person_times).filter(PersonTimeEntry.dated_on >= since).label("this_year"),
            func.sum(person_times).filter(PersonTimeEntry.dated_on <= last_until).label("last_year"),
        )
        .join(Offering, Offering.id == PersonTimeEntry.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(PersonTimeEntry.dated_on.between(last_since, today), Offering.visible_to(scope))
        .group_by(Course.programme_code)
        .subquery("sums")
    )
    statement = (
        select(
            Programme.code,
            Programme.name_zh,
            Programme.name_en,
            cast(func.coalesce(sums.c.this_year, 0), BigInteger),
            cast(func.coalesce(sums.c.last_year, 0), BigInteger),
        )
        .outerjoin(sums, sums.c.code == Programme.code)
        .order_by(Programme.position)
    )
    programmes = tuple(ProgrammeFigures(*row) for row in db.execute(statement))
    return Headline(
        since=since,
        until=today,
        person_times=sum(figures.person_times for figures in programmes),
        last_year=sum(figures.last_year for figures in programmes),
        programmes=programmes,
        sessions_this_week=_sessions_this_week(db, scope, zone, today),
    )


def _sessions_this_week(db: Session, scope: Scope, zone: ZoneInfo, today: date) -> int:
    monday = datetime.combine(today - timedelta(days=today.weekday()), time(), zone)
    return (
        db.scalar(
            select(func.count(CourseSession.id))
            .join(Offering, Offering.id == CourseSession.offering_id)
            .where(
                Offering.state.in_((OfferingState.PUBLISHED, OfferingState.CLOSED)),
                CourseSession.starts_at >= monday,
                CourseSession.starts_at < monday + timedelta(days=7),
                Offering.visible_to(scope),
            )
        )
        or 0
    )
