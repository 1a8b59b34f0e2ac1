"""The tile map: each district of Beijing on a tile of its own, darker for more, its figure written on it."""

import pytest

from courses.reports.charts import SHADES, Tile, shade, tile_map
from courses.reports.charts.tile_map import _SHADE_COLOURS, BEIJING
from tests.courses.reports.charts.pictures_read import elements, is_sound, texts
from tests.courses.reports.charts.test_drawing import contrast


def drawn(tiles: list[Tile], *, narrow: bool = False) -> bytes:
    return tile_map(
        title="T", description="D", tiles=tiles, legend="每万人", unknown="没有人口数", narrow=narrow, nothing="没有"
    )


def test_the_sixteen_districts_have_sixteen_places() -> None:
    assert len(BEIJING) == len(set(BEIJING.values())) == 16


@pytest.mark.parametrize("narrow", [True, False])
def test_tiles_hold_names_and_figures_whole(*, narrow: bool) -> None:
    tiles = [
        Tile(code, "Shijingshan", place * 10.0, f"{place * 10.0:,.1f}", "1,234,567")
        for place, code in enumerate(BEIJING)
    ]
    tiles += [Tile("999999", "别处", None, "–", "3"), Tile("888888", "大", 10.0**9, "1,000,000,000.0")]
    svg = drawn(tiles, narrow=narrow)
    assert is_sound(svg)
    assert texts(svg).count("Shijingshan") == 16
    assert {"没有人口数", "1,000,000,000.0", "别处"} <= set(texts(svg))
    places = [(tile["x"], tile["y"]) for tile in elements(svg, "rect") if "rx" in tile]
    assert len(places) == len(set(places)) == 18


def test_text_can_be_read_on_every_shade() -> None:
    for step, colour in enumerate(_SHADE_COLOURS, 1):
        assert contrast(colour, "#ffffff" if step > 3 else "#1d2125") >= 4.5, colour
    assert len(_SHADE_COLOURS) == SHADES


def test_shades_go_from_none_to_the_largest() -> None:
    assert [shade(value, 60) for value in (None, -1, 0, 0.1, 10, 10.1, 60, 61)] == [0, 0, 0, 1, 1, 2, 6, 6]
    assert shade(3, 0) == 0


def test_a_map_without_figures_is_said() -> None:
    assert texts(drawn([])) == ["没有"]
    assert texts(drawn([Tile("110101", "东城区", 0.0, "0.0"), Tile("110102", "西城区", None, "–")])) == ["没有"]
