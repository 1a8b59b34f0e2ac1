"""The lines of the ledger that a question is about. Every figure of every report is a sum over these, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import CTE, BigInteger, ColumnElement, Subquery, Text, and_, case, cast, func, or_, select, true
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.reports.filters import Column, Filters, Grouping
from lms.core.scope import Scope
from lms.organisations.models import Organisation

NOBODY = "none"  # the key of offerings that have no lead instructor


@dataclass(frozen=True)
class Figures:
    """What adds up. `offerings` closed in the period; `refresher`: person-times of refresher courses, part of the total.

    `adjusted`: person-times of the total that correct frozen quarters.
    """

    offerings: int = 0
    enrolled: int = 0
    named: int = 0
    counted: int = 0
    refresher: int = 0
    minutes: int = 0
    passed: int = 0
    certificates: int = 0
    adjusted: int = 0

    @property
    def person_times(self) -> int:
        """人次: named and counted."""
        return self.named + self.counted

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


FIGURES = tuple(one.name for one in fields(Figures))


def key_of(grouping: Grouping) -> ColumnElement[str]:
    """The key of the row that a line belongs to, as text."""
    keys: dict[Grouping, ColumnElement[str]] = {
        Grouping.MONTH: func.to_char(PersonTimeEntry.dated_on, "YYYY-MM"),
        Grouping.QUARTER: func.to_char(PersonTimeEntry.dated_on, 'YYYY"Q"Q'),
        Grouping.YEAR: func.to_char(PersonTimeEntry.dated_on, "YYYY"),
        Grouping.PROGRAMME: cast(Course.programme_code, Text),
        Grouping.DISTRICT: cast(Offering.district_id, Text),
        Grouping.COURSE: cast(Offering.course_id, Text),
        Grouping.INSTRUCTOR: func.coalesce(cast(Offering.lead_instructor_id, Text), NOBODY),
        Grouping.HOST: cast(Offering.organisation_id, Text),
        Grouping.SECTOR: cast(Organisation.sector, Text),
    }
    return keys[grouping]


def asked(filters: Filters, scope: Scope) -> ColumnElement[bool]:
    """Which offerings a reader sees in the rows: those in reach, of the district, sector and host asked for."""
    conditions = [Offering.visible_to(scope)]
    if filters.sector is not None:
        conditions.append(Organisation.sector == filters.sector)
    if filters.district is not None:
        conditions.append(Offering.district_id == filters.district)
    if filters.organisation is not None:
        conditions.append(
            or_(
                Organisation.name_zh.icontains(filters.organisation, autoescape=True),
                Organisation.name_en.icontains(filters.organisation, autoescape=True),
            )
        )
    return and_(*conditions)


def of_subject(filters: Filters) -> ColumnElement[bool]:
    """Which courses: the programme, the course, first training or refreshers."""
    conditions: list[ColumnElement[bool]] = []
    if filters.programme is not None:
        conditions.append(Course.programme_code == filters.programme)
    if filters.course is not None:
        conditions.append(Offering.course_id == filters.course)
    if filters.refresher is not None:
        conditions.append(Course.refresher == filters.refresher)
    return and_(true(), *conditions)


def lines(filters: Filters, scope: Scope, *, branch: bool = False) -> Subquery:
    """The ledger's lines of the period, each with the `key` of its row, `shown`, and what its figures are counted as.

    branch: also the lines of the rest of the branch, with `shown` false; they may be summed and must not be listed.
    """
    shown = asked(filters, scope)
    person_times = PersonTimeEntry.named + PersonTimeEntry.counted
    statement = (
        select(
            PersonTimeEntry.id,
            PersonTimeEntry.offering_id,
            PersonTimeEntry.kind,
            PersonTimeEntry.corrects_id,
            func.coalesce(shown, False).label("shown"),
            key_of(filters.grouping).label("key"),
            Offering.district_id,
            Offering.counted_on,
            Course.programme_code,
            PersonTimeEntry.late,
            case((PersonTimeEntry.kind == EntryKind.CLOSING, 1), else_=0).label("offerings"),
            PersonTimeEntry.enrolled,
            PersonTimeEntry.named,
            PersonTimeEntry.counted,
            case((Course.refresher, person_times), else_=0).label("refresher"),
            PersonTimeEntry.minutes,
            PersonTimeEntry.passed,
            PersonTimeEntry.certificates,
            case((PersonTimeEntry.late, person_times), else_=0).label("adjusted"),
        )
        .join(Offering, Offering.id == PersonTimeEntry.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(PersonTimeEntry.dated_on.between(filters.since, filters.until), of_subject(filters))
    )
    if filters.known_before is not None:
        statement = statement.where(PersonTimeEntry.recorded_at < filters.known_before)
    if not branch:
        statement = statement.where(shown)
    if filters.key is not None:
        statement = statement.where(key_of(filters.grouping) == filters.key)
    return statement.subquery("line")


def sums(source: Subquery | CTE) -> list[ColumnElement[int]]:
    """The figures of `Figures`, in its order."""
    return [cast(func.coalesce(func.sum(source.c[name]), 0), BigInteger).label(name) for name in FIGURES]


def column_sum(source: Subquery, column: Column) -> ColumnElement[Any]:
    """The sum of one figure of the report."""
    if column is Column.PERSON_TIMES:
        return func.sum(source.c.named + source.c.counted)
    return func.sum(source.c[column.value])


def total(db: Session, filters: Filters, scope: Scope) -> Figures:
    """The sum of everything that is asked for."""
    figures: Sequence[int] = tuple(db.execute(select(*sums(lines(filters, scope)))).one())
    return Figures(*figures)
