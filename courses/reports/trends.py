"""Trends: the person-times of periods year on year, without gaps in time, and against the target of the year."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from courses.counting import targets
from courses.reports import enrolment
from courses.reports.periods import Period, PeriodUnit, periods_between
from courses.reports.questions import Question
from courses.reports.report_rows import ReportRow

PERIODS_OF_YEAR = {PeriodUnit.MONTH: 12, PeriodUnit.QUARTER: 4}
MOST_EARLIER_YEARS = 8

Values = tuple[int | None, ...]


@dataclass(frozen=True)
class Trend:
    """Person-times by period, of this year and of the year before.

    names: the keys of this year's periods, one after the other. this, before: a value for each; 0 where nothing was
    counted, None where the question does not ask for the period, where it is still to come, and in the years before
    also where it is before the first period with a figure. earlier: the values of
    years before the year before, by year, the newest first. year: of `this`; None where the periods are of two years.
    target: of the year, where the question is of one whole year.
    """

    names: tuple[str, ...]
    this: Values
    before: Values
    earlier: Mapping[int, Values]
    year: int | None
    target: int | None

    def sums_until(self, today: date) -> tuple[int, int]:
        """The sums of this year's periods that are over, and of the same periods of the year before."""
        over = [
            (this, before)
            for name, this, before in zip(self.names, self.this, self.before, strict=True)
            if this is not None and before is not None and _is_over(name, today)
        ]
        return sum(this for this, _before in over), sum(before for _this, before in over)


def trend(db: Session, question: Question, rows: Sequence[ReportRow], today: date) -> Trend | None:
    """The trend of a report whose rows are months or quarters. None for other rows, and for a single period.

    A question of a year or less takes a statement for the year before; a longer one has it in its own rows.
    """
    filters = question.filters
    unit = filters.grouping.period_unit
    if unit not in PERIODS_OF_YEAR or filters.key is not None:
        return None
    since, until = filters.since, max(filters.since, min(filters.until, date(2100, 12, 31)))
    if (until.year - since.year) > 1:
        return _years(rows, unit, since, until, today)
    periods = periods_between(since, until, unit)
    if len(periods) < 2:
        return None
    if len(periods) > PERIODS_OF_YEAR[unit]:
        return _years(rows, unit, since, until, today)
    earlier_rows = enrolment.rows(db, question.a_year_before())
    whole_year = (since, until) == (date(since.year, 1, 1), date(since.year, 12, 31))
    target = None
    if whole_year and not filters.finer_than_programme_and_district:
        target = targets.sum_of_year(db, since.year, question.scope, filters.programme, filters.district)
    counted, counted_before = _by_key(rows), _by_key(earlier_rows)
    return Trend(
        names=tuple(period.key for period in periods),
        this=tuple(_value(counted, period, today) for period in periods),
        before=_since_first(counted_before, [period.shifted(-1) for period in periods], today),
        earlier={},
        year=since.year if since.year == until.year else None,
        target=target,
    )


def _years(rows: Sequence[ReportRow], unit: PeriodUnit, since: date, until: date, today: date) -> Trend:
    """The last year of a long question against the years before, each from the report's own rows."""
    counted = _by_key(rows)
    years_counted = {int(key[:4]) for key in counted}
    last = max(since.year, min(until.year, max([today.year, *years_counted])))
    first_asked, last_asked = Period.containing(since, unit).key, Period.containing(until, unit).key

    def values(year: int) -> Values:
        periods = periods_between(date(year, 1, 1), date(year, 12, 31), unit)
        return tuple(
            value if first_asked <= period.key <= last_asked else None
            for period, value in zip(periods, _since_first(counted, periods, today), strict=True)
        )

    earlier = sorted((year for year in years_counted if year < last - 1), reverse=True)[:MOST_EARLIER_YEARS]
    return Trend(
        names=tuple(period.key for period in periods_between(date(last, 1, 1), date(last, 12, 31), unit)),
        this=values(last),
        before=values(last - 1) if last - 1 in years_counted else (None,) * PERIODS_OF_YEAR[unit],
        earlier={year: values(year) for year in earlier},
        year=last,
        target=None,
    )


def without_gaps(keys: Collection[str], unit: PeriodUnit) -> list[str]:
    """The keys of all periods from the first to the last of these."""
    if not keys:
        return []
    first, last = Period.parse(min(keys)), Period.parse(max(keys))
    return [period.key for period in periods_between(first.first, last.first, unit)]


def _by_key(rows: Sequence[ReportRow]) -> dict[str, int]:
    return {row.key: row.figures.person_times for row in rows}


def _value(counted: Mapping[str, int], period: Period, today: date) -> int | None:
    number = counted.get(period.key)
    return (0 if period.first <= today else None) if number is None else number


def _since_first(counted: Mapping[str, int], periods: Sequence[Period], today: date) -> Values:
    """The value of each period, and None before the first one that was ever counted: the figures may begin there."""
    first = min(counted, default=None)
    return tuple(None if first is None or period.key < first else _value(counted, period, today) for period in periods)


def _is_over(key: str, today: date) -> bool:
    period = Period.parse(key)
    return Period.containing(today, period.unit) > period
