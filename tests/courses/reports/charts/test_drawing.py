"""The drawing writes whole texts, wraps long ones, and has one colour for each meaning that also prints in grey."""

from itertools import combinations

import pytest

from courses.reports.charts.drawing import FONT, Drawing, Meaning, for_paper, nothing_drawn, printable
from tests.courses.reports.charts.pictures_read import elements, is_sound, texts


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_each_meaning_has_its_own_colour_that_stands_out_from_white() -> None:
    assert len({meaning.value for meaning in Meaning}) == len(Meaning.__members__)
    assert [meaning.name for meaning in Meaning if contrast(meaning, "#ffffff") < 3] == []


@pytest.mark.parametrize(
    "beside",
    [
        (Meaning.NAMED, Meaning.COUNTED),
        (Meaning.PERSON_TIMES, Meaning.LAST_YEAR),
        (Meaning.PERSON_TIMES, Meaning.TARGET),
        (Meaning.LEAD, Meaning.ASSISTANT),
    ],
)
def test_colours_that_stand_beside_each_other_differ_on_grey_paper(beside: tuple[Meaning, ...]) -> None:
    for one, other in combinations(beside, 2):
        assert contrast(one, other) >= 1.4, (one, other)


def test_a_text_is_wrapped_and_nothing_of_it_is_lost() -> None:
    drawing = Drawing(narrow=True)
    for text in (
        "北京市朝阳区红十字会应急救护培训基地第一分部。",
        "Beijing Chaoyang District Red Cross Base",
        "x" * 90,
        "",
    ):
        lines = drawing.wrapped(text, 150)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert not any(line.startswith("。") for line in lines)
    assert drawing.wrapped("朝阳区", 150) == ["朝阳区"]


def test_a_line_is_broken_where_a_value_is_missing_and_a_point_alone_is_seen() -> None:
    drawing = Drawing(narrow=False)
    drawing.curve([(0, 1), (1, 1), None, (3, 2)], "#000000", width=2)
    drawing.curve([None], "#000000", width=2)
    [path] = elements(drawing.made("", "", 10), "path")
    assert path["d"] == "M0 1 L1 1 M3 2h0"


def test_a_control_character_is_taken_out_and_markup_is_text() -> None:
    svg = nothing_drawn("a\x00b", "<script>", "没有\x0b<b>&", narrow=True)
    assert is_sound(svg)
    assert texts(svg) == ["没有 <b>&"]
    assert printable("\ud800\ufffe") == "  "


def test_paper_has_its_own_fonts() -> None:
    drawing = Drawing(narrow=False)
    drawing.text(20, 20, FONT, bold=True)
    paper = for_paper(drawing.made("", "", 40), ("Noto Sans SC", "Noto Sans"), ("Noto Sans CJK SC",))
    assert b"font-family=\"'Noto Sans SC', 'Noto Sans'\"" in paper
    assert b'font-weight="bold" font-family="\'Noto Sans CJK SC\'"' in paper
    assert texts(paper) == [FONT]
