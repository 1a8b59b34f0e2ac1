"""Waiting lists of offerings that are open: how many people, and where. A waiting list is of now and has no period."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.reports.filters import Filters, Grouping, within
from courses.reports.ledger import NOBODY, asked, of_subject
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope
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
    """A page of them, those with most people first, and the people of all pages."""

    page: Page[WaitingOffering]
    total: int


def numbers(db: Session, filters: Filters, scope: Scope) -> Mapping[str, int]:
    """People on waiting lists by the key of the report's row; all under "" where rows are periods."""
    key = _key(filters.grouping)
    statement = _of(select(func.count(Enrolment.id), *([] if key is None else [key])), filters, scope)
    if key is not None:
        statement = statement.group_by(key)
    return {str(named[0]) if named else "": number for number, *named in db.execute(statement)}


def offerings(db: Session, filters: Filters, scope: Scope, *, page: int = 1, size: int = PAGE_SIZE) -> WaitingOfferings:
    """The offerings that a number of `numbers` is made of. Raises NotFound for another district's."""
    within(filters, scope)
    key = _key(filters.grouping)
    waiting = _of(select(Offering.id, func.count().label("waiting")), filters, scope).group_by(Offering.id)
    if key is not None and filters.key is not None:
        waiting = waiting.where(key == filters.key)
    each = waiting.subquery("each")
    number, total = db.execute(select(func.count(), func.coalesce(func.sum(each.c.waiting), 0)).select_from(each)).one()
    pages = max(1, -(-number // size))
    page = min(max(page, 1), pages)
    enrolled = (
        select(func.count())
        .where(Enrolment.offering_id == Offering.id, Enrolment.state == EnrolmentState.ENROLLED)
        .scalar_subquery()
    )
    first = select(func.min(CourseSession.starts_at)).where(CourseSession.offering_id == Offering.id).scalar_subquery()
    statement = (
        select(
            Offering.id, first.label("first"), Offering.capacity, enrolled, each.c.waiting, Course.name_zh,
            Course.name_en, Organisation.name_zh, Organisation.name_en, District.name_zh, District.name_en,
        )
        .join(each, each.c.id == Offering.id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(District, District.id == Offering.district_id)
        .order_by(each.c.waiting.desc(), "first", Offering.id)
        .limit(size)
        .offset((page - 1) * size)
    )  # fmt: skip
    rows = [WaitingOffering(*row) for row in db.execute(statement)]
    return WaitingOfferings(Page(rows=rows, page=page, pages=pages, total=number), int(total))


def _of(statement: Select[*tuple[Any, ...]], filters: Filters, scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(Enrolment)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(
            Enrolment.state == EnrolmentState.WAITLISTED,
            Offering.state == OfferingState.PUBLISHED,
            asked(filters, scope),
            of_subject(filters),
        )
    )


def _key(grouping: Grouping) -> ColumnElement[str] | None:
    """The key of the row, as `ledger.key_of` makes it; None where rows are periods."""
    keys: dict[Grouping, Any] = {
        Grouping.PROGRAMME: Course.programme_code,
        Grouping.DISTRICT: Offering.district_id,
        Grouping.COURSE: Offering.course_id,
        Grouping.HOST: Offering.organisation_id,
        Grouping.INSTRUCTOR: Offering.lead_instructor_id,
        Grouping.SECTOR: Organisation.sector,
    }
    key = keys.get(grouping)
    return None if key is None else func.coalesce(cast(key, Text), NOBODY)
