"""The few figures of an administrator's home: this year against the last, and what goes on this week."""

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
    """Person-times of one programme: this year to today, and last year to the same day."""

    code: str
    name_zh: str
    name_en: str
    person_times: int
    last_year: int


@dataclass(frozen=True)
class Headline:
    """`since` and `until` are the days that `person_times` count, for a link to the report. A week is Monday to Sunday."""

    since: date
    until: date
    person_times: int
    last_year: int
    programmes: tuple[ProgrammeFigures, ...]
    sessions_this_week: int

    @property
    def change(self) -> int | None:
        """Per cent against last year's same period, rounded; None where there is nothing to compare with."""
        return round((self.person_times - self.last_year) * 100 / self.last_year) if self.last_year else None


def headline(db: Session, scope: Scope, zone: ZoneInfo) -> Headline:
    """The figures of what the scope covers, in two statements."""
    today = clock.today(zone)
    since = date(today.year, 1, 1)
    before = date(today.year - 1, 1, 1)
    # 29 February has no same day last year; its 28th stands for it.
    same_day = date(today.year - 1, today.month, min(today.day, 28) if today.month == 2 else today.day)
    person_times = PersonTimeEntry.named + PersonTimeEntry.counted
    added = (
        select(
            Course.programme_code.label("code"),
            func.sum(person_times).filter(PersonTimeEntry.dated_on >= since).label("now"),
            func.sum(person_times).filter(PersonTimeEntry.dated_on <= same_day).label("then"),
        )
        .join(Offering, Offering.id == PersonTimeEntry.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(PersonTimeEntry.dated_on.between(before, today), Offering.visible_to(scope))
        .group_by(Course.programme_code)
        .subquery("added")
    )
    statement = (
        select(
            Programme.code,
            Programme.name_zh,
            Programme.name_en,
            cast(func.coalesce(added.c.now, 0), BigInteger),
            cast(func.coalesce(added.c.then, 0), BigInteger),
        )
        .outerjoin(added, added.c.code == Programme.code)
        .order_by(Programme.position)
    )
    programmes = tuple(ProgrammeFigures(*row) for row in db.execute(statement))
    return Headline(
        since=since,
        until=today,
        person_times=sum(one.person_times for one in programmes),
        last_year=sum(one.last_year for one in programmes),
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
