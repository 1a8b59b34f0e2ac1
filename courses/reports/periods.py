"""Periods of the calendar, by which rows and rollups are keyed, and the period presets of the report pages."""

import re
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


class PeriodPreset(NamedTuple):
    """A period that a report page offers as a button. `name` is the code that its label is found by."""

    name: str
    since: date
    until: date


def period_presets(today: date) -> list[PeriodPreset]:
    """This month, this and the last quarter, this and the last year."""
    quarter = Quarter.of(today)
    first_of_month = today.replace(day=1)
    first_of_next = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    return [
        PeriodPreset("this_month", first_of_month, first_of_next - timedelta(days=1)),
        PeriodPreset("this_quarter", quarter.first, quarter.last),
        PeriodPreset("last_quarter", quarter.previous.first, quarter.previous.last),
        PeriodPreset("this_year", date(today.year, 1, 1), date(today.year, 12, 31)),
        PeriodPreset("last_year", date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    ]
