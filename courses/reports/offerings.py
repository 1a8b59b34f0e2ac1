"""The drill-down from a number of the report to its offerings, whose figures add up to the number exactly."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import CTE, Select, func, select, true
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.offerings import CourseSession, Offering
from courses.reports import in_progress
from courses.reports.in_progress import InProgress
from courses.reports.ledger import FIGURE_NAMES, Figures, entries, figure_sum, figure_sums, has_figures
from courses.reports.questions import Figure, Question
from instructors.models import Instructor
from lms.core.paging import PAGE_SIZE, Page
from lms.organisations.models import District, Organisation

LAST_PAGE = 10**9  # a larger number of a page would not fit into the arithmetic of the statement


@dataclass(frozen=True)
class OfferingRow:
    """An offering and what its ledger entries of the period add to the number. The entries may be a correction alone.

    counted_on: the day the offering is dated by; of an offering in progress, the day of its last session.
    sessions: of an offering that was closed in the period (negative where the closing was taken back), else 0; None
    where the number is not that of offerings.
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
class OfferingsOfNumber:
    """A page of offerings, and the sums over all pages: `total` is the number that the reader followed."""

    page: Page[OfferingRow]
    total: Figures
    sessions: int | None = None


@dataclass(frozen=True)
class OfferingsInProgress:
    """All offerings in progress, and their sum."""

    rows: list[OfferingRow]
    total: InProgress


def drill_down(db: Session, question: Question, *, figure: Figure | None = None, page: int = 1) -> OfferingsOfNumber:
    """A page of the offerings behind a number, the newest first.

    figure: only offerings that add something to this figure; None for all. One statement; for `Figure.OFFERINGS` two
    more, which count sessions.
    """
    offering = _sums_by_offering(question, figure)
    total = select(func.count().label("number"), *figure_sums(offering)).cte("total")
    last_offset = func.greatest((total.c.number - 1) // PAGE_SIZE * PAGE_SIZE, 0)
    offset = (min(max(page, 1), LAST_PAGE) - 1) * PAGE_SIZE
    on_page = (
        select(offering)
        .order_by(offering.c.counted_on.desc(), offering.c.offering_id.desc())
        .limit(PAGE_SIZE)
        .offset(select(func.least(offset, last_offset)).select_from(total).scalar_subquery())
        .subquery("on_page")
    )
    # The total stands beside each row, and alone where there is no row: so one pass over the entries gives both.
    statement = _with_names(
        select(*total.c, Offering.id, Offering.counted_on, *(on_page.c[name] for name in FIGURE_NAMES))
        .select_from(total)
        .outerjoin(on_page, true())
        .outerjoin(Offering, Offering.id == on_page.c.offering_id)
    ).order_by(on_page.c.counted_on.desc(), on_page.c.offering_id.desc())
    answer = [tuple[Any, ...](row) for row in db.execute(statement)]
    width = 1 + len(FIGURE_NAMES)
    number, *sums = answer[0][:width]
    rows = [_offering_row(row[width:]) for row in answer if row[width] is not None]
    pages = max(1, -(-number // PAGE_SIZE))
    offerings = OfferingsOfNumber(
        Page(rows=rows, page=min(max(page, 1), pages), pages=pages, total=number), Figures(*sums)
    )
    return _with_sessions(db, offerings, offering) if figure is Figure.OFFERINGS else offerings


def _with_sessions(db: Session, offerings: OfferingsOfNumber, by_offering: CTE) -> OfferingsOfNumber:
    per_offering = select(CourseSession.offering_id, func.count()).group_by(CourseSession.offering_id)
    ids = [row.offering_id for row in offerings.page.rows]
    counts = {
        offering_id: number
        for offering_id, number in db.execute(per_offering.where(CourseSession.offering_id.in_(ids)))
    }
    rows = [
        replace(row, sessions=counts.get(row.offering_id, 0) * row.figures.offerings) for row in offerings.page.rows
    ]
    total = db.scalar(
        select(func.sum(by_offering.c.offerings))
        .select_from(by_offering)
        .join(CourseSession, CourseSession.offering_id == by_offering.c.offering_id)
    )
    return replace(offerings, page=replace(offerings.page, rows=rows), sessions=int(total or 0))


def open_offerings(db: Session, question: Question, *, zone: ZoneInfo) -> OfferingsInProgress:
    """The offerings in progress, the latest first, and their sum, which the report shows beside its totals."""
    offering = in_progress.offerings_in_progress(question, zone)
    statement = _with_names(
        select(
            Offering.id, offering.c.last_day, offering.c.enrolled, offering.c.named, offering.c.counted,
        ).join(offering, offering.c.offering_id == Offering.id)
    ).order_by(offering.c.last_day.desc(), Offering.id.desc())  # fmt: skip
    rows = []
    for row in db.execute(statement):
        offering_id, last_day, enrolled, named, counted, *names = tuple[Any, ...](row)
        rows.append(_named_row(offering_id, last_day, names, Figures(1, enrolled, named, counted)))
    return OfferingsInProgress(rows, in_progress.total(db, question, zone=zone))


def _sums_by_offering(question: Question, figure: Figure | None) -> CTE:
    """The sums of each offering over its entries: a CTE, so that the page and the total read them once."""
    entry = entries(question)
    statement = select(entry.c.offering_id, entry.c.counted_on, *figure_sums(entry)).group_by(
        entry.c.offering_id, entry.c.counted_on
    )
    statement = statement.having(has_figures(entry) if figure is None else figure_sum(entry, figure) != 0)
    return statement.cte("by_offering")


def _with_names(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[object, ...]]:
    """Append the names of the course, the host, the district and the lead instructor."""
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


def _offering_row(row: tuple[Any, ...]) -> OfferingRow:
    offering_id, counted_on, *rest = row
    names, sums = rest[len(FIGURE_NAMES) :], rest[: len(FIGURE_NAMES)]
    return _named_row(offering_id, counted_on, names, Figures(*sums))


def _named_row(offering_id: int, counted_on: date | None, names: list[Any], figures: Figures) -> OfferingRow:
    course_zh, course_en, host_zh, host_en, district_zh, district_en, lead = names
    return OfferingRow(
        offering_id, counted_on, course_zh, course_en, host_zh, host_en, district_zh, district_en, lead, figures
    )
