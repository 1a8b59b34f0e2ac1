"""Quarters of the calendar: their days and their names."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.counting.calendar_quarters import Quarter


@given(day=st.dates(date(2000, 1, 1), date(2099, 12, 30)))
def test_every_day_lies_in_one_quarter(day: date) -> None:
    quarter = Quarter.of(day)
    assert quarter.first <= day <= quarter.last
    assert quarter.last + timedelta(days=1) == quarter.next.first
    assert quarter.next.previous == quarter == Quarter.parse(str(quarter))


@pytest.mark.parametrize("text", ["", "2026", "2026Q5", "2026Q0", "26Q1", "Q1 2026"])
def test_a_text_that_names_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        Quarter.parse(text)
