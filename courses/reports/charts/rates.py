"""Rates: each one in a panel of its own, on a scale of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from courses.reports.charts.axes import Axis, axis
from courses.reports.charts.bars import time_axis
from courses.reports.charts.drawing import HAIR, MARGIN, QUIET, Box, Drawing, Series, nothing_drawn

_TALL = 150  # the height of a line
_GAP = 36  # between two panels beside each other
_NAME_ROOM = {True: 150, False: 190}  # pixels of a name, before it goes on in a second line
_DASHES = "4 3"  # of the mean


def rates(
    *,
    title: str,
    description: str,
    names: Sequence[str],
    series: Sequence[Series],
    means: Sequence[float | None],
    mean_label: str,
    over_time: bool,
    narrow: bool,
    nothing: str,
) -> bytes:
    """Rates as shares of 1, drawn in percent: lines over time, or a dot for each name on a line of its own.

    Each rate has a panel with its own scale, which need not begin at zero: 97 % beside 98 % is a difference. A share of
    None, with nothing to divide by, is left out. means: of each series as a whole, a dashed line; mean_label: its name.
    """
    drawn = [
        (rate, mean)
        for rate, mean in zip(series, means, strict=True)
        if any(value is not None for value in rate.values)
    ]
    if not drawn:
        return nothing_drawn(title, description, nothing, narrow=narrow)
    drawing = Drawing(narrow=narrow)
    columns = 1 if narrow or over_time else len(drawn)
    width = (drawing.width - 2 * MARGIN - _GAP * (columns - 1)) / columns
    top = bottom = float(MARGIN)
    for number, (rate, mean) in enumerate(drawn):
        column = number % columns
        panel = _Panel(drawing, Box(MARGIN + column * (width + _GAP), top, width, _TALL), names, rate, mean)
        panel.head(mean_label)
        bottom = max(bottom, panel.line() if over_time else panel.dots())
        if column == columns - 1:
            top = bottom + 10
    return drawing.made(title, description, bottom)


@dataclass(frozen=True)
class _Panel:
    """The part of the drawing that one rate has, beneath its head. place: where it lies; a line is as high as this."""

    drawing: Drawing
    place: Box
    names: Sequence[str]
    rate: Series
    mean: float | None

    def head(self, mean_label: str) -> None:
        """Write the name of the rate and its mean."""
        drawing, place = self.drawing, self.place
        middle = place.top + drawing.font_size * 0.6
        drawing.text(place.left, middle, self.rate.label, bold=True, fill=self.rate.meaning)
        if self.mean is not None:
            text = f"{mean_label} {self.mean:.1%}"
            left = place.right - drawing.text_width(text)
            drawing.line(left - 26, middle, left - 6, middle, QUIET, width=1.5, stroke_dasharray=_DASHES)
            drawing.text(place.right, middle, text, anchor="end", fill=QUIET)

    def line(self) -> float:
        """Draw the rate over time. Returns the y beneath it."""
        drawing, scale = self.drawing, self._scale
        labels = [f"{scale.label(tick)}%" for tick in scale.ticks]
        left = self.place.left + max(drawing.text_width(label) for label in labels) + 6
        box = Box(left, self._top, self.place.right - left, self.place.height)

        def y(percent: float) -> float:
            return box.bottom - box.height * scale.part(percent)

        for tick, label in zip(scale.ticks, labels, strict=True):
            drawing.line(box.left, y(tick), box.right, y(tick), HAIR)
            drawing.text(box.left - 6, y(tick), label, anchor="end", fill=QUIET)
        if self.mean is not None:
            drawing.line(
                box.left, y(self.mean * 100), box.right, y(self.mean * 100), QUIET, width=1.5, stroke_dasharray=_DASHES
            )
        step = box.width / len(self.names)
        points = [
            None if value is None else (box.left + step * (number + 0.5), y(value * 100))
            for number, value in enumerate(self.rate.values)
        ]
        drawing.curve(points, self.rate.meaning, width=2.5)
        if step >= 12:
            for point in points:
                if point is not None:
                    drawing.dot(*point, 4, self.rate.meaning)
        return time_axis(drawing, box, self.names)

    def dots(self) -> float:
        """Draw a dot for each name. Returns the y beneath them."""
        drawing, scale = self.drawing, self._scale
        names = [drawing.wrapped(name, _NAME_ROOM[drawing.narrow]) for name in self.names]
        texts = ["–" if value is None else f"{value:.1%}" for value in self.rate.values]
        line_height = drawing.font_size + 4
        heights = [max(len(lines) * line_height, 18) + 5 for lines in names]
        names_end = self.place.left + max(drawing.text_width(line) for lines in names for line in lines)
        left = names_end + 16
        right = self.place.right - max(drawing.text_width(text) for text in texts) - 14
        box = Box(left, self._top, right - left, sum(heights))

        def x(percent: float) -> float:
            return box.left + box.width * scale.part(percent)

        every = 2 if box.width < 260 and len(scale.ticks) > 3 else 1
        for number, tick in enumerate(scale.ticks):
            drawing.line(x(tick), box.top, x(tick), box.bottom, HAIR)
            if number % every == 0:
                y = box.bottom + drawing.font_size * 0.5 + 4
                drawing.text(x(tick), y, f"{scale.label(tick)}%", anchor="middle", fill=QUIET)
        if self.mean is not None:
            drawing.line(
                x(self.mean * 100), box.top, x(self.mean * 100), box.bottom, QUIET, width=1.5, stroke_dasharray=_DASHES
            )
        top = box.top
        for lines, value, text, height in zip(names, self.rate.values, texts, heights, strict=True):
            middle = top + height / 2
            drawing.line(box.left, middle, box.right, middle, stroke_dasharray="1 3")
            for number, line in enumerate(lines):
                drawing.text(names_end, middle + (number - (len(lines) - 1) / 2) * line_height, line, anchor="end")
            if value is not None:
                drawing.dot(x(value * 100), middle, 5.5, self.rate.meaning)
            drawing.text(self.place.right, middle, text, anchor="end")
            top += height
        return box.bottom + drawing.font_size + 14

    @property
    def _top(self) -> float:
        return self.place.top + self.drawing.font_size + 14

    @property
    def _scale(self) -> Axis:
        percents = [value * 100 for value in (*self.rate.values, self.mean) if value is not None]
        return axis(percents, most=5, from_zero=False)
