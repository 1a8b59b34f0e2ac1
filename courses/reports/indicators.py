"""The yearly figures that a branch is asked for, row by row of a report: against the year before, against targets, and as rates.

Everything is drawn from the report's own figures; a rate without anything to divide by is None, never 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.counting import population, targets
from courses.models.catalogue import Course
from courses.models.offerings import CourseSession, Offering
from courses.models.person_time import EntryKind
from courses.reports import enrolment, opening_totals, waiting
from courses.reports.enrolment import Row
from courses.reports.filters import PERIODS, Filters, Grouping, within
from courses.reports.ledger import Figures, lines
from lms.core.scope import Scope


@dataclass(frozen=True)
class Indicators:
    """One row. person_times: with `opening`, totals from before the system. before: person-times of the same days a year earlier,
    of which `before_opening` from before the system.

    renewed: certificates of refresher courses; certified: first ones. waiting: people on waiting lists now.
    registered: the population of the district.
    """

    row: Row
    opening: int
    before: int
    before_opening: int
    sessions: int
    renewed: int
    waiting: int
    target: int | None
    registered: int | None

    @property
    def person_times(self) -> int:
        """Reached, with the totals from before the system."""
        return self.row.figures.person_times + self.opening

    @property
    def growth(self) -> float | None:
        """Against the year before: 0.1 is a tenth more."""
        return (self.person_times - self.before) / self.before if self.before else None

    @property
    def completion(self) -> float | None:
        """Of the target: 1.0 is all of it."""
        return None if self.target is None else self.person_times / self.target

    @property
    def certified(self) -> int:
        """First certificates."""
        return self.row.figures.certificates - self.renewed

    @property
    def pass_rate(self) -> float | None:
        """Of those who took part by name, who completed the course."""
        return pass_rate(self.row.figures)

    @property
    def no_show(self) -> float | None:
        """Of those who had a place, who came to no session."""
        return no_show(self.row.figures)

    @property
    def class_size(self) -> float | None:
        """Person-times an offering."""
        return class_size(self.row.figures)

    @property
    def share(self) -> float | None:
        """Distinct trained people of the registered population."""
        return _ratio(self.row.people, self.registered or 0)


@dataclass(frozen=True)
class Overview:
    """The rows and their sum. `target_year`: the year of the targets, None where the period is not within one year.

    branch: the whole branch's person-times of the question, without the totals from before the system; `branch_row`: with its
    rates and people.
    """

    rows: list[Indicators]
    total: Indicators
    branch: int
    branch_row: Row
    target_year: int | None


def pass_rate(figures: Figures) -> float | None:
    """Of those who took part by name, who completed the course."""
    return _ratio(figures.passed, figures.named)


def no_show(figures: Figures) -> float | None:
    """Of those who had a place, who came to no session."""
    return _ratio(figures.enrolled - figures.named, figures.enrolled)


def class_size(figures: Figures) -> float | None:
    """Person-times an offering."""
    return _ratio(figures.person_times, figures.offerings)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def overview(db: Session, filters: Filters, scope: Scope, *, zone: ZoneInfo) -> Overview:
    """Answer a question in fifteen statements at most. Raises NotFound for another district's."""
    found = enrolment.report(db, filters, scope, zone=zone)
    # Of the year before, person-times alone: its people would take longer to tell apart than all the rest.
    earlier = enrolment.rows(db, a_year_before(filters), scope)
    earlier_opening = opening_totals.of_question(db, a_year_before(filters), scope)
    before = {_a_year_on(filters.grouping, row.key): row.figures.person_times for row in earlier}
    before_opening = {_a_year_on(filters.grouping, key): number for key, number in earlier_opening.by_key.items()}
    sessions, renewed = _sessions(db, filters, scope), _renewed(db, filters, scope)
    queues = waiting.numbers(db, filters, scope)
    year = year_of(filters)
    aims, aim = _targets(db, filters, scope, year)
    registered = {
        str(district): people for district, (people, _year) in population.latest(db, filters.until.year).items()
    }
    by_district = filters.grouping is Grouping.DISTRICT
    queued = queues if filters.grouping not in PERIODS else {}
    beside = {*found.opening.by_key, *before, *before_opening, *queued, *aims}
    rows = [
        Indicators(
            row=row,
            opening=found.opening.by_key.get(row.key, 0),
            before=before.get(row.key, 0) + before_opening.get(row.key, 0),
            before_opening=before_opening.get(row.key, 0),
            sessions=sessions.get(row.key, 0),
            renewed=renewed.get(row.key, 0),
            waiting=queues.get(row.key, 0),
            target=aims.get(row.key),
            registered=registered.get(row.key) if by_district else None,
        )
        for row in _with_absent(db, filters.grouping, found.rows, beside)
    ]
    shown = [number for district, number in registered.items() if _covers(filters, scope, int(district))]
    total = Indicators(
        row=Row("", None, None, None, found.total, found.people),
        opening=found.opening.person_times,
        before=sum(row.figures.person_times for row in earlier) + earlier_opening.person_times,
        before_opening=earlier_opening.person_times,
        sessions=sum(sessions.values()),
        renewed=sum(renewed.values()),
        waiting=sum(queues.values()),
        target=aim,
        registered=sum(shown) or None,
    )
    branch_row = Row("", None, None, None, found.branch, found.branch_people)
    return Overview(rows, total, found.branch.person_times, branch_row, year)


