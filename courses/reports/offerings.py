"""What a number of the report is made of: its offerings, whose figures add up to it exactly."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, Select, func, select, true
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.offerings import CourseSession, Offering
from courses.reports.enrolment import Progress, in_progress, progress
from courses.reports.filters import Column, Filters, within
from courses.reports.ledger import FIGURES, Figures, column_sum, lines, sums
from instructors.models import Instructor
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope
from lms.organisations.models import District, Organisation

FARTHEST = 10**9  # a page that nobody has


@dataclass(frozen=True)
class OfferingRow:
    """One offering and what it gives to the number: its lines in the period, which may be a correction alone.

    counted_on: the day it is dated by (for one in progress, of its last session). sessions: its meetings, counted with its
    closing; None unless offerings are what was asked for.
    """

    offering_id: int
    counted_on: date | None
    course_zh: str
    course_en: str
    host_zh: str
    host_en: str | None
    district_zh: str
    district_en: str
    lead: str | None
    figures: Figures
    sessions: int | None = None


@dataclass(frozen=True)
class Offerings:
    """A page of them, and the sum over all pages: the number one came from."""

    page: Page[OfferingRow]
    total: Figures
    sessions: int | None = None


@dataclass(frozen=True)
class OpenOfferings:
    """Offerings in progress and the sum over all of them."""

    rows: list[OfferingRow]
    total: Progress


def behind(db: Session, filters: Filters, scope: Scope, *, column: Column | None = None, page: int = 1) -> Offerings:
    """The offerings behind a number, newest first. column: only those that give something to that figure.

    Raises NotFound for another district's. One statement; for closed offerings two more, which count their sessions.
    """
    within(filters, scope)
    each = _each(filters, scope, column)
    total = select(func.count().label("number"), *sums(each)).cte("total")
    last = func.greatest((total.c.number - 1) // PAGE_SIZE * PAGE_SIZE, 0)
    shown = (
        select(each)
        .order_by(each.c.counted_on.desc(), each.c.offering_id.desc())
        .limit(PAGE_SIZE)
        .offset(
            select(func.least((min(max(page, 1), FARTHEST) - 1) * PAGE_SIZE, last)).select_from(total).scalar_subquery()
        )
        .subquery("shown")
    )
    # The total stands beside each row, and alone where there is none: all of it is one pass over the lines.
    statement = _with_names(
        select(*total.c, Offering.id, Offering.counted_on, *(shown.c[name] for name in FIGURES))
        .select_from(total)
        .outerjoin(shown, true())
        .outerjoin(Offering, Offering.id == shown.c.offering_id)
    ).order_by(shown.c.counted_on.desc(), shown.c.offering_id.desc())
    answer = [tuple[Any, ...](row) for row in db.execute(statement)]
    width = 1 + len(FIGURES)
    number, *figures = answer[0][:width]
    rows = [_row(row[width:]) for row in answer if row[width] is not None]
    pages = max(1, -(-number // PAGE_SIZE))
    page = min(max(page, 1), pages)
    found = Offerings(Page(rows=rows, page=page, pages=pages, total=number), Figures(*figures))
    return _with_sessions(db, found, each) if column is Column.OFFERINGS else found


def _with_sessions(db: Session, found: Offerings, each: CTE) -> Offerings:
    held = select(CourseSession.offering_id, func.count()).group_by(CourseSession.offering_id)
    ids = [row.offering_id for row in found.page.rows]
    numbers = {offering: number for offering, number in db.execute(held.where(CourseSession.offering_id.in_(ids)))}
    rows = [
        replace(row, sessions=numbers.get(row.offering_id, 0) if row.figures.offerings else 0)
        for row in found.page.rows
    ]  # fmt: skip
    closed = select(each.c.offering_id).where(each.c.offerings != 0)
    total = db.scalar(select(func.count()).where(CourseSession.offering_id.in_(closed)))
    return replace(found, page=replace(found.page, rows=rows), sessions=total or 0)


def open_now(db: Session, filters: Filters, scope: Scope, *, zone: ZoneInfo) -> OpenOfferings:
    """The offerings in progress that the report shows apart, and their sum."""
    within(filters, scope)
    each = in_progress(filters, scope, zone)
    statement = _with_names(
        select(Offering.id, each.c.last_day, each.c.enrolled, each.c.named, each.c.counted).join(
            each, each.c.offering_id == Offering.id
        )
    ).order_by(each.c.last_day.desc(), Offering.id.desc())
    rows = []
    for row in db.execute(statement):
        offering_id, day, enrolled, named, counted, *names = tuple[Any, ...](row)
        rows.append(_made(offering_id, day, names, Figures(1, enrolled, named, counted)))
    return OpenOfferings(rows, progress(db, filters, scope, zone=zone))


def _each(filters: Filters, scope: Scope, column: Column | None) -> CTE:
    """Each offering's sums over its lines, made once for the page and for the total."""
    line = lines(filters, scope)
    statement = select(line.c.offering_id, line.c.counted_on, *sums(line)).group_by(
        line.c.offering_id, line.c.counted_on
    )
    if column is not None:
        statement = statement.having(column_sum(line, column) != 0)
    return statement.cte("each")


def _with_names(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[object, ...]]:
    """Append the names of the course, the host, the district and the lead."""
    return (
        statement.add_columns(
            Course.name_zh, Course.name_en, Organisation.name_zh, Organisation.name_en, District.name_zh,
            District.name_en, Instructor.name,
        )
        .outerjoin(Course, Course.id == Offering.course_id)
        .outerjoin(Organisation, Organisation.id == Offering.organisation_id)
        .outerjoin(District, District.id == Offering.district_id)
        .outerjoin(Instructor, Instructor.id == Offering.lead_instructor_id)
    )  # fmt: skip


def _row(row: tuple[Any, ...]) -> OfferingRow:
    offering_id, day, *rest = row
    return _made(offering_id, day, rest[len(FIGURES) :], Figures(*rest[: len(FIGURES)]))


def _made(offering_id: int, day: date | None, names: list[Any], figures: Figures) -> OfferingRow:
    course_zh, course_en, host_zh, host_en, district_zh, district_en, lead = names
    return OfferingRow(
        offering_id, day, course_zh, course_en, host_zh, host_en, district_zh, district_en, lead, figures
    )
