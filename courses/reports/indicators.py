"""The indicators: the yearly figures that a branch answers for, row by row of a report.

They set the figures of the enrolment report against the year before, against targets and against the population, and
give rates. A rate that has nothing to divide by is None, never 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.counting import population, targets
from courses.reports import enrolment, lines
from courses.reports.ledger import Figures
from courses.reports.opening_totals import opening_totals
from courses.reports.periods import Period
from courses.reports.questions import TIME_GROUPINGS, Filters, Grouping, Question
from courses.reports.report_rows import ReportRow, empty_rows, sum_row
from courses.reports.waiting import people_waiting


@dataclass(frozen=True)
class IndicatorRow:
    """The indicators of one row, or of all rows.

    opening: person-times from before the system, part of `person_times`.
    before: person-times of the same days a year earlier; before_opening: the part of them from before the system.
    sessions: of the offerings closed in the period. renewed: certificates of refresher courses.
    waiting: the people on waiting lists now. target: person-times; None where none is set.
    registered: the population of the district; None where rows are no districts or the number is not known.
    """

    row: ReportRow
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
        """Person-times with the totals from before the system."""
        return self.row.figures.person_times + self.opening

    @property
    def growth(self) -> float | None:
        """The change against the year before: 0.1 is a tenth more."""
        return (self.person_times - self.before) / self.before if self.before else None

    @property
    def completion(self) -> float | None:
        """The part of the target that is reached: 1.0 is all of it."""
        return None if self.target is None else self.person_times / self.target

    @property
    def certified(self) -> int:
        """First certificates: those that are not of refresher courses."""
        return self.row.figures.certificates - self.renewed

    @property
    def pass_rate(self) -> float | None:
        """`pass_rate` of the row."""
        return pass_rate(self.row.figures)

    @property
    def no_show(self) -> float | None:
        """`no_show_rate` of the row."""
        return no_show_rate(self.row.figures)

    @property
    def class_size(self) -> float | None:
        """`class_size` of the row."""
        return class_size(self.row.figures)

    @property
    def share(self) -> float | None:
        """The part of the registered population that was trained: distinct people by registered people."""
        return _ratio(self.row.people, self.registered or 0)


@dataclass(frozen=True)
class RowRate:
    """A rate of one row in a picture: `part` of `whole`. before: the part of the year before, where it is compared."""

    row: ReportRow
    part: int
    whole: int
    before: int | None = None

    @property
    def share(self) -> float | None:
        """The rate: 1.0 is all. None where there is nothing to divide by."""
        return _ratio(self.part, self.whole)


@dataclass(frozen=True)
class IndicatorReport:
    """Everything that the indicators page shows.

    branch: the figures and people of the whole branch, without totals from before the system.
    target_year: the year of the targets; None where the period is not within one year.
    pass_rates, no_show_rates, completions: the rows of the charts.
    """

    rows: list[IndicatorRow]
    total: IndicatorRow
    branch: ReportRow
    target_year: int | None
    pass_rates: list[RowRate]
    no_show_rates: list[RowRate]
    completions: list[RowRate]


def pass_rate(figures: Figures) -> float | None:
    """Of the people who took part by name, those who passed the course."""
    return _ratio(figures.passed, figures.named)


def no_show_rate(figures: Figures) -> float | None:
    """Of the people who had a place, those who came to no session."""
    return _ratio(figures.enrolled - figures.named, figures.enrolled)


def class_size(figures: Figures) -> float | None:
    """Person-times of one offering, on average."""
    return _ratio(figures.person_times, figures.offerings)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def report(db: Session, question: Question, *, zone: ZoneInfo) -> IndicatorReport:
    """Answer a question. zone: in which an offering's last day is taken."""
    filters = question.filters
    this_year = enrolment.report(db, question, zone=zone)
    # Of the year before, the person-times alone: counting its people would take longer than everything else together.
    earlier_rows = enrolment.rows(db, question.a_year_before())
    earlier_opening = opening_totals(db, question.a_year_before())
    before = {_a_year_later(filters.grouping, row.key): row.figures.person_times for row in earlier_rows}
    before_opening = {_a_year_later(filters.grouping, key): n for key, n in earlier_opening.by_key.items()}
    selection = lines.selected(db, question)
    sessions, renewed = selection.sessions(), selection.renewed()
    waiting = people_waiting(db, question)
    targets_of_rows, target = _targets(db, question)
    registered = {district: people for district, (people, _year) in population.latest(db, filters.until.year).items()}
    by_district = filters.grouping is Grouping.DISTRICT
    waiting_by_row = waiting if filters.grouping not in TIME_GROUPINGS else {}
    keys_beside = {*this_year.opening.by_key, *before, *before_opening, *waiting_by_row, *targets_of_rows}
    rows = [
        IndicatorRow(
            row=row,
            opening=this_year.opening.by_key.get(row.key, 0),
            before=before.get(row.key, 0) + before_opening.get(row.key, 0),
            before_opening=before_opening.get(row.key, 0),
            sessions=sessions.get(row.key, 0),
            renewed=renewed.get(row.key, 0),
            waiting=waiting.get(row.key, 0),
            target=targets_of_rows.get(row.key),
            registered=registered.get(int(row.key)) if by_district else None,
        )
        for row in _with_missing_rows(db, filters.grouping, this_year.rows, keys_beside)
    ]
    population_shown = [people for district, people in registered.items() if question.covers_district(district)]
    total = IndicatorRow(
        row=sum_row(this_year.total, this_year.people),
        opening=this_year.opening.person_times,
        before=sum(row.figures.person_times for row in earlier_rows) + earlier_opening.person_times,
        before_opening=earlier_opening.person_times,
        sessions=sum(sessions.values()),
        renewed=sum(renewed.values()),
        waiting=sum(waiting.values()),
        target=target,
        registered=sum(population_shown) or None,
    )
    pass_rates, no_show_rates = _rates(this_year.rows)
    return IndicatorReport(
        rows=rows,
        total=total,
        branch=sum_row(this_year.branch, this_year.branch_people),
        target_year=target_year(filters),
        pass_rates=pass_rates,
        no_show_rates=no_show_rates,
        completions=[
            RowRate(row.row, row.person_times, row.target, row.before) for row in rows if row.target is not None
        ],
    )


