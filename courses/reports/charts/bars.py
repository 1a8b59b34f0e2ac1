"""Bars: stacked ones for the parts of a sum, and bullet bars for what was reached of a target."""

from collections.abc import Sequence
from dataclasses import dataclass

from courses.reports.charts.axes import Axis, axis, period_names, thinned
from courses.reports.charts.drawing import (
    HAIR,
    INK,
    MARGIN,
    PAPER,
    QUIET,
    TRACK,
    Box,
    Drawing,
    Key,
    Meaning,
    Series,
    nothing_drawn,
)

_NAME_ROOM = 300  # pixels of a name beside a bar, before it goes on in a second line
_TALL = 240  # the height of standing bars
_LARGEST_SHARE = 2.0  # a bullet bar is cut off at twice the target; its text says how long it is


def stacked_bars(
    *,
    title: str,
    description: str,
    names: Sequence[str],
    series: Sequence[Series],
    upright: bool,
    narrow: bool,
    nothing: str,
) -> bytes:
    """Stacked bars of counts: one bar for each name, one part of it for each series.

    upright: the bars stand, for periods; a period without a value is an empty place. Else they lie, one below the
    other, with their sums beside them. nothing: the text of an empty chart.
    """
    if not any(value for part in series for value in part.values):
        return nothing_drawn(title, description, nothing, narrow=narrow)
    drawing = Drawing(narrow=narrow)
    top = drawing.legend([Key(part.label, part.meaning) for part in series]) if len(series) > 1 else float(MARGIN)
    columns = [[part.values[place] or 0 for part in series] for place in range(len(names))]
    height = (
        _standing(drawing, top, names, columns, series) if upright else _lying(drawing, top, names, columns, series)
    )
    return drawing.made(title, description, height)


def _ends(columns: Sequence[Sequence[float]]) -> list[float]:
    """The ends of the bars: of their positive and of their negative parts. Corrections can make a part negative."""
    return [sum(value for value in column if (value < 0) == below) for column in columns for below in (False, True)]


def _stack(column: Sequence[float]) -> list[tuple[float, float]]:
    """From where to where each part of a bar reaches."""
    parts: list[tuple[float, float]] = []
    above = below = 0.0
    for value in column:
        if value < 0:
            parts.append((below + value, below))
            below += value
        else:
            parts.append((above, above + value))
            above += value
    return parts


def _standing(
    drawing: Drawing, top: float, names: Sequence[str], columns: Sequence[Sequence[float]], series: Sequence[Series]
) -> float:
    scale = axis(_ends(columns), whole=True, most=5 if drawing.narrow else 6)
    box = value_axis(drawing, scale, top, _TALL)
    place = box.width / len(names)
    breadth = min(place * 0.72, 60)
    for number, column in enumerate(columns):
        left = box.left + place * (number + 0.5) - breadth / 2
        for (low, high), part in zip(_stack(column), series, strict=True):
            if low != high:
                upper, lower = (box.bottom - box.height * scale.part(value) for value in (high, low))
                drawing.rect(left, upper, breadth, max(1, lower - upper), part.meaning)
                if lower - upper > 3:
                    drawing.line(left, lower, left + breadth, lower, PAPER, width=1)
    zero = box.bottom - box.height * scale.part(0)
    drawing.line(box.left, zero, box.right, zero, INK)
    return time_axis(drawing, box, names)


def _lying(
    drawing: Drawing, top: float, names: Sequence[str], columns: Sequence[Sequence[float]], series: Sequence[Series]
) -> float:
    scale = axis(_ends(columns), whole=True, most=4 if drawing.narrow else 7)
    sums = [f"{sum(column):,.0f}" for column in columns]
    rows = Rows(drawing, top, names, sums)
    rows.grid([(scale.part(tick), scale.label(tick)) for tick in scale.ticks])
    for number, column in enumerate(columns):
        y, breadth = rows.bar(number)
        for (low, high), part in zip(_stack(column), series, strict=True):
            if low != high:
                left, right = (rows.x(scale.part(value)) for value in (low, high))
                drawing.rect(left, y, max(1, right - left), breadth, part.meaning)
                if right - left > 3:
                    drawing.line(right, y, right, y + breadth, PAPER, width=1)
    zero = rows.x(scale.part(0))
    drawing.line(zero, rows.box.top, zero, rows.box.bottom, INK)
    return rows.end


@dataclass(frozen=True)
class Bullet:
    """A row of a bullet chart. target: None where none is set. before: the same figure of the year before."""

    name: str
    value: int
    target: int | None
    before: int | None = None


