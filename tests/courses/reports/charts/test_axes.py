"""Axes have round ticks, each of another text, with whole numbers for counts, and hold all their values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.reports.charts.axes import axis, period_names, thinned

COUNTS = st.lists(st.integers(-(10**9), 10**12), max_size=6)
SHARES = st.lists(st.floats(0, 400, allow_subnormal=False), max_size=6)


@given(COUNTS, st.integers(2, 8))
def test_ticks_of_counts_are_whole_and_each_has_its_own_text(values: list[int], most: int) -> None:
    scale = axis(values, whole=True, most=max(3, most))
    labels = [scale.label(tick) for tick in scale.ticks]
    assert all(tick == int(tick) for tick in scale.ticks)
    assert len(set(labels)) == len(labels) >= 2
    assert len(labels) <= max(3, most)
    assert not {"-0", "−0", ""} & set(labels)
    assert "." not in "".join(labels)
    assert scale.low <= min([0, *values]) <= max([0, *values]) <= scale.high
    assert 0 in scale.ticks


@given(SHARES)
def test_ticks_of_an_own_scale_hold_the_values_without_beginning_at_zero(values: list[float]) -> None:
    scale = axis(values, most=5, from_zero=False)
    labels = [scale.label(tick) for tick in scale.ticks]
    assert len(set(labels)) == len(labels) >= 2
    assert not any(label.strip("-0.,") == "" and label.startswith("-") for label in labels)
    assert all(0 <= scale.part(value) <= 1.0000001 for value in values)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 1], ["0", "1"]),
        ([2], ["0", "1", "2"]),
        ([], ["0", "1"]),
        ([0, 0], ["0", "1"]),
        ([-3, 4], ["-4", "-2", "0", "2", "4"]),
        ([12_345_678], ["0", "2,500,000", "5,000,000", "7,500,000", "10,000,000", "12,500,000"]),
    ],
)
def test_small_empty_negative_and_huge_counts(values: list[int], labels: list[str]) -> None:
    scale = axis(values, whole=True)
    assert [scale.label(tick) for tick in scale.ticks] == labels


def test_months_and_quarters_have_their_year_once() -> None:
    assert period_names(["2025-11", "2025-12", "2026-01"]) == [("11", "2025"), ("12", ""), ("1", "2026")]
    assert period_names(["2026Q1", "2026Q2"]) == [("Q1", "2026"), ("Q2", "")]
    assert period_names(["2026", "延庆"]) == [("2026", ""), ("延庆", "")]


def test_names_without_room_are_left_out_and_never_cut() -> None:
    assert thinned([20, 30], 40, gap=8) == 1
    assert thinned([30], 20, gap=8) == 2
    assert thinned([], 20) == 1
    assert thinned([10], 0) == 1
