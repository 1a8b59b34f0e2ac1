"""Districts by period: person-times in a table of districts and months, quarters or years."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy.orm import Session

from courses.counting import population
from courses.reports import charts, lines
from courses.reports.ledger import Figures
from courses.reports.questions import Question
from courses.reports.trends import without_gaps

PER = 10_000  # inhabitants that a rate is for


@dataclass(frozen=True)
class DistrictPeriodFigures:
    """The figures of one programme in one district in one period. `period` is the key of a row, as "2017-05"."""

    programme: str
    district: int
    period: str
    figures: Figures


@dataclass(frozen=True)
class DistrictPeriodTable:
    """Person-times by (district, period) in `cells`, which leaves zeros out. The sums are of all cells.

    periods: all from the first to the last one with a figure. people: the registered inhabitants of the districts that
    the question covers, where they are known; a rate is per `PER` of them.
    """

    periods: tuple[str, ...]
    districts: tuple[int, ...]
    cells: Mapping[tuple[int, str], int]
    people: Mapping[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The sum of all cells."""
        return sum(self.cells.values())

    def of_district(self, district: int) -> int:
        """The sum of a row."""
        return sum(number for (cell_district, _period), number in self.cells.items() if cell_district == district)

    def of_period(self, period: str) -> int:
        """The sum of a column."""
        return sum(number for (_district, cell_period), number in self.cells.items() if cell_period == period)

    def rate(self, number: int, district: int | None = None) -> float | None:
        """A number per `PER` inhabitants of a district, or of all districts. None where these are not known."""
        if district is not None:
            return per_inhabitants(number, self.people.get(district))
        everybody = None if set(self.districts) - set(self.people) else sum(self.people.values())
        return per_inhabitants(number, everybody)

    @cached_property
    def _largest(self) -> tuple[float, float]:
        """The largest cell, and the largest rate of a cell."""
        rates = (self.rate(number, district) or 0 for (district, _period), number in self.cells.items())
        return max(self.cells.values(), default=0), max(rates, default=0)

    def shade(self, district: int, period: str, *, by_rate: bool = False) -> int:
        """How dark a cell is: 0 for none, up to `charts.SHADES` for the largest of the table, or for the largest rate."""
        number = self.cells.get((district, period), 0)
        return charts.shade(self.rate(number, district) if by_rate else number, self._largest[by_rate])


def per_inhabitants(number: int, inhabitants: int | None) -> float | None:
    """A number per `PER` inhabitants; None where these are not known."""
    return number * PER / inhabitants if inhabitants else None


def figures(db: Session, question: Question) -> list[DistrictPeriodFigures]:
    """The figures by programme, district and period, in this order."""
    return [
        DistrictPeriodFigures(programme, district, period, sums)
        for programme, district, period, sums in lines.selected(db, question).by_programme_and_district()
    ]


def table(db: Session, question: Question) -> DistrictPeriodTable:
    """The person-times of all programmes that are asked for, as a table."""
    cells: dict[tuple[int, str], int] = {}
    for row in figures(db, question):
        cell = (row.district, row.period)
        cells[cell] = cells.get(cell, 0) + row.figures.person_times
    unit = question.filters.grouping.period_unit
    periods = {period for _district, period in cells}
    people = population.latest(db, question.filters.until.year)
    return DistrictPeriodTable(
        periods=tuple(without_gaps(periods, unit) if unit else sorted(periods)),
        districts=tuple(sorted({district for district, _period in cells})),
        cells={cell: number for cell, number in cells.items() if number},
        people={district: number for district, (number, _year) in people.items() if question.covers_district(district)},
    )
