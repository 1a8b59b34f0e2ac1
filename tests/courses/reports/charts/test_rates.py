"""Rates: a panel and a scale for each, so that 98 % and 5.6 % do not share an axis."""

import pytest

from courses.reports.charts import Meaning, Series, rates
from tests.courses.reports.charts.pictures_read import elements, is_sound, texts


def drawn(
    names: list[str], passing: list[float | None], absent: list[float | None], *, over_time: bool, narrow: bool = False
) -> bytes:
    return rates(
        title="T", description="D", names=names, means=[0.976, None], mean_label="合计", over_time=over_time,
        narrow=narrow, nothing="没有",
        series=[Series("通过率", passing, Meaning.PASSING), Series("缺席率", absent, Meaning.NO_SHOW)],
    )  # fmt: skip


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize("over_time", [True, False])
def test_each_rate_has_its_own_scale(*, over_time: bool, narrow: bool) -> None:
    names = ["2026-01", "2026-02", "2026-03"]
    svg = drawn(names, [0.98, None, 0.97], [0.056, 0.061, 0.05], over_time=over_time, narrow=narrow)
    assert is_sound(svg)
    shown = texts(svg)
    assert {"通过率", "缺席率", "合计 97.6%"} <= set(shown)
    assert not {"0%", "50%", "100%"} & set(shown)
    assert len(elements(svg, "circle")) == 5


@pytest.mark.parametrize("over_time", [True, False])
@pytest.mark.parametrize("passing", [[1.0, 1.0], [0.0, 0.0], [0.5, None], [0.0001, 1.0]])
def test_rates_of_any_values_are_sound(passing: list[float | None], *, over_time: bool) -> None:
    long = "2025-12" if over_time else "北京市朝阳区红十字会应急救护培训基地第一分部"
    svg = drawn([long, "2026-01"], passing, [None, None], over_time=over_time)
    assert is_sound(svg)
    labels = [text for text in texts(svg) if text.endswith("%") and "." not in text]
    assert "-0%" not in labels
    assert "缺席率" not in texts(svg)


def test_rates_with_nothing_to_divide_by_are_said() -> None:
    assert texts(drawn(["a"], [None], [None], over_time=False)) == ["没有"]
