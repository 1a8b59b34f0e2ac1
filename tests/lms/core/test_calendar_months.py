"""Periods of whole months: nobody gets less than the full number of months."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.calendar_months import last_day

days = st.dates(date(2020, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("first", "months", "expected"),
    [
        (date(2026, 2, 1), 1, date(2026, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 36, date(2027, 2, 28)),
        (date(2026, 3, 1), 0, date(2026, 2, 28)),
        (date(2026, 11, 15), 3, date(2027, 2, 14)),
        (date(2026, 8, 31), 18, date(2028, 2, 29)),
    ],
)
def test_the_last_day_of_a_period(first: date, months: int, expected: date) -> None:
    assert last_day(first, months) == expected


@given(days, st.integers(0, 240))
def test_periods_follow_one_another_without_a_gap_and_later_ones_end_no_earlier(first: date, months: int) -> None:
    end = last_day(first, months)
    assert end <= last_day(first + timedelta(days=1), months)
    assert end < last_day(first, months + 1)
    if first.day <= 28:
        assert (end + timedelta(days=1)).day == first.day
