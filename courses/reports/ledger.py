"""The entries of the person-time ledger that a question is about.

Every figure of every report is a sum over these entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import CTE, BigInteger, ColumnElement, Subquery, Text, and_, case, cast, func, or_, select, true
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.offerings import Offering
from courses.models.person_time import PersonTimeEntry
from courses.reports.questions import Figure, Filters, Grouping, Question
from lms.organisations.models import Organisation

NO_INSTRUCTOR = "none"  # the key of the row of offerings that have no lead instructor


@dataclass(frozen=True)
class Figures:
    """The figures of a row, an offering or a report. They add up field by field.

    offerings: closed in the period, less those whose import was undone in it. refresher: the person-times of refresher
    courses, which are a part of the total. minutes: attended. adjusted: the person-times of the total that correct
    frozen quarters.
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
        """人次: the people who attended by name, and the heads that were counted."""
        return self.named + self.counted

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, name) + getattr(other, name) for name in FIGURE_NAMES))


FIGURE_NAMES = tuple(field.name for field in fields(Figures))


def row_key(grouping: Grouping) -> ColumnElement[str]:
    """The key of the row that a ledger entry belongs to, as text: "2017-03" or "6", for example."""
    keys: dict[Grouping, ColumnElement[str]] = {
        Grouping.MONTH: func.to_char(PersonTimeEntry.dated_on, "YYYY-MM"),
        Grouping.QUARTER: func.to_char(PersonTimeEntry.dated_on, 'YYYY"Q"Q'),
        Grouping.YEAR: func.to_char(PersonTimeEntry.dated_on, "YYYY"),
        Grouping.PROGRAMME: cast(Course.programme_code, Text),
        Grouping.DISTRICT: cast(Offering.district_id, Text),
        Grouping.COURSE: cast(Offering.course_id, Text),
        Grouping.INSTRUCTOR: func.coalesce(cast(Offering.lead_instructor_id, Text), NO_INSTRUCTOR),
        Grouping.HOST: cast(Offering.organisation_id, Text),
        Grouping.SECTOR: cast(Organisation.sector, Text),
    }
    return keys[grouping]


def offering_matches(question: Question) -> ColumnElement[bool]:
    """The condition for the offerings that the rows show, for statements over Offering and Organisation.

    They are in the scope, and of the district, sector and host that the filters name.
    """
    filters = question.filters
    conditions = [Offering.visible_to(question.scope)]
    if filters.district is not None:
        conditions.append(Offering.district_id == filters.district)
    if filters.host is not None:
        conditions.append(Offering.organisation_id == filters.host)
    of_organisation = organisation_matches(filters)
    if of_organisation is not None:
        conditions.append(of_organisation)
    return and_(*conditions)


def organisation_matches(filters: Filters) -> ColumnElement[bool] | None:
    """The condition on Organisation for the sector and the part of a name; None where the filters have neither."""
    conditions: list[ColumnElement[bool]] = []
    if filters.sector is not None:
        conditions.append(Organisation.sector == filters.sector)
    if filters.organisation is not None:
        conditions.append(
            or_(
                Organisation.name_zh.icontains(filters.organisation, autoescape=True),
                Organisation.name_en.icontains(filters.organisation, autoescape=True),
            )
        )
    return and_(*conditions) if conditions else None


def course_matches(filters: Filters) -> ColumnElement[bool]:
    """The condition for the programme, the course, and first trainings or refreshers.

    For statements over Offering and Course.

    It holds for the whole branch's sum too, which is of the same courses whatever district or host is asked for.
    """
    conditions: list[ColumnElement[bool]] = []
    if filters.programme is not None:
        conditions.append(Course.programme_code == filters.programme)
    if filters.course is not None:
        conditions.append(Offering.course_id == filters.course)
    if filters.refresher is not None:
        conditions.append(Course.refresher == filters.refresher)
    return and_(true(), *conditions)


def entries(question: Question, *, branch: bool = False) -> Subquery:
    """The ledger entries of the period, each with the `key` of its row, `in_rows`, and the columns of `Figures`.

    branch: also the entries of the rest of the branch, with `in_rows` false. They may be summed and must not be listed.
    """
    filters = question.filters
    in_rows = offering_matches(question)
    person_times = PersonTimeEntry.named + PersonTimeEntry.counted
    statement = (
        select(
            PersonTimeEntry.id,
            PersonTimeEntry.offering_id,
            PersonTimeEntry.kind,
            func.coalesce(in_rows, False).label("in_rows"),
            row_key(filters.grouping).label("key"),
            Offering.district_id,
            Offering.counted_on,
            Course.programme_code,
            PersonTimeEntry.late,
            PersonTimeEntry.offerings().label("offerings"),
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
        .where(PersonTimeEntry.dated_on.between(filters.since, filters.until), course_matches(filters))
    )
    if filters.known_before is not None:
        statement = statement.where(PersonTimeEntry.recorded_at < filters.known_before)
    if not branch:
        statement = statement.where(in_rows)
    if filters.key is not None:
        statement = statement.where(row_key(filters.grouping) == filters.key)
    return statement.subquery("entry")


def figure_sums(source: Subquery | CTE) -> list[ColumnElement[int]]:
    """The sums of the columns of `Figures`, in the order of its fields."""
    return [cast(func.coalesce(func.sum(source.c[name]), 0), BigInteger).label(name) for name in FIGURE_NAMES]


def has_figures(source: Subquery | CTE) -> ColumnElement[bool]:
    """The HAVING condition that one of the sums of `figure_sums` is not zero.

    The entries of an undone import add up to zero in each figure: a row that holds nothing else is no row of a report.
    """
    return or_(*(func.sum(source.c[name]) != 0 for name in FIGURE_NAMES))


def figure_sum(source: Subquery, figure: Figure) -> ColumnElement[Any]:
    """The sum of one figure of the report."""
    if figure is Figure.PERSON_TIMES:
        return func.sum(source.c.named + source.c.counted)
    return func.sum(source.c[figure.value])


def total(db: Session, question: Question) -> Figures:
    """The figures of the whole answer, read from the ledger in one statement."""
    sums: Sequence[int] = tuple(db.execute(select(*figure_sums(entries(question)))).one())
    return Figures(*sums)
