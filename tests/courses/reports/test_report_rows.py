"""Rows without figures keep the names and the order of the report."""

from sqlalchemy.orm import Session

from courses.reports.ledger import Figures
from courses.reports.questions import Grouping
from courses.reports.report_rows import empty_rows, sum_row


def test_empty_rows_stand_in_the_order_of_the_districts(db: Session) -> None:
    rows = empty_rows(db, Grouping.DISTRICT, ["10", "2", "1"])
    assert [row.key for row in rows] == ["1", "2", "10"]
    assert [row.name_en for row in rows][:2] == ["Dongcheng", "Xicheng"]
    assert all(row.figures == Figures() and row.people == 0 for row in rows)


def test_a_key_without_a_name_comes_last_with_none(db: Session) -> None:
    rows = empty_rows(db, Grouping.PROGRAMME, ["AAA", "RESCUE"])
    assert [(row.key, row.name_zh is None) for row in rows] == [("RESCUE", False), ("AAA", True)]
    assert [row.key for row in empty_rows(db, Grouping.MONTH, ["2025-05", "2025-03"])] == ["2025-03", "2025-05"]


def test_a_sum_has_no_key_and_no_name() -> None:
    row = sum_row(Figures(named=3), 2)
    assert (row.key, row.name_zh, row.figures.person_times, row.people) == ("", None, 3, 2)
