"""Charts are SVG images without scripts, with a title and a description, and with names that fit."""

from xml.etree import ElementTree as ET

import pytest

from courses.reports import charts


def texts(svg: bytes) -> list[str]:
    return [element.text for element in ET.fromstring(svg).iter() if element.text]


@pytest.mark.parametrize("upright", [True, False])
@pytest.mark.parametrize("narrow", [True, False])
def test_a_chart_has_no_script_and_says_what_it_shows(*, upright: bool, narrow: bool) -> None:
    svg = charts.stacked_bars(
        title="Person-times", description="302 in all", names=["2025-03", "2025-06"],
        series=[("Named", [0, 2]), ("Headcount", [300, 0])], upright=upright, narrow=narrow, nothing="Nothing",
    )  # fmt: skip
    root = ET.fromstring(svg)
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert "script" not in tags
    assert tags[1:3] == ["title", "desc"]
    assert root.get("role") == "img"
    assert texts(svg)[:2] == ["Person-times", "302 in all"]
    assert "Headcount" in texts(svg)


def test_an_empty_chart_says_so() -> None:
    svg = charts.stacked_bars(
        title="", description="", names=[], series=[("Named", [])], upright=True, narrow=False, nothing="Nothing counted",
    )  # fmt: skip
    assert "Nothing counted" in texts(svg)


def test_shares_are_drawn_in_percent_and_what_is_unknown_is_left_out() -> None:
    svg = charts.shares(
        title="Rates", description="", names=["A", "B"], series=[("Pass rate", [0.5, None])], lines=False, narrow=False,
        nothing="",
    )  # fmt: skip
    shown = texts(svg)
    assert "50%" in shown
    assert "100%" in shown


def test_a_long_name_is_cut_and_a_control_character_taken_out() -> None:
    names = ["北京市朝阳区红十字会应急救护培训基地第一分部", "a\x00b"]
    svg = charts.stacked_bars(
        title="", description="", names=names, series=[("Named", [1, 2])], upright=False, narrow=True, nothing="",
    )  # fmt: skip
    shown = texts(svg)
    assert "北京市朝阳区红十字…" in shown[-20:] or any(text.endswith("…") and len(text) <= 10 for text in shown)
    assert "a b" in shown