def bullet(
    *,
    title: str,
    description: str,
    rows: Sequence[Bullet],
    labels: tuple[str, str, str],
    no_target: str,
    narrow: bool,
    nothing: str,
) -> bytes:
    """Bullet bars: the part of its target that each row reached, the line of 100 %, and a mark for the year before.

    labels: of the value, of the line of 100 %, and of the year before. no_target: the text of a row without a target.
    A bar of more than twice its target is cut off, which two white strokes say; its figures stand beside it.
    """
    if not any(row.target for row in rows):
        return nothing_drawn(title, description, nothing, narrow=narrow)
    drawing = Drawing(narrow=narrow)
    keys = [Key(labels[0], Meaning.PERSON_TIMES), Key(labels[1], Meaning.TARGET, "tick")]
    if any(row.before for row in rows):
        keys.append(Key(labels[2], Meaning.LAST_YEAR, "tick"))
    top = drawing.legend(keys)
    shares = [row.value / row.target if row.target else None for row in rows]
    befores = [None if row.before is None or not row.target else row.before / row.target for row in rows]
    largest = max(1.1, *(share for share in (*shares, *befores) if share is not None))
    length = min(largest, _LARGEST_SHARE)
    texts = [_reached(row, no_target) for row in rows]
    layout = Rows(drawing, top, [row.name for row in rows], texts)
    ticks = [0, 0.5, 1] if drawing.narrow or length > 1.5 else [0, 0.25, 0.5, 0.75, 1]
    if length > 1.4:
        ticks += [1.5, 2][: 1 + (length >= 2)]
    layout.grid([(tick / length, f"{tick:.0%}") for tick in ticks])
    for number, (row, share, before) in enumerate(zip(rows, shares, befores, strict=True)):
        y, breadth = layout.bar(number)
        if not row.target:
            continue
        full = layout.x(1 / length)
        drawing.rect(layout.box.left, y, full - layout.box.left, breadth, TRACK)
        reached = layout.x(max(0, min(share or 0, length)) / length)
        drawing.rect(layout.box.left, y + 2, reached - layout.box.left, breadth - 4, Meaning.PERSON_TIMES)
        if share is not None and share > length:
            for back in (16, 10):
                drawing.line(reached - back, y + breadth, reached - back + 5, y, PAPER, width=2.5)
        if before:
            at = layout.x(max(0, min(before, length)) / length)
            drawing.line(at, y - 1, at, y + breadth + 1, PAPER, width=5)
            drawing.line(at, y - 1, at, y + breadth + 1, Meaning.LAST_YEAR, width=3)
        drawing.line(full, y, full, y + breadth, PAPER, width=6)
        drawing.line(full, y - 3, full, y + breadth + 3, Meaning.TARGET, width=2.5)
    return drawing.made(title, description, layout.end)


def _reached(row: Bullet, no_target: str) -> str:
    if not row.target:
        return f"{row.value:,} · {no_target}"
    return f"{row.value:,} / {row.target:,} · {row.value / row.target:,.0%}"


