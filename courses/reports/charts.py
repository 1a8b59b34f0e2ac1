"""Charts, drawn on the server by pygal: SVG images without scripts, for an <img>.

The table beneath a chart holds every figure of it, for readers who do not see the image.
"""

import re
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

# pygal installs an import hook of an old Python's kind, and every later import would warn about it.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

FONT = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
# Each has a contrast of 3:1 or more against white, and colour-blind readers can tell them apart.
COLOURS = ("#b3161d", "#4f7396", "#b97d00")
WIDE, NARROW = 1000, 400  # pixels
MAX_NAME_LENGTH = {WIDE: 18, NARROW: 9}  # Chinese characters of a name beside a bar
ALL_NAMED = 14  # up to so many periods, each one has its name on the axis
MAX_NAMES = {WIDE: 12, NARROW: 5}  # names on the axis where there are more periods
FONT_SIZE = 13
FIRST_WIDE = 0x2E7F  # Chinese characters and full-width forms come after this code point
SVG = "http://www.w3.org/2000/svg"
# The image loads nothing and runs nothing. Its own styles are inside it.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

ET.register_namespace("", SVG)
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def stacked_bars(
    *,
    title: str,
    description: str,
    names: Sequence[str],
    series: Sequence[tuple[str, Sequence[int]]],
    upright: bool,
    narrow: bool,
    nothing: str,
) -> bytes:
    """Stacked bars: one bar for each name, one part of it for each series.

    upright: the bars stand, for periods; on a phone a few periods lie. narrow: for a phone.
    nothing: the text of an empty chart.
    """
    standing = upright and (not narrow or len(names) > ALL_NAMED)
    frame = _frame(names, len(series), standing=standing, narrow=narrow, nothing=nothing, lines=len(names))
    settings = {
        **frame.settings,
        "min_scale": 3,
        "max_scale": 4 if narrow else 8,
        "value_formatter": lambda value: f"{value:,.0f}",
    }
    chart = (pygal.StackedBar if standing else pygal.HorizontalStackedBar)(**settings)
    # pygal draws lying bars from the bottom up, and a reader begins at the top.
    chart.x_labels = frame.names if standing else frame.names[::-1]
    for label, values in series:
        chart.add(label, list(values) if standing else list(values)[::-1])
    return _without_script(chart.render(is_unicode=False), title, description)


def shares(
    *,
    title: str,
    description: str,
    names: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    lines: bool,
    narrow: bool,
    nothing: str,
) -> bytes:
    """Shares of 1, drawn in percent on an axis to 100 or more. A share of None, with nothing to divide by, is left out.

    lines: as lines over time; else as a group of bars for each name. On a phone a few periods are bars too.
    narrow: for a phone. nothing: the text of an empty chart.
    """
    percents = [
        (label, [None if share is None else round(share * 100, 1) for share in values]) for label, values in series
    ]
    largest = max((percent for _label, values in percents for percent in values if percent is not None), default=0)
    top = max(100, -(-largest // 25) * 25)
    standing = lines and (not narrow or len(names) > ALL_NAMED)
    bars = len(names) * (0.55 + 0.45 * len(series))
    frame = _frame(names, len(series), standing=standing, narrow=narrow, nothing=nothing, lines=bars)
    step = 25 if top <= 200 else -(-top // 100) * 25  # a label every 25 %, while there is room
    ticks = [step * number for number in range(int(top // step) + 1)]
    settings = {
        **frame.settings, "range": (0, top), "y_labels": ticks, "value_formatter": lambda value: f"{value:g}%",
        "margin_right": 24,
        "dots_size": 4 if len(names) <= ALL_NAMED else 1.5, "stroke_style": {"width": 3},
    }  # fmt: skip
    chart = (pygal.Line if standing else pygal.HorizontalBar)(**settings)
    chart.x_labels = frame.names if standing else frame.names[::-1]
    # pygal draws lying bars from the bottom up, also within a group.
    for label, values in percents:
        chart.add(label, values if standing else values[::-1])
    return _without_script(chart.render(is_unicode=False), title, description)


class _Frame(NamedTuple):
    """The part that all charts share: names cut to fit, and settings for pygal."""

    names: list[str]
    settings: dict[str, Any]


def _frame(names: Sequence[str], series: int, *, standing: bool, narrow: bool, nothing: str, lines: float) -> _Frame:
    """lines: the number of lying bars, one below the other."""
    width = NARROW if narrow else WIDE
    labels = [_shortened(_printable(name), MAX_NAME_LENGTH[width]) for name in names]
    settings = {
        "js": (),
        "width": width,
        "height": (420 if standing else 110 + round(max(3, lines) * 30)) + (20 * (series - 1) if narrow else 0),
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 1 if narrow else series,
        "margin": 8,
        "margin_left": 8 + (0 if standing else 8 + _extra_width(labels)),
        "spacing": 6,
        "show_y_guides": True,
        "truncate_legend": -1,
        "truncate_label": -1,
        "x_label_rotation": 0,
        "no_data_text": nothing,
        **(_some_named(labels, MAX_NAMES[width]) if standing and len(labels) > ALL_NAMED else {}),
        "style": Style(
            font_family=FONT, background="#fff", plot_background="#fff", foreground="#1d2125",
            foreground_strong="#1d2125", foreground_subtle="#525b64", colors=COLOURS, opacity="1",
            label_font_size=FONT_SIZE, major_label_font_size=FONT_SIZE, legend_font_size=FONT_SIZE, no_data_font_size=16,
            guide_stroke_color="#dfe3e8", major_guide_stroke_color="#dfe3e8",
        ),
    }  # fmt: skip
    return _Frame(labels, settings)


def _some_named(names: Sequence[str], most: int) -> dict[str, Any]:
    """Settings that name `most` periods at most: the first ones of years, and if need be every second of those."""
    firsts = [name for name in names if name.endswith(("-01", "Q1"))] or list(names)
    return {"x_labels_major": firsts[:: -(-len(firsts) // most)], "show_minor_x_labels": False}


def _without_script(svg: bytes, title: str, description: str) -> bytes:
    """The image without pygal's script, and with a title and a description for screen readers."""
    root = ET.fromstring(svg)  # noqa: S314  # pygal has just made it, and has escaped its texts
    for parent in root.iter():
        for child in list(parent):
            if child.tag in {f"{{{SVG}}}script", f"{{{SVG}}}title"}:
                parent.remove(child)
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{{{SVG}}}{tag}")
        element.text = _printable(text)
        root.insert(position, element)
    root.set("role", "img")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _printable(text: str) -> str:
    """The text without the control characters that XML cannot hold."""
    return re.sub(r"[\x00-\x1f\x7f\ufffe\uffff]", " ", text)


def _extra_width(names: Sequence[str]) -> int:
    """The pixels that names need beyond the width that pygal reserves: it takes every character for a narrow one."""
    wide = max((sum(ord(letter) > FIRST_WIDE for letter in name) for name in names), default=0)
    return round(wide * FONT_SIZE * 0.45)


def _shortened(name: str, max_length: int) -> str:
    """A name that fits beside its bar. Latin letters take half the room of Chinese characters."""
    room = float(max_length)
    for position, letter in enumerate(name):
        room -= 1 if ord(letter) > FIRST_WIDE else 0.55
        if room < 0:
            return f"{name[:position]}…"
    return name
