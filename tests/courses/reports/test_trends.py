"""Trends: a year against the year before, without gaps in time, and nothing for months that are still to come."""

from datetime import date

import pytest
from sqlalchemy.orm import Session

from courses.reports import enrolment, trends
from courses.reports.ledger import Figures
from courses.reports.periods import PeriodUnit
from courses.reports.questions import Filters, Grouping, Question
from courses.reports.report_rows import ReportRow
from lms.core.scope import Scope

TODAY = date(2026, 11, 30)


def rows(**counts: int) -> list[ReportRow]:
    return [
        ReportRow(key.replace("m", "").replace("_", "-"), None, None, None, Figures(named=number), 0)
        for key, number in counts.items()
    ]


def asked(since: date, until: date, grouping: Grouping = Grouping.MONTH) -> Question:
    return Question(Filters(since, until, grouping=grouping), Scope(everything=True))


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> list[ReportRow]:
    """The rows of the year before."""
    of_before: list[ReportRow] = rows(m2025_01=4, m2025_12=9)
    monkeypatch.setattr(enrolment, "rows", lambda _db, _question: of_before)
    return of_before


def test_a_year_stands_against_the_year_before_without_gaps(db: Session, before: list[ReportRow]) -> None:
    question = asked(date(2026, 1, 1), date(2026, 12, 31))
    trend = trends.trend(db, question, rows(m2026_01=6, m2026_03=1), TODAY)
    assert trend is not None
    assert trend.names == tuple(f"2026-{month:02d}" for month in range(1, 13))
    assert trend.this == (6, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, None)
    assert trend.before == (4, *[0] * 10, 9)
    assert (trend.year, trend.target) == (2026, None)
    assert trend.sums_until(TODAY) == (7, 4)  # November is not over, so December of the year before is left out too


def test_the_last_twelve_months_stand_against_the_twelve_before(db: Session, before: list[ReportRow]) -> None:
    trend = trends.trend(db, asked(date(2025, 12, 1), date(2026, 11, 30)), rows(m2026_01=6), TODAY)
    assert trend is not None
    assert (trend.names[0], trend.names[-1], trend.year) == ("2025-12", "2026-11", None)
    assert trend.this[1] == 6


def test_many_years_are_lines_of_their_own(db: Session) -> None:
    counted = rows(m2017_05=1, m2024_12=2, m2025_01=3, m2026_02=4)
    trend = trends.trend(db, asked(date(2017, 5, 1), date(2026, 12, 31)), counted, TODAY)
    assert trend is not None
    assert trend.this[:3] == (0, 4, 0)
    assert trend.before[0] == 3
    assert trend.before[11] == 0
    assert list(trend.earlier) == [2024, 2017]
    assert trend.earlier[2017][:5] == (None, None, None, None, 1)
    by_quarter = trends.trend(
        db, asked(date(2024, 1, 1), date(2026, 12, 31), Grouping.QUARTER), rows(m2026Q3=7, m2024Q1=1), TODAY
    )
    assert by_quarter is not None
    assert by_quarter.this == (0, 0, 7, 0)
    assert by_quarter.before == (None, None, None, None)


def test_before_the_first_figure_there_is_no_line(db: Session, before: list[ReportRow]) -> None:
    before[:] = rows(m2025_10=4)
    trend = trends.trend(db, asked(date(2026, 1, 1), date(2026, 12, 31)), rows(m2026_01=6), TODAY)
    assert trend is not None
    assert trend.before == (*[None] * 9, 4, 0, 0)


@pytest.mark.parametrize(
    ("since", "until", "grouping"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), Grouping.MONTH),
        (date(2026, 1, 1), date(2026, 12, 31), Grouping.HOST),
        (date(2017, 1, 1), date(2026, 12, 31), Grouping.YEAR),
    ],
)
def test_a_single_period_and_other_rows_have_no_trend(
    db: Session, since: date, until: date, grouping: Grouping
) -> None:
    assert trends.trend(db, asked(since, until, grouping), rows(m2026_11=1), TODAY) is None


def test_periods_between_rows_are_filled() -> None:
    assert trends.without_gaps(["2026-02", "2025-11"], PeriodUnit.MONTH) == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert trends.without_gaps(["2025Q4", "2026Q2"], PeriodUnit.QUARTER) == ["2025Q4", "2026Q1", "2026Q2"]
    assert trends.without_gaps(["2017", "2019"], PeriodUnit.YEAR) == ["2017", "2018", "2019"]
    assert trends.without_gaps([], PeriodUnit.YEAR) == []