class Rows:
    """Lying bars, one below the other: whole names, and a text for each row.

    A wide drawing has the names to the left of the bars and the texts to the right. A narrow one has both above the bar,
    so that the bar has the whole width.
    """

    def __init__(self, drawing: Drawing, top: float, names: Sequence[str], texts: Sequence[str]) -> None:
        self._drawing, self._texts = drawing, texts
        widest_text = max(drawing.text_width(text) for text in texts)
        if drawing.narrow:
            room = drawing.width - 2 * MARGIN - widest_text - 12
            self._names = [drawing.wrapped(name, room) for name in names]
            left, right = float(MARGIN), float(MARGIN)
            self._bar = 14
        else:
            self._names = [drawing.wrapped(name, _NAME_ROOM) for name in names]
            left = MARGIN + max(drawing.text_width(line) for lines in self._names for line in lines) + 8
            right = MARGIN + widest_text + 10
            self._bar = 18
        self._line = drawing.font_size + 5
        lines = [len(name) for name in self._names]
        heights = (
            [count * self._line + self._bar + 12 for count in lines]
            if drawing.narrow
            else [max(count * self._line, self._bar) + 8 for count in lines]
        )
        self._tops = [top + sum(heights[:number]) for number in range(len(heights))]
        self._heights = heights
        self.box = Box(left, top, drawing.width - left - right, sum(heights))
        self.end = self.box.bottom + drawing.font_size + 14

    def x(self, part: float) -> float:
        """The place of a part of the axis, 0.0 to 1.0."""
        return self.box.left + self.box.width * part

    def bar(self, number: int) -> tuple[float, float]:
        """The y and the height of a row's bar."""
        top, height = self._tops[number], self._heights[number]
        return (
            (top + height - self._bar - 8, self._bar)
            if self._drawing.narrow
            else (top + (height - self._bar) / 2, self._bar)
        )

    def grid(self, ticks: Sequence[tuple[float, str]]) -> None:
        """Draw the grid with its labels, the names and the texts. ticks: (part of the axis, label)."""
        drawing, box = self._drawing, self.box
        for part, label in ticks:
            x = self.x(part)
            drawing.line(x, box.top, x, box.bottom, HAIR)
            half = drawing.text_width(label) / 2
            within = min(max(x, half + 2), drawing.width - half - 2)
            drawing.text(within, box.bottom + drawing.font_size * 0.5 + 4, label, anchor="middle", fill=QUIET)
        for number, (name, text) in enumerate(zip(self._names, self._texts, strict=True)):
            top, height = self._tops[number], self._heights[number]
            if drawing.narrow:
                first = top + self._line / 2
                for place, line in enumerate(name):
                    drawing.text(box.left, first + place * self._line, line, halo=True)
                drawing.text(box.right, first, text, anchor="end", halo=True)
            else:
                first = top + height / 2 - (len(name) - 1) * self._line / 2
                for place, line in enumerate(name):
                    drawing.text(box.left - 8, first + place * self._line, line, anchor="end")
                drawing.text(drawing.width - MARGIN, top + height / 2, text, anchor="end")


def value_axis(drawing: Drawing, scale: Axis, top: float, height: float, unit: str = "") -> Box:
    """Draw the grid of a standing axis with its labels. Returns the box of the values."""
    labels = [scale.label(tick) + unit for tick in scale.ticks]
    left = MARGIN + max(drawing.text_width(label) for label in labels) + 6
    box = Box(left, top + drawing.font_size * 0.5, drawing.width - left - MARGIN, height)
    for tick, label in zip(scale.ticks, labels, strict=True):
        y = box.bottom - box.height * scale.part(tick)
        drawing.line(box.left, y, box.right, y, HAIR)
        drawing.text(box.left - 6, y, label, anchor="end", fill=QUIET)
    return box


def time_axis(drawing: Drawing, box: Box, names: Sequence[str]) -> float:
    """Write the names of periods beneath a box, as many as have room. Returns the y beneath them.

    Months and quarters have their years in a second line. Where not all of them have room, years are the names.
    """
    split = period_names(names)
    place = box.width / len(names)
    y = box.bottom + drawing.font_size * 0.5 + 5
    has_years = any(name.year for name in split)
    every = thinned([drawing.text_width(name.within) for name in split], place, gap=5)
    if has_years and every > 3:
        starts = [number for number, name in enumerate(split) if name.year]
        room = box.width / max(1, len(starts))
        every_year = thinned([drawing.text_width(split[number].year) for number in starts], room)
        for position, number in enumerate(starts):
            x = box.left + place * number
            drawing.line(x, box.bottom, x, box.bottom + 5, QUIET)
            if position % every_year == 0:
                _within(drawing, x + place / 2, y, split[number].year)
        return y + drawing.font_size * 0.5 + MARGIN
    for number in range(0, len(split), every):
        _within(drawing, box.left + place * (number + 0.5), y, split[number].within)
    if not has_years:
        return y + drawing.font_size * 0.5 + MARGIN
    second = y + drawing.font_size + 3
    last_end = 0.0
    for number, name in enumerate(split):
        if name.year:
            x = box.left + place * number
            if number:
                drawing.line(x, box.bottom, x, second + 6, HAIR)
            width = drawing.text_width(name.year, size=drawing.font_size)
            start = min(x + 3, drawing.width - width)
            if start > last_end:
                drawing.text(start, second, name.year, bold=True, fill=QUIET)
                last_end = start + width + 6
    return second + drawing.font_size * 0.5 + MARGIN


def _within(drawing: Drawing, x: float, y: float, text: str) -> None:
    """Write a text in the middle of x, but wholly within the image."""
    half = drawing.text_width(text) / 2
    drawing.text(min(max(x, half + 2), drawing.width - half - 2), y, text, anchor="middle", fill=QUIET)
