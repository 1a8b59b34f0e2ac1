"""The table of districts by period adds up, and its shades follow the largest cell."""

from datetime import date

from sqlalchemy.orm import Session

from courses.counting import population
from courses.reports import districts_by_period
from courses.reports.questions import Grouping
from tests.courses.reports.asking import PRESENT, ask, in_district
from tests.courses.worlds import Plan, World


def test_the_table_adds_up_and_keeps_to_the_scope(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (300,), (), False, 1, "RESCUE"))
    world.close(Plan(date(2025, 3, 9), (0,), (PRESENT,), False, 1))
    world.close(Plan(date(2025, 6, 1), (50,), (), False, 2))
    table = districts_by_period.table(db, ask())
    # Months in which nothing was counted stand in the table too.
    assert (table.periods, table.districts) == (("2025-03", "2025-04", "2025-05", "2025-06"), (1, 2))
    assert table.cells == {(1, "2025-03"): 301, (2, "2025-06"): 50}
    assert (table.of_district(1), table.of_period("2025-06"), table.total) == (301, 50, 351)
    assert [table.shade(1, "2025-03"), table.shade(2, "2025-06"), table.shade(2, "2025-03")] == [6, 1, 0]
    assert districts_by_period.table(db, ask(in_district(2), grouping=Grouping.YEAR)).cells == {(2, "2025"): 50}


def test_a_rate_is_per_inhabitant_so_that_a_small_district_can_be_the_darkest(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (300,), (), False, 1))
    world.close(Plan(date(2025, 3, 1), (50,), (), False, 2))
    population.save(db, 2024, {1: 1_000_000, 2: 10_000}, "yearbook")
    table = districts_by_period.table(db, ask())
    assert [table.shade(district, "2025-03") for district in (1, 2)] == [6, 1]
    assert [table.shade(district, "2025-03", by_rate=True) for district in (1, 2)] == [1, 6]
    assert [table.rate(300, 1), table.rate(50, 2), table.rate(101)] == [3.0, 50.0, 1.0]
    world.close(Plan(date(2025, 3, 1), (7,), (), False, 3))
    unknown = districts_by_period.table(db, ask())
    assert (unknown.rate(7, 3), unknown.rate(1), unknown.shade(3, "2025-03", by_rate=True)) == (None, None, 0)


def test_figures_are_divided_by_programme_too(db: Session) -> None:
    world = World(db)
    world.close(Plan(date(2025, 3, 1), (300,), (), False, 1, "RESCUE"))
    world.close(Plan(date(2025, 3, 9), (0,), (PRESENT,), False, 1))
    rows = districts_by_period.figures(db, ask(grouping=Grouping.QUARTER))
    assert [(row.programme, row.district, row.period, row.figures.person_times) for row in rows] == [
        ("FIRST_RESPONDER", 1, "2025Q1", 1),
        ("RESCUE", 1, "2025Q1", 300),
    ]
