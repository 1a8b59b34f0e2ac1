"""Districts by period: person-times in a table of districts and months, quarters or years."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from courses.reports import lines
from courses.reports.ledger import Figures
from courses.reports.questions import Question

SHADES = 6


@dataclass(frozen=True)
class DistrictPeriodFigures:
    """The figures of one programme in one district in one period. `period` is the key of a row, as "2017-05"."""

    programme: str
    district: int
    period: str
    figures: Figures


@dataclass(frozen=True)
class DistrictPeriodTable:
    """Person-times by (district, period) in `cells`, which leaves zeros out. The sums are of all cells."""

    periods: tuple[str, ...]
    districts: tuple[int, ...]
    cells: Mapping[tuple[int, str], int]

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

    def shade(self, district: int, period: str) -> int:
        """How dark a cell is: 0 for none, up to `SHADES` for the largest of the table."""
        number = self.cells.get((district, period), 0)
        largest = max(self.cells.values(), default=0)
        return 0 if number <= 0 else max(1, -(-number * SHADES // largest))


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
    return DistrictPeriodTable(
        periods=tuple(sorted({period for _district, period in cells})),
        districts=tuple(sorted({district for district, _period in cells})),
        cells={cell: number for cell, number in cells.items() if number},
    )
