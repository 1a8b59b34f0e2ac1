"""Programme by district by period: where and when the training was, from one statement over the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.reports.filters import Filters, within
from courses.reports.ledger import Figures, sums
from courses.reports.rollups import cells
from lms.core.scope import Scope

SHADES = 6


@dataclass(frozen=True)
class CrossRow:
    """The figures of one programme in one district in one period; `period` is the grouping's key, as in "2017-05"."""

    programme: str
    district: int
    period: str
    figures: Figures


@dataclass(frozen=True)
class Table:
    """Districts by periods. `cells` holds what is not zero, each person-times; the sums are of all that is shown."""

    periods: tuple[str, ...]
    districts: tuple[int, ...]
    cells: Mapping[tuple[int, str], int]

    @property
    def total(self) -> int:
        """Everything that is shown."""
        return sum(self.cells.values())

    def of_district(self, district: int) -> int:
        """A row's sum."""
        return sum(number for (one, _period), number in self.cells.items() if one == district)

    def of_period(self, period: str) -> int:
        """A column's sum."""
        return sum(number for (_district, one), number in self.cells.items() if one == period)

    def shade(self, district: int, period: str) -> int:
        """How dark a cell is: 0 for none, up to `SHADES` for the largest of the table."""
        number = self.cells.get((district, period), 0)
        most = max(self.cells.values(), default=0)
        return 0 if number <= 0 else max(1, -(-number * SHADES // most))


def cross(db: Session, filters: Filters, scope: Scope) -> list[CrossRow]:
    """The rows, in the order of programmes, districts and periods. Raises NotFound for another district's."""
    within(filters, scope)
    line = cells(filters, scope, apart=True)
    keys = (line.c.programme_code, line.c.district_id, line.c.key)
    statement = select(*keys, *sums(line)).group_by(*keys).order_by(*keys)
    return [
        CrossRow(programme, district, period, Figures(*figures))
        for programme, district, period, *figures in db.execute(statement)
    ]


def table(db: Session, filters: Filters, scope: Scope) -> Table:
    """The same as a table of person-times, over all programmes that are asked for."""
    cells: dict[tuple[int, str], int] = {}
    for row in cross(db, filters, scope):
        place = (row.district, row.period)
        cells[place] = cells.get(place, 0) + row.figures.person_times
    return Table(
        periods=tuple(sorted({period for _district, period in cells})),
        districts=tuple(sorted({district for district, _period in cells})),
        cells={place: number for place, number in cells.items() if number},
    )