def key_before(grouping: Grouping, key: str) -> str:
    """The row of the year before that a row is compared with: 2017-05 with 2016-05."""
    return f"{int(key[:4]) - 1}{key[4:]}" if grouping in PERIODS else key


@dataclass(frozen=True)
class Rate:
    """One row of a picture: of `whole`, so many are `part`. None where there is nothing to divide by."""

    row: Row
    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """1.0 is all of it."""
        return _ratio(self.part, self.whole)


def rates(db: Session, filters: Filters, scope: Scope) -> tuple[list[Rate], list[Rate]]:
    """Pass rates and no-show rates, row by row, in one statement. The same as in `overview`."""
    rows = enrolment.rows(db, filters, scope)
    passed = [Rate(row, row.figures.passed, row.figures.named) for row in rows]
    away = [Rate(row, row.figures.enrolled - row.figures.named, row.figures.enrolled) for row in rows]
    return passed, away


def completion(db: Session, filters: Filters, scope: Scope) -> list[Rate]:
    """What was reached of each row's target, those alone that have one. The same as in `overview`."""
    within(filters, scope)
    aims, _aim = _targets(db, filters, scope, year_of(filters))
    if not aims:
        return []
    before = opening_totals.of_question(db, filters, scope).by_key
    rows = _with_absent(db, filters.grouping, enrolment.rows(db, filters, scope), aims)
    return [
        Rate(row, row.figures.person_times + before.get(row.key, 0), aims[row.key]) for row in rows if row.key in aims
    ]


def year_of(filters: Filters) -> int | None:
    """The year of the targets that a period is held against; None where it is not within one."""
    return filters.since.year if filters.since.year == filters.until.year else None


def a_year_before(filters: Filters) -> Filters:
    """The same days of the year before; 29 February becomes the 28th."""
    return replace(filters, since=_shifted(filters.since), until=_shifted(filters.until), key=None)


def _shifted(day: date) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)


def _a_year_on(grouping: Grouping, key: str) -> str:
    """The row of this year that a row of last year is compared with: 2016-05 with 2017-05."""
    return f"{int(key[:4]) + 1}{key[4:]}" if grouping in PERIODS else key


def _with_absent(db: Session, grouping: Grouping, rows: Sequence[Row], keys: Iterable[str]) -> list[Row]:
    """The report's rows, and those that have nothing in it but a target, a year before or a waiting list.

    Without them the rows would not add up to the total, and a district that has reached nothing of its target would be missing.
    """
    known = {row.key: row for row in rows}
    missing = set(keys) - set(known)
    if not missing:
        return list(rows)
    if grouping in PERIODS:
        return sorted([*rows, *enrolment.absent(db, grouping, missing)], key=lambda row: row.key)
    if grouping in {Grouping.DISTRICT, Grouping.PROGRAMME}:
        return [known.get(row.key, row) for row in enrolment.absent(db, grouping, missing | set(known))]
    return [*rows, *enrolment.absent(db, grouping, missing)]


def _covers(filters: Filters, scope: Scope, district: int) -> bool:
    if filters.district is not None:
        return district == filters.district
    return scope.everything or district in scope.district_ids


def _sessions(db: Session, filters: Filters, scope: Scope) -> dict[str, int]:
    line = lines(filters, scope)
    statement = (
        select(line.c.key, func.count(CourseSession.id))
        .join(CourseSession, CourseSession.offering_id == line.c.offering_id)
        .where(line.c.kind == EntryKind.CLOSING)
        .group_by(line.c.key)
    )
    return {key: number for key, number in db.execute(statement)}


def _renewed(db: Session, filters: Filters, scope: Scope) -> dict[str, int]:
    line = lines(filters, scope)
    statement = (
        select(line.c.key, func.sum(line.c.certificates))
        .join(Offering, Offering.id == line.c.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(Course.refresher, line.c.certificates != 0)
        .group_by(line.c.key)
    )
    return {key: int(number) for key, number in db.execute(statement)}


def _targets(db: Session, filters: Filters, scope: Scope, year: int | None) -> tuple[dict[str, int], int | None]:
    """Targets by the key of the row, and in all. None of a part of the year's subject: a target is for all hosts and courses."""
    narrower = (filters.course, filters.organisation, filters.sector, filters.refresher)
    if year is None or any(one is not None for one in narrower):
        return {}, None
    cells = {
        place: reached.target
        for place, reached in targets.read(db, year, scope).cells.items()
        if reached.target is not None and filters.programme in {None, place[0]} and filters.district in {None, place[1]}
    }
    aims: dict[str, int] = {}
    for (programme, district), target in cells.items():
        key = {Grouping.PROGRAMME: programme, Grouping.DISTRICT: str(district), Grouping.YEAR: str(year)}.get(
            filters.grouping
        )
        if key is not None:
            aims[key] = aims.get(key, 0) + target
    return aims, sum(cells.values()) or None
