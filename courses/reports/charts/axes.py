"""Axes: round numbers for their ticks, the texts of the ticks, and the names of periods beneath a time axis."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, log10
from typing import NamedTuple

_STEPS = (Fraction(1), Fraction(2), Fraction(5, 2), Fraction(5))
_PERIOD = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)|(?P<quarter>Q[1-4]))")


@dataclass(frozen=True)
class Axis:
    """A scale from its first tick to its last. decimals: the digits behind the point that every tick needs."""

    ticks: tuple[float, ...]
    decimals: int = 0

    @property
    def low(self) -> float:
        """The value at the beginning."""
        return self.ticks[0]

    @property
    def high(self) -> float:
        """The value at the end."""
        return self.ticks[-1]

    def part(self, value: float) -> float:
        """The place of a value on the axis: 0.0 at its beginning, 1.0 at its end."""
        return (value - self.low) / (self.high - self.low)

    def label(self, tick: float) -> str:
        """The text of a tick, with separators of thousands."""
        return f"{tick:,.{self.decimals}f}"


def axis(values: Sequence[float], *, whole: bool = False, most: int = 6, from_zero: bool = True) -> Axis:
    """An axis that holds all values, with two ticks at least and `most` at most.

    whole: the ticks are whole numbers, for counts. from_zero: zero is on the axis, as bars need it. Values that are all
    the same, or none at all, have an axis of one step.
    """
    low, high = min(values, default=0), max(values, default=0)
    if from_zero:
        low, high = min(low, 0), max(high, 0)
    step = _step((high - low) / (most - 1) or abs(high) / 100 or 1, whole=whole)
    while True:
        first, last = floor(Fraction(low) / step), ceil(Fraction(high) / step)
        if last - first < most:
            break
        step = _step(float(step) * 1.01, whole=whole)
    ticks = tuple(float(number * step) for number in range(first, max(last, first + 1) + 1))
    decimals = next(digits for digits in range(400) if (step * 10**digits).denominator == 1)
    return Axis(ticks, decimals)


def _step(least: float, *, whole: bool) -> Fraction:
    """The smallest round number that is at least so large."""
    power = Fraction(10) ** floor(log10(least))
    round_numbers = [base * scale for scale in (power, power * 10) for base in _STEPS]
    large_enough = [number for number in round_numbers if number >= least]
    if whole:
        return next((number for number in large_enough if number.denominator == 1), Fraction(1))
    return large_enough[0]


class PeriodName(NamedTuple):
    """The name of a period in two lines: the part within the year, and the year, which stands at its first period."""

    within: str
    year: str


def period_names(names: Sequence[str]) -> list[PeriodName]:
    """The names of periods, "2026-03" or "2026Q1", in two lines; any other name is one line."""
    split: list[PeriodName] = []
    year_before = ""
    for name in names:
        match = _PERIOD.fullmatch(name)
        if match is None:
            split.append(PeriodName(name, ""))
            continue
        year = match["year"]
        split.append(PeriodName(match["quarter"] or str(int(match["month"])), year if year != year_before else ""))
        year_before = year
    return split


def thinned(widths: Sequence[float], room: float, gap: float = 8) -> int:
    """Each how many names are written, so that they stand apart: 1 for all. room: of one name, in pixels."""
    widest = max(widths, default=0)
    return max(1, ceil((widest + gap) / room)) if room > 0 else 1
