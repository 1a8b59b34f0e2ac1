"""Lines: broken where a value is missing, whole names of periods, small multiples and sparklines of odd values."""

import pytest

from courses.reports.charts import Meaning, Panel, Series, small_multiples, sparkline, trend
from tests.courses.reports.charts.pictures_read import elements, is_sound, texts

MONTHS = [f"{month}月" for month in range(1, 13)]


def drawn(this: list[float | None], before: list[float | None], *, narrow: bool = False, target: int = 0) -> bytes:
    return trend(
        title="T", description="D", names=MONTHS[: len(this)], narrow=narrow, nothing="没有",
        this=Series("2026", this, Meaning.PERSON_TIMES), before=Series("2025", before, Meaning.LAST_YEAR),
        target=Series("目标", [target] * len(this), Meaning.TARGET) if target else None,
        earlier=("2024", [[1] * len(this)]) if target else None,
    )  # fmt: skip


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize(
    ("this", "before"),
    [([1.0], [None]), ([10**12, None, 3.0], [0, 0, 0]), ([0, 0.0, -4.0], [1, None, None]), ([None] * 12, [5] * 12)],
)
def test_a_trend_of_any_values_is_sound(this: list[float | None], before: list[float | None], *, narrow: bool) -> None:
    assert is_sound(drawn(this, before, narrow=narrow))
    assert is_sound(drawn(this, before, narrow=narrow, target=7))


def test_what_is_still_to_come_breaks_the_line_and_nothing_is_zero() -> None:
    svg = drawn([5, 0, 7, None, None], [1, 2, 3, 4, 5], target=4)
    line = next(path for path in elements(svg, "path") if path["stroke"] == Meaning.PERSON_TIMES)
    assert line["d"].count("L") == 2
    assert texts(svg)[:4] == ["2026", "2025", "目标", "2024"]
    assert "7" in texts(svg)


def test_the_names_of_periods_are_whole_on_a_phone_too() -> None:
    shown = texts(drawn([1] * 12, [2] * 12, narrow=True))
    months = [text for text in shown if text.endswith("月")]
    assert set(months) <= set(MONTHS)
    assert 4 <= len(months) < 12


def test_an_empty_trend_is_said_even_with_a_target() -> None:
    target = Series("目标", [3, 3], Meaning.TARGET)
    this = Series("2026", [0, None], Meaning.PERSON_TIMES)
    svg = trend(
        title="", description="", names=MONTHS[:2], this=this, before=Series("2025", [None, 0], Meaning.LAST_YEAR),
        target=target, narrow=False, nothing="没有",
    )  # fmt: skip
    assert texts(svg) == ["没有"]


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize("shared", [True, False])
def test_small_multiples_name_each_panel_whole(*, shared: bool, narrow: bool) -> None:
    names = ["Shijingshan District", "延庆区", "没有", "单"]
    panels = [
        Panel(names[0], [1, 2, None], [3, 4, 5], "1,234,567"), Panel(names[1], [10**9, 0, 0], text="1"),
        Panel(names[2], [None] * 3), Panel(names[3], [2]),
    ]  # fmt: skip
    svg = small_multiples(
        title="T", description="D", names=MONTHS[:3], panels=panels, labels=("2026", "2025"), shared=shared,
        narrow=narrow, nothing="没有",
    )  # fmt: skip
    assert is_sound(svg)
    assert set(names) <= set(texts(svg))
    nothing = small_multiples(
        title="", description="", names=[], panels=[], labels=("", ""), shared=True, narrow=narrow, nothing="没有"
    )
    assert texts(nothing) == ["没有"]


@pytest.mark.parametrize("values", [[], [None], [3], [0, 0], [5, None, 2], [-3, 10**12]])
def test_a_sparkline_of_any_values_is_sound(values: list[float | None]) -> None:
    svg = sparkline(title="T", description="D", values=values)
    assert is_sound(svg)
    assert texts(svg) == []
    assert len(elements(svg, "circle")) == (1 if any(value is not None for value in values) else 0)
