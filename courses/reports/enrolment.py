"""The enrolment report: the ledger's lines added up by what was asked, people counted once, and what is not counted yet."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    null,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from courses.counting import person_time
from courses.models.attendance import Attendance
from courses.models.catalogue import Course, Programme
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.reports import opening_totals, rollups
from courses.reports.filters import PERIODS, Filters, Grouping, within
from courses.reports.ledger import Figures, asked, lines, of_subject, sums
from courses.reports.opening_totals import Opening
from instructors.models import Instructor
from lms.core.scope import REMEMBERED, Scope
from lms.organisations.models import District, Organisation

ADJUSTMENTS_SHOWN = 20  # on a page; the file holds all


@dataclass(frozen=True)
class Row:
    """One row. `key` leads down to its offerings; a name is None where there is nobody to name.

    people: distinct trainees who were present. It does not add up over rows: who came twice is one.
    """

    key: str
    name_zh: str | None
    name_en: str | None
    note: str | None
    figures: Figures
    people: int


@dataclass(frozen=True)
class Progress:
    """What was held in the period and is not closed yet, so it is in no total: offerings, and who came so far."""

    offerings: int
    enrolled: int
    named: int
    counted: int


@dataclass(frozen=True)
class Adjustment:
    """A line that changes a frozen quarter's figures in the open one. It corrects the closing of `counted_on`."""

    offering_id: int
    course_zh: str
    course_en: str
    host_zh: str
    host_en: str | None
    counted_on: date
    dated_on: date
    person_times: int
    minutes: int
    passed: int
    late_closing: bool
    reason: str | None


@dataclass(frozen=True)
class Report:
    """The answer. `branch` is the whole branch's sum for the same period and courses, whatever district or host is asked.

    `opening`: totals from before the system, in none of the other figures.
    """

    filters: Filters
    rows: tuple[Row, ...]
    total: Figures
    people: int
    branch: Figures
    branch_people: int
    opening: Opening
    progress: Progress
    adjustments: tuple[Adjustment, ...]


def report(db: Session, filters: Filters, scope: Scope, *, zone: ZoneInfo) -> Report:
    """Answer a question in five statements. Raises NotFound for another district's."""
    within(filters, scope)
    rows, branch = _figures(db, filters, scope)
    people = rollups.people(db, filters, scope)
    return Report(
        filters=filters,
        rows=tuple(
            Row(row.key, row.name_zh, row.name_en, row.note, row.figures, people.rows.get(row.key, 0)) for row in rows
        ),
        total=sum((row.figures for row in rows), Figures()),
        people=people.everybody,
        branch=branch,
        branch_people=people.branch,
        opening=opening_totals.of_question(db, filters, scope),
        progress=progress(db, filters, scope, zone=zone),
        adjustments=adjustments(db, filters, scope, most=ADJUSTMENTS_SHOWN),
    )


def rows(db: Session, filters: Filters, scope: Scope) -> list[Row]:
    """The rows alone, without people, for the chart: one statement."""
    within(filters, scope)
    return _figures(db, filters, scope)[0]


def branch(db: Session, filters: Filters, scope: Scope) -> Figures:
    """The whole branch's sum for the same period and courses: one statement."""
    within(filters, scope)
    return _figures(db, filters, scope)[1]


@lru_cache(REMEMBERED)
def _figures_asked(filters: Filters, scope: Scope) -> Select[*tuple[Any, ...]]:
    line = rollups.cells(filters, scope, branch=True)
    added = (
        select(line.c.shown, line.c.key, func.grouping(line.c.key).label("whole"), *sums(line))
        .group_by(func.grouping_sets(tuple_(line.c.shown, line.c.key), tuple_()))
        .subquery("added")
    )
    label = _labels(filters.grouping)
    return (
        select(
            added.c.whole,
            added.c.key,
            label.c.name_zh,
            label.c.name_en,
            label.c.note,
            *(added.c[name] for name in Figures.__dataclass_fields__),
        )
        .outerjoin(label, label.c.key == added.c.key)
        .where(added.c.shown | (added.c.whole == 1))
        .order_by(*_order(filters.grouping, added, label))
    )


def _figures(db: Session, filters: Filters, scope: Scope) -> tuple[list[Row], Figures]:
    found: list[Row] = []
    branch = Figures()
    for whole, key, name_zh, name_en, note, *figures in db.execute(_figures_asked(filters, scope.reach)):
        if whole:
            branch = Figures(*figures)
        else:
            found.append(Row(key, name_zh, name_en, note, Figures(*figures), 0))
    return found, branch


def _order(grouping: Grouping, added: Subquery, label: Subquery) -> tuple[ColumnElement[object], ...]:
    """Months, quarters and years in time, programmes and districts in their own order, the rest by size."""
    if grouping in PERIODS:
        return (added.c.key,)
    if grouping in {Grouping.PROGRAMME, Grouping.DISTRICT}:
        return (label.c.position, added.c.key)
    return ((added.c.named + added.c.counted).desc(), added.c.key)


