"""The drill-down from a number of the report to its offerings, whose figures add up to the number exactly."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.offerings import Offering
from courses.reports import in_progress, lines
from courses.reports.in_progress import InProgress
from courses.reports.ledger import Figures
from courses.reports.questions import Figure, Question
from instructors.models import Instructor
from lms.core.paging import Page
from lms.organisations.models import District, Organisation


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

    figure: only offerings that add something to this figure; None for all.
    """
    sums = lines.selected(db, question).by_offering(figure, page)
    named = _with_names(select(Offering.id, Offering.counted_on)).where(Offering.id.in_(sums.figures))
    facts = {row[0]: tuple[Any, ...](row) for row in db.execute(named)}
    rows = [_offering_row(facts[offering_id], figures) for offering_id, figures in sums.figures.items()]
    offerings = OfferingsOfNumber(Page(rows=rows, page=sums.page, pages=sums.pages, total=sums.number), sums.total)
    if figure is not Figure.OFFERINGS:
        return offerings
    rows = [replace(row, sessions=sums.sessions_of[row.offering_id] * row.figures.offerings) for row in rows]
    return replace(offerings, page=replace(offerings.page, rows=rows), sessions=sums.sessions)


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


def _offering_row(row: tuple[Any, ...], figures: Figures) -> OfferingRow:
    offering_id, counted_on, *names = row
    return _named_row(offering_id, counted_on, names, figures)


def _named_row(offering_id: int, counted_on: date | None, names: list[Any], figures: Figures) -> OfferingRow:
    course_zh, course_en, host_zh, host_en, district_zh, district_en, lead = names
    return OfferingRow(
        offering_id, counted_on, course_zh, course_en, host_zh, host_en, district_zh, district_en, lead, figures
    )
