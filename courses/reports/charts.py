"""Charts, drawn on the server by pygal: an SVG resource without a script, for an <img>. The table is its text."""

import re
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pygal
from pygal.style import Style

# pygal leaves an import hook of an older Python's kind behind, of which each later import would warn.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

FONT = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
COLOURS = ("#b3161d", "#4f7396", "#b97d00")  # each 3 : 1 and more against white, and apart for the colour-blind
WIDE, NARROW = 1000, 400
LONGEST = {WIDE: 18, NARROW: 9}  # characters of a name beside a bar
BESIDE = 14  # as many periods as stand beside each other with their names
NAMED = {WIDE: 12, NARROW: 5}  # where there are more, so many keep theirs: the first of each year before others
FONT_SIZE = 13
FIRST_WIDE = 0x2E7F  # Chinese letters and full-width forms come after this
SVG = "http://www.w3.org/2000/svg"
# The image loads nothing and runs nothing; its own styles are inside it.
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
    """Bars of stacked parts, one a name. upright: standing, for periods, however many; on a phone, a few of them lie.

    nothing: what an empty chart says.
    """
    standing = upright and (not narrow or len(names) > BESIDE)
    made = _frame(names, len(series), standing=standing, narrow=narrow, nothing=nothing, lines=len(names))
    settings = {
        **made.settings,
        "min_scale": 3,
        "max_scale": 4 if narrow else 8,
        "value_formatter": lambda value: f"{value:,.0f}",
    }
    chart = (pygal.StackedBar if standing else pygal.HorizontalStackedBar)(**settings)
    # Lying bars are drawn from the bottom up; a reader begins at the top.
    chart.x_labels = made.names if standing else made.names[::-1]
    for label, values in series:
        chart.add(label, list(values) if standing else list(values)[::-1])
    return _still(chart.render(is_unicode=False), title, description)


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
    """Shares of 1 in percent, up to 100 at least. lines: in the course of time; else bars beside each other, one group a name.
    On a phone, a few periods are bars too.

    A share that is None, because there was nothing to divide by, is left out.
    """
    percent = [(label, [None if one is None else round(one * 100, 1) for one in values]) for label, values in series]
    most = max((one for _label, values in percent for one in values if one is not None), default=0)
    top = max(100, -(-most // 25) * 25)
    standing = lines and (not narrow or len(names) > BESIDE)
    bars = len(names) * (0.55 + 0.45 * len(series))
    made = _frame(names, len(series), standing=standing, narrow=narrow, nothing=nothing, lines=bars)
    step = 25 if top <= 200 else -(-top // 100) * 25  # a label for each quarter, while there is room
    ticks = [step * number for number in range(int(top // step) + 1)]
    settings = {
        **made.settings, "range": (0, top), "y_labels": ticks, "value_formatter": lambda value: f"{value:g}%",
        "margin_right": 24,
        "dots_size": 4 if len(names) <= BESIDE else 1.5, "stroke_style": {"width": 3},
    }  # fmt: skip
    chart = (pygal.Line if standing else pygal.HorizontalBar)(**settings)
    chart.x_labels = made.names if standing else made.names[::-1]
    # Lying bars are drawn from the bottom up, within a group too.
    for label, values in percent:
        chart.add(label, values if standing else values[::-1])
    return _still(chart.render(is_unicode=False), title, description)


class _Frame(NamedTuple):
    """What every chart has: names that fit, and settings for pygal."""

    names: list[str]
    settings: dict[str, Any]


def _frame(names: Sequence[str], series: int, *, standing: bool, narrow: bool, nothing: str, lines: float) -> _Frame:
    """lines: how many rows of bars lie below each other."""
    width = NARROW if narrow else WIDE
    shown = [_short(_printable(name), LONGEST[width]) for name in names]
    settings = {
        "js": (),
        "width": width,
        "height": (420 if standing else 110 + round(max(3, lines) * 30)) + (20 * (series - 1) if narrow else 0),
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 1 if narrow else series,
        "margin": 8,
        "margin_left": 8 + (0 if standing else 8 + _missing(shown)),
        "spacing": 6,
        "show_y_guides": True,
        "truncate_legend": -1,
        "truncate_label": -1,
        "x_label_rotation": 0,
        "no_data_text": nothing,
        **(_few_named(shown, NAMED[width]) if standing and len(shown) > BESIDE else {}),
        "style": Style(
            font_family=FONT, background="#fff", plot_background="#fff", foreground="#1d2125",
            foreground_strong="#1d2125", foreground_subtle="#525b64", colors=COLOURS, opacity="1",
            label_font_size=FONT_SIZE, major_label_font_size=FONT_SIZE, legend_font_size=FONT_SIZE, no_data_font_size=16,
            guide_stroke_color="#dfe3e8", major_guide_stroke_color="#dfe3e8",
        ),
    }  # fmt: skip
    return _Frame(shown, settings)


def _few_named(names: Sequence[str], most: int) -> dict[str, Any]:
    """Settings that leave a few periods their names: beginnings of years, and of those every second or third if need be."""
    firsts = [name for name in names if name.endswith(("-01", "Q1"))] or list(names)
    return {"x_labels_major": firsts[:: -(-len(firsts) // most)], "show_minor_x_labels": False}


def _still(drawn: bytes, title: str, description: str) -> bytes:
    """The drawing without pygal's script, with its title and description for who reads and does not see."""
    root = ET.fromstring(drawn)  # noqa: S314  # drawn a line ago, from texts that were escaped
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
    """Without the control characters that XML cannot hold."""
    return re.sub(r"[\x00-\x1f\x7f\ufffe\uffff]", " ", text)


def _missing(names: Sequence[str]) -> int:
    """Pixels that names need beyond what pygal allows them: it takes every letter for a narrow one."""
    wide = max((sum(ord(letter) > FIRST_WIDE for letter in name) for name in names), default=0)
    return round(wide * FONT_SIZE * 0.45)


def _short(name: str, longest: int) -> str:
    """A name that fits beside its bar; Latin letters take half the room of Chinese ones."""
    room = float(longest)
    for position, letter in enumerate(name):
        room -= 1 if ord(letter) > FIRST_WIDE else 0.55
        if room < 0:
            return f"{name[:position]}…"
    return name