def _labels(grouping: Grouping) -> Subquery:
    """Key, names, a note that tells apart what has the same name, and position. Periods and sectors have none here."""
    none, first = cast(null(), Text), literal(0)
    unnamed = (none.label("name_zh"), none.label("name_en"), none.label("note"), first.label("position"))
    without = select(cast(null(), Text).label("key"), *unnamed)
    statements: dict[Grouping, Select[*tuple[object, ...]]] = {
        Grouping.PROGRAMME: select(
            Programme.code.label("key"), Programme.name_zh, Programme.name_en, none.label("note"), Programme.position,
        ),
        Grouping.DISTRICT: select(
            cast(District.id, Text).label("key"), District.name_zh, District.name_en, none.label("note"),
            District.id.label("position"),
        ),
        Grouping.COURSE: select(
            cast(Course.id, Text).label("key"), Course.name_zh, Course.name_en, Course.code.label("note"),
            first.label("position"),
        ),
        Grouping.INSTRUCTOR: select(
            cast(Instructor.id, Text).label("key"), Instructor.name.label("name_zh"), none.label("name_en"),
            Instructor.registration_number.label("note"), first.label("position"),
        ),
        Grouping.HOST: select(
            cast(Organisation.id, Text).label("key"), Organisation.name_zh, Organisation.name_en, none.label("note"),
            first.label("position"),
        ),
    }  # fmt: skip
    return statements.get(grouping, without).subquery("label")


def absent(db: Session, grouping: Grouping, keys: Collection[str]) -> list[Row]:
    """Rows of nothing, with their names, in the order of the report: for what is known of a row besides its figures."""
    label = _labels(grouping)
    statement = select(label.c.key, label.c.name_zh, label.c.name_en, label.c.note).where(label.c.key.in_(keys))
    found = [Row(*row, Figures(), 0) for row in db.execute(statement.order_by(label.c.position, label.c.key))]
    named = {row.key for row in found}
    return found + [Row(key, None, None, None, Figures(), 0) for key in sorted(set(keys) - named)]


def attended(line: Subquery) -> ColumnElement[bool]:
    """Joins a closing line to the enrolments of those who were present."""
    return (
        (Enrolment.offering_id == line.c.offering_id)
        & (line.c.kind == EntryKind.CLOSING)
        & select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    )


def in_progress(filters: Filters, scope: Scope, zone: ZoneInfo) -> Subquery:
    """Offerings that were held in part or whole, whose last session lies in the period, and that are not closed.

    One row an offering: `offering_id`, `last_day` and what `person_time.recounted` gives, as it stands now.
    """
    meeting = aliased(CourseSession)
    last_day = cast(func.timezone(zone.key, func.max(meeting.starts_at)), Date)
    open_ = (
        select(Offering.id, last_day.label("last_day"))
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(meeting, meeting.offering_id == Offering.id)
        .where(Offering.state == OfferingState.PUBLISHED, asked(filters, scope), of_subject(filters))
        .group_by(Offering.id)
        .having(last_day.between(filters.since, filters.until))
        .cte("open")  # found once, and not for each sum
    )
    now = person_time.recounted(Offering.id.in_(select(open_.c.id)))
    return (
        select(now, open_.c.last_day)
        .join(open_, open_.c.id == now.c.offering_id)
        .where((now.c.named > 0) | (now.c.counted > 0))
        .subquery("progress")
    )


@lru_cache(REMEMBERED)
def _progress_asked(filters: Filters, scope: Scope, zone: ZoneInfo) -> Select[*tuple[Any, ...]]:
    open_ = in_progress(filters, scope, zone)
    added = [func.coalesce(func.sum(open_.c[name]), 0) for name in ("enrolled", "named", "counted")]
    return select(func.count(open_.c.offering_id), *added)


def progress(db: Session, filters: Filters, scope: Scope, *, zone: ZoneInfo) -> Progress:
    """The sum of what is in progress."""
    offerings, enrolled, named, counted = db.execute(_progress_asked(filters, scope.reach, zone)).one()
    return Progress(offerings, int(enrolled), int(named), int(counted))


@lru_cache(REMEMBERED)
def _adjustments_asked(filters: Filters, scope: Scope, most: int | None) -> Select[*tuple[Any, ...]]:
    line = lines(filters, scope)
    return (
        select(
            Offering.id, Course.name_zh, Course.name_en, Organisation.name_zh, Organisation.name_en,
            Offering.counted_on, PersonTimeEntry.dated_on, line.c.adjusted, line.c.minutes, line.c.passed,
            line.c.kind == EntryKind.CLOSING, PersonTimeEntry.reason,
        )
        .join(PersonTimeEntry, PersonTimeEntry.id == line.c.id)
        .join(Offering, Offering.id == line.c.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(line.c.late)
        .order_by((PersonTimeEntry.id + 0).desc())  # not by its index, which would walk back over all lines for a few
        .limit(most)
    )  # fmt: skip


def adjustments(db: Session, filters: Filters, scope: Scope, *, most: int | None = None) -> tuple[Adjustment, ...]:
    """The lines that change frozen quarters, the latest first. Raises NotFound for another district's."""
    within(filters, scope)
    return tuple(Adjustment(*row) for row in db.execute(_adjustments_asked(filters, scope.reach, most)))