def rates(db: Session, question: Question) -> tuple[list[RowRate], list[RowRate]]:
    """The pass rates and the no-show rates of the rows. They are the same as in `report`."""
    return _rates(enrolment.rows(db, question))


def _rates(rows: Sequence[ReportRow]) -> tuple[list[RowRate], list[RowRate]]:
    pass_rates = [RowRate(row, row.figures.passed, row.figures.named) for row in rows]
    no_shows = [RowRate(row, row.figures.enrolled - row.figures.named, row.figures.enrolled) for row in rows]
    return pass_rates, no_shows


def completions(db: Session, question: Question) -> list[RowRate]:
    """The part of its target that each row with a target reached. They are the same as in `report`."""
    targets_of_rows, _target = _targets(db, question)
    if not targets_of_rows:
        return []
    grouping = question.filters.grouping
    opening = opening_totals(db, question).by_key
    year_before = question.a_year_before()
    before = {_a_year_later(grouping, key): number for key, number in opening_totals(db, year_before).by_key.items()}
    for row in enrolment.rows(db, year_before):
        key = _a_year_later(grouping, row.key)
        before[key] = before.get(key, 0) + row.figures.person_times
    rows = _with_missing_rows(db, grouping, enrolment.rows(db, question), targets_of_rows)
    return [
        RowRate(
            row,
            row.figures.person_times + opening.get(row.key, 0),
            targets_of_rows[row.key],
            before.get(row.key, 0),
        )
        for row in rows
        if row.key in targets_of_rows
    ]


def target_year(filters: Filters) -> int | None:
    """The year whose targets a period is held against; None where the period is not within one year."""
    return filters.since.year if filters.since.year == filters.until.year else None


def key_a_year_before(grouping: Grouping, key: str) -> str:
    """The key of the row of the year before that a row is compared with: "2016-05" for "2017-05"."""
    return Period.parse(key).shifted(-1).key if grouping in TIME_GROUPINGS else key


def _a_year_later(grouping: Grouping, key: str) -> str:
    """The key of this year's row that a row of the year before is compared with: "2017-05" for "2016-05"."""
    return Period.parse(key).shifted(1).key if grouping in TIME_GROUPINGS else key


def _with_missing_rows(
    db: Session, grouping: Grouping, rows: Sequence[ReportRow], keys: Iterable[str]
) -> list[ReportRow]:
    """The report's rows, and empty ones for keys that have only a target, a year before or a waiting list.

    Without the empty rows, the rows would not add up to the total, and a district that reached nothing of its target
    would be missing.
    """
    known = {row.key: row for row in rows}
    missing = set(keys) - set(known)
    if not missing:
        return list(rows)
    if grouping in TIME_GROUPINGS:
        return sorted([*rows, *empty_rows(db, grouping, missing)], key=lambda row: row.key)
    if grouping in {Grouping.DISTRICT, Grouping.PROGRAMME}:
        return [known.get(row.key, row) for row in empty_rows(db, grouping, missing | set(known))]
    return [*rows, *empty_rows(db, grouping, missing)]


def _targets(db: Session, question: Question) -> tuple[dict[str, int], int | None]:
    """The targets by the key of the row, and the target of all rows.

    There are none where a course, a host, a sector or refreshers are asked for: a target is set for all of them
    together.
    """
    filters = question.filters
    year = target_year(filters)
    if year is None or filters.finer_than_programme_and_district:
        return {}, None
    target_of_place = {
        place: reached.target
        for place, reached in targets.read(db, year, question.scope).cells.items()
        if reached.target is not None and filters.programme in {None, place[0]} and filters.district in {None, place[1]}
    }
    by_key: dict[str, int] = {}
    for (programme, district), target in target_of_place.items():
        keys = {Grouping.PROGRAMME: programme, Grouping.DISTRICT: str(district), Grouping.YEAR: str(year)}
        key = keys.get(filters.grouping)
        if key is not None:
            by_key[key] = by_key.get(key, 0) + target
    return by_key, sum(target_of_place.values()) or None
