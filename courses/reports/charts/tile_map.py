"""A tile map: a tile for each district of Beijing, about where the district lies, and the shades of its values."""

from collections.abc import Sequence
from typing import NamedTuple

from courses.reports.charts.drawing import MARGIN, PAPER, QUIET, Drawing, nothing_drawn

SHADES = 6
# From the lightest to the darkest. The first three carry dark text, the others white text.
_SHADE_COLOURS = ("#fbe9e7", "#f5c6c0", "#eb9d95", "#c9453f", "#a3232a", "#741018")
_EDGE = "#767f89"
# The column and the row of each district, by its administrative code (GB/T 2260).
BEIJING = {
    "110119": (1, 0), "110116": (2, 0), "110118": (3, 0),
    "110114": (2, 1), "110113": (3, 1), "110117": (4, 1),
    "110109": (0, 2), "110108": (1, 2), "110102": (2, 2), "110101": (3, 2), "110105": (4, 2),
    "110111": (0, 3), "110107": (1, 3), "110106": (2, 3), "110115": (3, 3), "110112": (4, 3),
}  # fmt: skip
_COLUMNS = 5


class Tile(NamedTuple):
    """A district on the map. value: its shade comes from it; None where it is not known.

    text: the value as it is written. note: a second, smaller figure.
    """

    code: str
    name: str
    value: float | None
    text: str
    note: str = ""


def shade(value: float | None, largest: float) -> int:
    """How dark a value is: 0 for none, up to `SHADES` for the largest."""
    if value is None or value <= 0 or largest <= 0:
        return 0
    return min(SHADES, max(1, -int(-value * SHADES // largest)))


def tile_map(
    *, title: str, description: str, tiles: Sequence[Tile], legend: str, unknown: str, narrow: bool, nothing: str
) -> bytes:
    """The districts as tiles, darker for more, with their figures written on them.

    A district whose place is not known stands in a row beneath. legend: says what the shades mean. unknown: the text of
    a district without a value.
    """
    if not any(tile.value for tile in tiles):
        return nothing_drawn(title, description, nothing, narrow=narrow)
    drawing = Drawing(narrow=narrow)
    gap = 4.0 if narrow else 6.0
    width = (drawing.width - 2 * MARGIN - gap * (_COLUMNS - 1)) / _COLUMNS
    height = 66.0 if narrow else 74.0
    largest = max(tile.value or 0 for tile in tiles)
    top = _legend(drawing, legend, largest)
    unplaced = 0
    rows = 0
    for tile in tiles:
        if tile.code in BEIJING:
            column, row = BEIJING[tile.code]
        else:
            column, row = unplaced % _COLUMNS, 4 + unplaced // _COLUMNS
            unplaced += 1
        rows = max(rows, row + 1)
        _tile(
            drawing,
            tile,
            (MARGIN + column * (width + gap), top + row * (height + gap), width, height),
            largest,
            unknown,
        )
    return drawing.made(title, description, top + rows * (height + gap) + MARGIN - gap)


def _tile(drawing: Drawing, tile: Tile, place: tuple[float, float, float, float], largest: float, unknown: str) -> None:
    x, y, width, height = place
    step = shade(tile.value, largest)
    fill = _SHADE_COLOURS[step - 1] if step else PAPER
    ink = PAPER if step > 3 else "#1d2125"
    dashed = {"stroke_dasharray": "3 3"} if tile.value is None else {}
    drawing.rect(x + 0.5, y + 0.5, width - 1, height - 1, fill, stroke=_EDGE, rx="4", **dashed)
    text = unknown if tile.value is None else tile.text
    room = width - 8
    lines = (
        (tile.name, height * 0.24, drawing.font_size, False),
        (text, height * 0.53, drawing.font_size + (3 if drawing.narrow else 7), tile.value is not None),
        (tile.note, height * 0.82, drawing.font_size - 1, False),
    )
    for line, down, size, bold in lines:
        fitting = min(float(size), size * room / max(1.0, drawing.text_width(line, size=size)))
        drawing.text(x + width / 2, y + down, line, anchor="middle", fill=ink, bold=bold, size=round(fitting, 1))


def _legend(drawing: Drawing, text: str, largest: float) -> float:
    """The shades from light to dark with what they mean. Returns the y beneath them."""
    lines = drawing.wrapped(text, drawing.width - 2 * MARGIN - (0 if drawing.narrow else 300))
    y = MARGIN + drawing.font_size * 0.6
    for line in lines:
        drawing.text(MARGIN, y, line)
        y += drawing.font_size + 6
    if not drawing.narrow:
        y = MARGIN + drawing.font_size * 0.6
    side = 22.0
    right = drawing.width - MARGIN - drawing.text_width(_whole(largest)) - 8
    left = right - side * SHADES
    drawing.text(left - 8, y, "0", anchor="end", fill=QUIET)
    for number, colour in enumerate(_SHADE_COLOURS):
        drawing.rect(left + number * side, y - 7, side, 14, colour, stroke=_EDGE)
    drawing.text(right + 8, y, _whole(largest), fill=QUIET)
    return y + drawing.font_size + (4 if drawing.narrow else len(lines) * 6)


def _whole(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:,.1f}"
