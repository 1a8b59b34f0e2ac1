"""Lines over time: a trend year on year, small multiples of districts, and sparklines."""

from collections.abc import Sequence
from typing import NamedTuple

from courses.reports.charts.axes import Axis, axis
from courses.reports.charts.bars import time_axis, value_axis
from courses.reports.charts.drawing import (
    HAIR,
    INK,
    MARGIN,
    QUIET,
    Box,
    Drawing,
    Key,
    Meaning,
    Series,
    nothing_drawn,
)

_TALL = {False: 240, True: 230}  # the height of the lines, wide and narrow
_DASHES = {Meaning.LAST_YEAR: "6 4", Meaning.TARGET: "2 3"}
MOST_DOTS = 24
_FAINT = "#c3c9d0"  # of the years before the last one


def trend(
    *,
    title: str,
    description: str,
    names: Sequence[str],
    this: Series,
    before: Series | None = None,
    target: Series | None = None,
    earlier: tuple[str, Sequence[Sequence[float | None]]] | None = None,
    narrow: bool,
    nothing: str,
) -> bytes:
    """Lines of counts by period, this year against the year before and the target.

    names: of the periods, without gaps. A value of None is still to come or not known: the line is broken there, and
    never joins its neighbours. A period in which nothing was counted is 0. earlier: the label and the values of years
    before the year before, drawn faintly.
    """
    lines = [line for line in (target, before, this) if line is not None]
    older = earlier[1] if earlier else []
    known = [value for values in (*older, *(line.values for line in lines)) for value in values if value is not None]
    if not any(value for values in (*older, this.values, before.values if before else ()) for value in values):
        return nothing_drawn(title, description, nothing, narrow=narrow)
    drawing = Drawing(narrow=narrow)
    keys = [Key(line.label, line.meaning, _DASHES.get(line.meaning, "")) for line in reversed(lines)]
    top = drawing.legend([*keys, *([Key(earlier[0], _FAINT, "")] if earlier else [])])
    scale = axis(known, whole=True, most=5 if narrow else 6)
    # Above the highest tick, the last value has room beneath the legend.
    box = value_axis(drawing, scale, top + drawing.font_size, _TALL[narrow])
    for values in older:
        drawing.curve(_points(box, scale, values), _FAINT, width=1.5)
    for line in lines:
        _draw(drawing, _points(box, scale, line.values), line.meaning)
    zero = box.bottom - box.height * scale.part(0)
    drawing.line(box.left, zero, box.right, zero, INK)
    _name_last(drawing, box, this, _points(box, scale, this.values))
    return drawing.made(title, description, time_axis(drawing, box, names))


Points = list[tuple[float, float] | None]


def _points(box: Box, scale: Axis, values: Sequence[float | None]) -> Points:
    """The place of each value: in the middle of its period."""
    step = box.width / max(1, len(values))
    return [
        None if value is None else (box.left + step * (number + 0.5), box.bottom - box.height * scale.part(value))
        for number, value in enumerate(values)
    ]


def _draw(drawing: Drawing, points: Points, meaning: Meaning) -> None:
    """Draw a line, with a dot at each point where there is room for dots; a target is a line alone."""
    is_this = meaning is Meaning.PERSON_TIMES
    drawing.curve(points, meaning, width=3 if is_this else 2, dashes=_DASHES.get(meaning, ""))
    if meaning is not Meaning.TARGET and len(points) <= MOST_DOTS:
        for point in points:
            if point is not None:
                drawing.dot(*point, 4.5 if is_this else 3, meaning)


def _name_last(drawing: Drawing, box: Box, line: Series, points: Points) -> None:
    """Write the last value of a line beside its point."""
    known = [(number, point) for number, point in enumerate(points) if point is not None]
    if not known:
        return
    last, (x, y) = known[-1]
    text = f"{line.values[last]:,.0f}"
    half = drawing.text_width(text) / 2
    # Beneath the end of a falling line, above that of a rising one, so that the text does not stand on the line.
    is_falling = len(known) > 1 and known[-2][1][1] < y
    down = drawing.font_size + 2 if is_falling and y + 2 * drawing.font_size < box.bottom else -drawing.font_size - 2
    within = min(max(x, box.left + half), drawing.width - half - 4)
    drawing.text(within, y + down, text, anchor="middle", bold=True, fill=line.meaning, halo=True)


