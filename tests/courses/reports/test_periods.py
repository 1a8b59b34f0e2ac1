"""Periods are read from their keys and written back, and the presets hold whole months."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.reports.periods import (
    ALL_TIME,
    Period,
    PeriodUnit,
    UnknownYear,
    name_of_days,
    named_period,
    period_presets,
    periods_between,
)


@given(day=st.dates(date(1980, 1, 1), date(2100, 12, 31)), unit=st.sampled_from(PeriodUnit))
def test_a_key_is_read_back(day: date, unit: PeriodUnit) -> None:
    period = Period.containing(day, unit)
    assert Period.parse(period.key) == period
    assert period.unit is unit


def test_keys_are_those_that_the_database_writes() -> None:
    day = date(2017, 3, 31)
    keys = [Period.containing(day, unit).key for unit in PeriodUnit]
    assert keys == ["2017-03", "2017Q1", "2017", ""]
    assert Period.parse("") is ALL_TIME


@pytest.mark.parametrize("key", ["2017-13", "2017-00", "2017-3", "2017Q5", "17", "2017-03-01", "x", " 2017"])
def test_any_other_text_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match=re.escape(key)):
        Period.parse(key)


def test_a_year_before_and_after() -> None:
    assert [Period.parse(key).shifted(-1).key for key in ("2017-05", "2017Q1", "2017")] == ["2016-05", "2016Q1", "2016"]
    assert Period.parse("2016-05").shifted(1).key == "2017-05"


def test_months_are_in_the_order_of_time() -> None:
    assert Period.parse("2016-12") < Period.parse("2017-01") < Period.parse("2017-11")


@given(today=st.dates(date(2000, 1, 1), date(2090, 12, 31)))
def test_the_presets_hold_whole_months(today: date) -> None:
    presets = {preset.name: preset for preset in period_presets(today, range(1999, 2091))}
    for name in ("this_month", "this_quarter", "this_year"):
        assert presets[name].since <= today <= presets[name].until
    assert all(preset.since.day == 1 and preset.until.day >= 28 for preset in presets.values())
    assert presets["last_quarter"].until < presets["this_quarter"].since


def test_a_period_is_named_by_a_preset_or_by_its_key() -> None:
    today, years = date(2026, 3, 31), range(2008, 2027)
    named = {
        name: named_period(name, today, years)[1:]
        for name in ("last_12_months", "all", "last_quarter", "2017", "2017Q2", "2016-02")
    }
    assert named == {
        "last_12_months": (date(2025, 3, 1), date(2026, 2, 28)),
        "all": (date(2008, 1, 1), date(2026, 12, 31)),
        "last_quarter": (date(2025, 10, 1), date(2025, 12, 31)),
        "2017": (date(2017, 1, 1), date(2017, 12, 31)),
        "2017Q2": (date(2017, 4, 1), date(2017, 6, 30)),
        "2016-02": (date(2016, 2, 1), date(2016, 2, 29)),
    }
    for key in ("2017", "2017Q2", "2016-02"):
        assert name_of_days(*named[key]) == key
    assert name_of_days(date(2017, 1, 2), date(2017, 12, 31)) is None


@pytest.mark.parametrize("name", ["^$", "last", "2017-1"])
def test_other_texts_name_no_period(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        named_period(name.strip("^$"), date(2026, 3, 31), range(2008, 2027))
    with pytest.raises(UnknownYear):
        named_period("2007Q4", date(2026, 3, 31), range(2008, 2027))


def test_periods_between_two_days_have_no_gaps() -> None:
    def keys(since: date, until: date, unit: PeriodUnit) -> list[str]:
        return [period.key for period in periods_between(since, until, unit)]

    assert keys(date(2025, 11, 30), date(2026, 1, 1), PeriodUnit.MONTH) == ["2025-11", "2025-12", "2026-01"]
    assert keys(date(2025, 12, 31), date(2026, 4, 1), PeriodUnit.QUARTER) == ["2025Q4", "2026Q1", "2026Q2"]
    assert keys(date(2025, 12, 31), date(2026, 1, 1), PeriodUnit.YEAR) == ["2025", "2026"]
    assert keys(date(2025, 5, 2), date(2025, 5, 1), PeriodUnit.MONTH) == ["2025-05"]
    with pytest.raises(ValueError, match="all_time"):
        assert ALL_TIME.first
