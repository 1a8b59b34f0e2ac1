"""Periods of the calendar, by which rows and rollups are keyed, and the period presets of the report pages."""

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from courses.counting.quarters import Quarter


class PeriodUnit(StrEnum):
    """The length of a period."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    ALL_TIME = "all_time"


_KEY = re.compile(r"(?P<year>\d{4})(?:-(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4]))?")


@dataclass(frozen=True, order=True)
class Period:
    """A month, a quarter, a year or all time.

    The key is the text that the SQL statements write for a period: "2017-03", "2017Q1", "2017", and "" for all time.
    `number` is the month (1 to 12) or the quarter (1 to 4), and 0 for the other units.
    """

    unit: PeriodUnit
    year: int = 0
    number: int = 0

    @classmethod
    def containing(cls, day: date, unit: PeriodUnit) -> "Period":
        """The period of a unit that a day lies in."""
        if unit is PeriodUnit.ALL_TIME:
            return ALL_TIME
        numbers = {PeriodUnit.MONTH: day.month, PeriodUnit.QUARTER: Quarter.of(day).number, PeriodUnit.YEAR: 0}
        return cls(unit, day.year, numbers[unit])

    @classmethod
    def parse(cls, key: str) -> "Period":
        """Read a key. Raises ValueError for any other text."""
        if not key:
            return ALL_TIME
        match = _KEY.fullmatch(key)
        if match is None:
            raise ValueError(key)
        if match["month"]:
            return cls(PeriodUnit.MONTH, int(match["year"]), int(match["month"]))
        if match["quarter"]:
            return cls(PeriodUnit.QUARTER, int(match["year"]), int(match["quarter"]))
        return cls(PeriodUnit.YEAR, int(match["year"]))

    @property
    def key(self) -> str:
        """The text that `parse` reads back."""
        texts = {
            PeriodUnit.MONTH: f"{self.year:04d}-{self.number:02d}",
            PeriodUnit.QUARTER: f"{self.year:04d}Q{self.number}",
            PeriodUnit.YEAR: f"{self.year:04d}",
            PeriodUnit.ALL_TIME: "",
        }
        return texts[self.unit]

    @property
    def first(self) -> date:
        """The first day. All time has none: it raises ValueError."""
        if self.unit is PeriodUnit.ALL_TIME:
            raise ValueError(self)
        months = {PeriodUnit.MONTH: self.number, PeriodUnit.QUARTER: self.number * 3 - 2, PeriodUnit.YEAR: 1}
        return date(self.year, months[self.unit], 1)

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day of a month, a quarter or a year."""
        last_month = self.first.month - 1 + {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3}.get(self.unit, 12)
        return self.first, date(self.year, last_month, monthrange(self.year, last_month)[1])

    def shifted(self, years: int) -> "Period":
        """The same month, quarter or year, so many years later, or earlier where the number is negative."""
        return replace(self, year=self.year + years)


ALL_TIME = Period(PeriodUnit.ALL_TIME)


def periods_between(since: date, until: date, unit: PeriodUnit) -> list[Period]:
    """The periods of a unit that have a day from `since` to `until`, in their order and without gaps."""
    step = {PeriodUnit.MONTH: 1, PeriodUnit.QUARTER: 3, PeriodUnit.YEAR: 12}[unit]
    first = Period.containing(since, unit).first
    months = range(first.year * 12 + first.month - 1, until.year * 12 + until.month, step)
    return [Period.containing(date(month // 12, month % 12 + 1, 1), unit) for month in months]


class NamedPeriod(NamedTuple):
    """The days of a period that has a name: a preset ("last_quarter"), or the key of a month, quarter or year."""

    name: str
    since: date
    until: date


class UnknownYear(ValueError):
    """There are no figures of the year of a period."""


PRESETS = (
    "this_month", "this_quarter", "last_quarter", "this_year", "last_year", "last_12_months", "all",
)  # fmt: skip


def period_presets(today: date, years: range) -> list[NamedPeriod]:
    """The presets in the order of `PRESETS`. years: those of which there are figures, for all time.

    The last 12 months are the whole months before the current one. All time is whole years.
    """
    quarter = Quarter.of(today)
    first_of_month = today.replace(day=1)
    first_of_next = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    days = (
        (first_of_month, first_of_next - timedelta(days=1)),
        (quarter.first, quarter.last),
        (quarter.previous.first, quarter.previous.last),
        (date(today.year, 1, 1), date(today.year, 12, 31)),
        (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
        (first_of_month.replace(year=today.year - 1), first_of_month - timedelta(days=1)),
        (date(years[0], 1, 1), date(years[-1], 12, 31)),
    )
    return [NamedPeriod(name, since, until) for name, (since, until) in zip(PRESETS, days, strict=True)]


def named_period(name: str, today: date, years: range) -> NamedPeriod:
    """The days of a preset or of a key, as "last_quarter", "2017", "2017Q1" or "2017-03".

    Raises UnknownYear for a key of another year than `years`, and ValueError for any other text.
    """
    for preset in period_presets(today, years):
        if preset.name == name:
            return preset
    period = Period.parse(name)
    if period.unit is PeriodUnit.ALL_TIME:
        raise ValueError(name)
    if period.year not in years:
        raise UnknownYear(name)
    return NamedPeriod(name, *period.days)


def name_of_days(since: date, until: date) -> str | None:
    """The key of the month, quarter or year that begins and ends on these days; None where none does."""
    for unit in (PeriodUnit.YEAR, PeriodUnit.QUARTER, PeriodUnit.MONTH):
        period = Period.containing(since, unit)
        if period.days == (since, until):
            return period.key
    return None