class Panel(NamedTuple):
    """A panel of small multiples: its name, its line, the line of the year before, and a text beside the name."""

    name: str
    values: Sequence[float | None]
    before: Sequence[float | None] = ()
    text: str = ""


def small_multiples(
    *,
    title: str,
    description: str,
    names: Sequence[str],
    panels: Sequence[Panel],
    labels: tuple[str, str],
    shared: bool,
    narrow: bool,
    nothing: str,
) -> bytes:
    """The same picture for each panel, as the districts: this year against the year before.

    names: of the periods; the first and the last one are written. labels: of this year and of the year before.
    shared: all panels have one scale, so that their heights compare; else each has its own, so that their shapes do.
    """
    if not any(value for panel in panels for value in (*panel.values, *panel.before)):
        return nothing_drawn(title, description, nothing, narrow=narrow)
    drawing = Drawing(narrow=narrow)
    keys = [Key(labels[0], Meaning.PERSON_TIMES, "")]
    if any(panel.before for panel in panels):
        keys.append(Key(labels[1], Meaning.LAST_YEAR, _DASHES[Meaning.LAST_YEAR]))
    top = drawing.legend(keys)
    columns = 2 if narrow else 4
    gap = 14.0 if narrow else 24.0
    width = (drawing.width - 2 * MARGIN - gap * (columns - 1)) / columns
    height, head = (54.0 if narrow else 70.0), drawing.font_size + 8.0
    foot = drawing.font_size + 12.0
    most = [value for panel in panels for value in (*panel.values, *panel.before) if value is not None]
    bottom = top
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        room_for_name = width - drawing.text_width(panel.text) - 6
        size = min(float(drawing.font_size), drawing.font_size * room_for_name / max(1, drawing.text_width(panel.name)))
        box = Box(MARGIN + column * (width + gap), top + row * (head + height + foot) + head, width, height)
        drawing.text(box.left, box.top - head / 2, panel.name, bold=True, size=round(max(size, 9), 1))
        drawing.text(box.right, box.top - head / 2, panel.text, anchor="end", fill=QUIET)
        own = [value for value in (*panel.values, *panel.before) if value is not None]
        scale = axis(most if shared else own, whole=True, most=3)
        for tick in (scale.low, scale.high):
            y = box.bottom - box.height * scale.part(tick)
            drawing.line(box.left, y, box.right, y, HAIR if tick else QUIET)
        place = box.width / max(1, len(names) - 1)
        for values, meaning in ((panel.before, Meaning.LAST_YEAR), (panel.values, Meaning.PERSON_TIMES)):
            points = [
                None if value is None else (box.left + place * at, box.bottom - box.height * scale.part(value))
                for at, value in enumerate(values)
            ]
            drawing.curve(
                points, meaning, width=2.5 if meaning is Meaning.PERSON_TIMES else 1.8, dashes=_DASHES.get(meaning, "")
            )
            if meaning is Meaning.PERSON_TIMES and (
                last := next((at for at in reversed(points) if at is not None), None)
            ):
                drawing.dot(*last, 3.5, meaning)
        beneath = box.bottom + drawing.font_size * 0.5 + 3
        small = drawing.font_size - 2
        drawing.text(box.left, beneath, names[0], fill=QUIET, size=small)
        drawing.text(box.right, beneath, names[-1], anchor="end", fill=QUIET, size=small)
        drawing.text(box.left, box.top + small * 0.8, scale.label(scale.high), fill=QUIET, size=small, halo=True)
        bottom = box.bottom + foot
    return drawing.made(title, description, bottom)


def sparkline(
    *,
    title: str,
    description: str,
    values: Sequence[float | None],
    meaning: Meaning = Meaning.PERSON_TIMES,
    width: int = 120,
    height: int = 32,
) -> bytes:
    """A line without axes, for a cell of a table; the last value is a dot. Without a value it is empty."""
    drawing = Drawing(narrow=False, width=width)
    known = [value for value in values if value is not None]
    low, high = min([0, *known]), max([0, *known])
    place = (width - 10) / max(1, len(values) - 1)
    points = [
        None if value is None else (5 + place * at, height - 5 - (height - 10) * (value - low) / ((high - low) or 1))
        for at, value in enumerate(values)
    ]
    drawing.line(5, height - 3, width - 5, height - 3)
    drawing.curve(points, meaning, width=2)
    last = next((point for point in reversed(points) if point is not None), None)
    if last is not None:
        drawing.dot(*last, 3, meaning)
    return drawing.made(title, description, height)
