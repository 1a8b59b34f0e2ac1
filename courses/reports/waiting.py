"""Waiting lists of open offerings: how many people wait, and where.

A waiting list is of now, so the period does not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.reports.ledger import NO_INSTRUCTOR, course_matches, offering_matches
from courses.reports.questions import Grouping, Question
from lms.core.paging import PAGE_SIZE, Page
from lms.organisations.models import District, Organisation


@dataclass(frozen=True)
class WaitingOffering:
    """An offering with people on its waiting list. starts_at: its first session."""

    offering_id: int
    starts_at: datetime | None
    capacity: int
    enrolled: int
    waiting: int
    course_zh: str
    course_en: str
    host_zh: str
    host_en: str | None
    district_zh: str
    district_en: str


@dataclass(frozen=True)
class WaitingOfferings:
    """A page of these offerings, the longest waiting lists first, and the people who wait on all pages."""

    page: Page[WaitingOffering]
    total: int


def people_waiting(db: Session, question: Question) -> Mapping[str, int]:
    """The people on waiting lists by the key of the report's row; all of them under "" where rows are periods."""
    key = _row_key(question.filters.grouping)
    statement = _waitlisted(select(func.count(Enrolment.id), *([] if key is None else [key])), question)
    if key is not None:
        statement = statement.group_by(key)
    return {str(row_key[0]) if row_key else "": number for number, *row_key in db.execute(statement)}


def waiting_offerings(db: Session, question: Question, *, page: int = 1, size: int = PAGE_SIZE) -> WaitingOfferings:
    """A page of the offerings behind a number of `people_waiting`."""
    filters = question.filters
    key = _row_key(filters.grouping)
    waiting = _waitlisted(select(Offering.id, func.count().label("waiting")), question).group_by(Offering.id)
    if key is not None and filters.key is not None:
        waiting = waiting.where(key == filters.key)
    queue = waiting.subquery("queue")
    sums = select(func.count(), func.coalesce(func.sum(queue.c.waiting), 0)).select_from(queue)
    number, total = db.execute(sums).one()
    pages = max(1, -(-number // size))
    page = min(max(page, 1), pages)
    enrolled = (
        select(func.count()).where(Enrolment.offering_id == Offering.id, Enrolment.takes_place()).scalar_subquery()
    )
    first = select(func.min(CourseSession.starts_at)).where(CourseSession.offering_id == Offering.id).scalar_subquery()
    statement = (
        select(
            Offering.id, first.label("first"), Offering.capacity, enrolled, queue.c.waiting, Course.name_zh,
            Course.name_en, Organisation.name_zh, Organisation.name_en, District.name_zh, District.name_en,
        )
        .join(queue, queue.c.id == Offering.id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(District, District.id == Offering.district_id)
        .order_by(queue.c.waiting.desc(), "first", Offering.id)
        .limit(size)
        .offset((page - 1) * size)
    )  # fmt: skip
    rows = [WaitingOffering(*row) for row in db.execute(statement)]
    return WaitingOfferings(Page(rows=rows, page=page, pages=pages, total=number), int(total))


def _waitlisted(statement: Select[*tuple[Any, ...]], question: Question) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(Enrolment)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(
            Enrolment.waits(),
            Offering.state == OfferingState.PUBLISHED,
            offering_matches(question),
            course_matches(question.filters),
        )
    )


def _row_key(grouping: Grouping) -> ColumnElement[str] | None:
    """The key of the row, as `ledger.row_key` gives it for an entry; None where rows are periods."""
    keys: dict[Grouping, Any] = {
        Grouping.PROGRAMME: Course.programme_code,
        Grouping.DISTRICT: Offering.district_id,
        Grouping.COURSE: Offering.course_id,
        Grouping.HOST: Offering.organisation_id,
        Grouping.INSTRUCTOR: Offering.lead_instructor_id,
        Grouping.SECTOR: Organisation.sector,
    }
    key = keys.get(grouping)
    return None if key is None else func.coalesce(cast(key, Text), NO_INSTRUCTOR)
