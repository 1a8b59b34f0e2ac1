"""Rollups (`courses.models.rollups`): kept sums of ledger entries by month, by host and by lead instructor.

A trigger on the ledger keeps the sums. This module decides which questions the rollups can answer and adds them up.
They answer the questions that are asked most: whole months by programme, district or course, and whole years by host
and lead instructor, of one host, and of a coordinator's organisations. Any other question (days within a month, a part
of a host's name, the figures as known on a day) is answered by the ledger entries themselves.
"""

from calendar import monthrange
from typing import Any

from sqlalchemy import ColumnElement, Subquery, Text, and_, case, cast, func, select

from courses.models.catalogue import Course
from courses.models.rollups import PersonTimeHost, PersonTimeLead, PersonTimeMonth
from courses.reports.ledger import FIGURE_NAMES, NO_INSTRUCTOR, entries
from courses.reports.questions import Filters, Grouping, Question
from lms.organisations.models import Organisation

RollupTable = type[PersonTimeMonth | PersonTimeHost | PersonTimeLead]

_BY_YEAR: dict[Grouping, RollupTable] = {
    Grouping.HOST: PersonTimeHost,
    Grouping.SECTOR: PersonTimeHost,
    Grouping.INSTRUCTOR: PersonTimeLead,
}
# The groupings by which the sums of hosts can be added up.
_OF_HOSTS = frozenset(
    {Grouping.YEAR, Grouping.PROGRAMME, Grouping.DISTRICT, Grouping.COURSE, Grouping.HOST, Grouping.SECTOR}
)


def partial_sums(question: Question, *, branch: bool = False, by_programme_and_district: bool = False) -> Subquery:
    """The figures of a question in few rows, to be added up: `key`, `in_rows` and the columns of `Figures`.

    branch: also the rest of the branch, with `in_rows` false. by_programme_and_district: also divided by
    `programme_code` and `district_id`.
    """
    table = answering_table(question)
    if table is None:
        return entries(question, branch=branch)
    filters = question.filters
    in_rows = _in_rows(table, question)
    figures = {name: getattr(table, name) for name in FIGURE_NAMES if name != "refresher"}
    figures["refresher"] = case((Course.refresher, table.named + table.counted), else_=0)
    key = _row_key(table, filters.grouping)
    divisions = [Course.programme_code, table.district_id] if by_programme_and_district else []
    statement = (
        select(
            in_rows.label("in_rows"),
            key.label("key"),
            *divisions,
            *(figures[name].label(name) for name in FIGURE_NAMES),
        )
        .join(Course, Course.id == table.course_id)
        .where(_in_period(table, filters))
    )
    if filters.grouping is Grouping.SECTOR:
        statement = statement.join(Organisation, Organisation.id == PersonTimeHost.organisation_id)
    if filters.programme is not None:
        statement = statement.where(Course.programme_code == filters.programme)
    if filters.course is not None:
        statement = statement.where(table.course_id == filters.course)
    if filters.refresher is not None:
        statement = statement.where(Course.refresher == filters.refresher)
    if not branch:
        statement = statement.where(in_rows)
    if filters.key is not None:
        statement = statement.where(cast(key, Text) == ("0" if filters.key == NO_INSTRUCTOR else filters.key))
    # The keys become text only after the rows are added up: there are far fewer of them then.
    rollup = statement.subquery("rollup")
    text_key: ColumnElement[Any] = cast(rollup.c.key, Text)
    if filters.grouping is Grouping.INSTRUCTOR:
        text_key = case((rollup.c.key == 0, NO_INSTRUCTOR), else_=text_key)
    divided_by = [rollup.c[column.key] for column in divisions]
    sums = (func.sum(rollup.c[name]).label(name) for name in FIGURE_NAMES)
    return (
        select(rollup.c.in_rows, text_key.label("key"), *divided_by, *sums)
        .group_by(rollup.c.in_rows, rollup.c.key, *divided_by)
        .subquery("part")
    )


def answering_table(question: Question) -> RollupTable | None:
    """The rollup that answers a question, or None where only the ledger entries do.

    The rollups know districts and hosts but no rights on single offerings, so the scope of an instructor needs the
    entries.
    """
    filters, scope = question.filters, question.scope
    if filters.known_before is not None or filters.organisation is not None or filters.sector is not None:
        return None
    if not scope.everything and scope.instructor_user_id is not None:
        return None
    if filters.host is not None or (scope.organisation_ids and not scope.everything):
        return PersonTimeHost if filters.grouping in _OF_HOSTS and has_whole_years(filters) else None
    if filters.grouping in _BY_YEAR:
        return _BY_YEAR[filters.grouping] if has_whole_years(filters) else None
    return PersonTimeMonth if has_whole_months(filters) else None


def has_whole_months(filters: Filters) -> bool:
    """True if the period begins on the first day of a month and ends on the last day of one."""
    last_day = monthrange(filters.until.year, filters.until.month)[1]
    return filters.since.day == 1 and filters.until.day == last_day


def has_whole_years(filters: Filters) -> bool:
    """True if the period begins on a 1 January and ends on a 31 December."""
    return has_whole_months(filters) and filters.since.month == 1 and filters.until.month == 12


def _in_period(table: RollupTable, filters: Filters) -> ColumnElement[bool]:
    if issubclass(table, PersonTimeMonth):
        return table.month.between(filters.since, filters.until)
    return table.year.between(filters.since.year, filters.until.year)


def _in_rows(table: RollupTable, question: Question) -> ColumnElement[bool]:
    filters = question.filters
    host = table.organisation_id if issubclass(table, PersonTimeHost) else None
    conditions = [question.scope.covers(district=table.district_id, organisation=host)]
    if filters.district is not None:
        conditions.append(table.district_id == filters.district)
    if filters.host is not None and host is not None:
        conditions.append(host == filters.host)
    return and_(*conditions)


def _row_key(table: RollupTable, grouping: Grouping) -> ColumnElement[Any]:
    """The key of the report's row that a row of the rollup belongs to: `ledger.row_key`, but not yet as text."""
    if issubclass(table, PersonTimeLead):
        return table.instructor_id  # type: ignore[return-value]
    if issubclass(table, PersonTimeHost):
        host_keys: dict[Grouping, Any] = {
            Grouping.YEAR: table.year,
            Grouping.PROGRAMME: Course.programme_code,
            Grouping.DISTRICT: table.district_id,
            Grouping.COURSE: table.course_id,
            Grouping.HOST: table.organisation_id,
            Grouping.SECTOR: Organisation.sector,
        }
        return host_keys[grouping]  # type: ignore[no-any-return]
    keys: dict[Grouping, Any] = {
        Grouping.MONTH: func.to_char(table.month, "YYYY-MM"),
        Grouping.QUARTER: func.to_char(table.month, 'YYYY"Q"Q'),
        Grouping.YEAR: func.to_char(table.month, "YYYY"),
        Grouping.PROGRAMME: Course.programme_code,
        Grouping.DISTRICT: table.district_id,
        Grouping.COURSE: table.course_id,
    }
    return keys[grouping]  # type: ignore[no-any-return]
