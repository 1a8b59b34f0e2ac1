"""Bars: whole names, sums and shares in writing, whole ticks, and odd values."""

import pytest

from courses.reports.charts import Bullet, Meaning, Series, bullet, stacked_bars
from tests.courses.reports.charts.pictures_read import elements, is_sound, texts

LONG = "北京市朝阳区红十字会应急救护培训基地第一分部（双井街道社区卫生服务中心）"


def stacked(names: list[str], named: list[int | None], counted: list[int], *, upright: bool, narrow: bool) -> bytes:
    return stacked_bars(
        title="T", description="D", names=names, upright=upright, narrow=narrow, nothing="没有",
        series=[Series("实名", named, Meaning.NAMED), Series("人头", counted, Meaning.COUNTED)],
    )  # fmt: skip


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize(
    ("names", "named", "counted"),
    [
        (["2026-01"], [1], [0]),
        (["2026-01", "2026-02"], [None, 2], [0, 300]),
        ([f"{year}-{month:02d}" for year in range(2016, 2026) for month in range(1, 13)], [7] * 120, [1] * 120),
        (["2025Q4", "b<&\x00"], [10**12, 1], [-5, -(10**6)]),
    ],
)
def test_bars_of_any_values_are_sound(
    names: list[str], named: list[int | None], counted: list[int], *, upright: bool, narrow: bool
) -> None:
    svg = stacked(names, named, counted, upright=upright, narrow=narrow)
    assert is_sound(svg)
    assert "实名" in texts(svg)


def test_small_counts_have_each_tick_once() -> None:
    assert [text for text in texts(stacked(["2026"], [1], [0], upright=True, narrow=False)) if text.isdigit()] == [
        "0", "1", "2026",
    ]  # fmt: skip


@pytest.mark.parametrize("narrow", [True, False])
def test_a_long_name_is_written_whole_and_each_bar_has_its_sum(*, narrow: bool) -> None:
    shown = texts(stacked([LONG, "b"], [12_345_678, 0], [0, 1], upright=False, narrow=narrow))
    assert LONG in "".join(shown)
    assert {"12,345,678", "1"} <= set(shown)


def test_empty_bars_are_said_and_not_drawn() -> None:
    for svg in (stacked([], [], [], upright=True, narrow=False), stacked(["a"], [0], [0], upright=False, narrow=True)):
        assert texts(svg) == ["没有"]
        assert is_sound(svg)


@pytest.mark.parametrize("narrow", [True, False])
def test_bullets_show_the_target_as_a_line_and_odd_rows_in_words(*, narrow: bool) -> None:
    rows = [
        Bullet("东城区", 92, 100, 88), Bullet("西城区", 0, 100), Bullet(LONG, 5_000_000, 1000, 9), Bullet("无", 12, None),
        Bullet("负", -3, 100, -1),
    ]  # fmt: skip
    svg = bullet(
        title="T", description="D", rows=rows, labels=("人次", "目标 = 100%", "去年"), no_target="没有目标",
        narrow=narrow, nothing="没有",
    )  # fmt: skip
    assert is_sound(svg)
    shown = texts(svg)
    assert {"92 / 100 · 92%", "5,000,000 / 1,000 · 500,000%", "12 · 没有目标", "100%"} <= set(shown)
    assert (
        len([line for line in elements(svg, "line") if line["stroke"] == Meaning.TARGET]) == 4 + 1
    )  # and the legend's
    widest = max(float(bar["width"]) for bar in elements(svg, "rect")[1:])
    assert widest < 1000


def test_bullets_without_a_target_are_said_and_not_drawn() -> None:
    svg = bullet(
        title="", description="", rows=[Bullet("a", 1, None)], labels=("a", "b", "c"), no_target="x", narrow=False,
        nothing="没有目标",
    )  # fmt: skip
    assert texts(svg) == ["没有目标"]
