"""The drawing that all charts share: elements of SVG, widths of text, colours by meaning, legends and axes."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from xml.etree import ElementTree as ET

FONT = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif"
WIDE, NARROW = 1000, 400  # pixels
INK, QUIET, HAIR, TRACK, PAPER = "#1d2125", "#525b64", "#dfe3e8", "#eef0f3", "#ffffff"
SVG = "http://www.w3.org/2000/svg"
# The image loads nothing and runs nothing.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MARGIN = 10
_FIRST_WIDE = 0x2E7F  # Chinese characters and full-width forms come after this code point
# A line is broken between these: a word, or one Chinese character with the punctuation after it.
_PIECES = re.compile(r"[!-~À-ʯ]+\s*|\s+|.[，。；：、？！）》」”]*")

ET.register_namespace("", SVG)


class Meaning(StrEnum):
    """The colour of each meaning, the same in every picture.

    Each has a contrast of 3:1 or more against white. Those that stand beside each other differ in lightness too, for
    colour-blind readers and for grey paper.
    """

    PERSON_TIMES = "#b3161d"
    NAMED = "#1f4e79"
    COUNTED = "#6c97c0"
    REFRESHER = "#b97d00"
    CERTIFICATES = "#66761f"
    TARGET = "#1d2126"
    LAST_YEAR = "#767f89"
    PASSING = "#2c6e49"
    NO_SHOW = "#7d4aa5"
    LEAD = "#12545c"
    ASSISTANT = "#4d979f"
    EXAMINER = "#c07350"


class Series(NamedTuple):
    """A row of values under one label. A value of None is not known, or is still to come."""

    label: str
    values: Sequence[float | None]
    meaning: Meaning


class Key(NamedTuple):
    """An entry of a legend. mark: "box", "tick", or a line by its dashes: "" for a whole one."""

    label: str
    colour: str
    mark: str = "box"


@dataclass(frozen=True)
class Box:
    """The part of a drawing in which values are drawn."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The bottom edge."""
        return self.top + self.height


class Drawing:
    """An SVG image in the making. Its height is known when everything is drawn."""

    def __init__(self, *, narrow: bool, width: float | None = None) -> None:
        self.narrow = narrow
        self.width: float = width or (NARROW if narrow else WIDE)
        # A phone shows the narrow image smaller than it is.
        self.font_size = 14 if narrow else 13
        self._root = ET.Element(f"{{{SVG}}}svg")

    def rect(self, x: float, y: float, width: float, height: float, fill: str, **more: str) -> None:
        """Draw a rectangle."""
        self._add("rect", x=x, y=y, width=max(0, width), height=max(0, height), fill=fill, **more)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, stroke: str = HAIR, *, width: float = 1, **more: str
    ) -> None:
        """Draw a straight line."""
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, **more)

    def dot(self, x: float, y: float, radius: float, fill: str, stroke: str = PAPER) -> None:
        """Draw a dot, with an edge that sets it apart from what is beneath."""
        self._add("circle", cx=x, cy=y, r=radius, fill=fill, stroke=stroke, stroke_width=1)

    def curve(
        self, points: Iterable[tuple[float, float] | None], stroke: str, *, width: float, dashes: str = ""
    ) -> None:
        """Draw a line through points. It is broken where a point is None; a point alone is a dot as wide as the line."""
        commands: list[str] = []
        pen_down = False
        for point, after in pairwise([*points, None]):
            if point is not None:
                alone = not pen_down and after is None
                commands.append(
                    f"{'L' if pen_down else 'M'}{_number(point[0])} {_number(point[1])}{'h0' if alone else ''}"
                )
            pen_down = point is not None
        if commands:
            more = {"stroke_dasharray": dashes} if dashes else {"stroke_linecap": "round"}
            self._add(
                "path",
                d=" ".join(commands),
                fill="none",
                stroke=stroke,
                stroke_width=width,
                stroke_linejoin="round",
                **more,
            )

    def text(
        self, x: float, y: float, text: str, *, anchor: str = "start", fill: str = INK, bold: bool = False,
        size: float | None = None, halo: bool = False,
    ) -> None:  # fmt: skip
        """Write a line of text. y: its middle. halo: with a white edge, for a text that stands on lines."""
        size = size or self.font_size
        more: dict[str, str | float] = {} if size == self.font_size else {"font_size": size}
        if bold:
            more["font_weight"] = "bold"
        if anchor != "start":
            more["text_anchor"] = anchor
        if halo:
            more |= {"stroke": PAPER, "stroke_width": 3, "paint_order": "stroke", "stroke_linejoin": "round"}
        self._add("text", x=x, y=y + size * 0.36, fill=fill, **more).text = printable(text)

    def text_width(self, text: str, *, size: float | None = None) -> float:
        """About as many pixels as a text is wide; rather more than fewer, since each device has another font."""
        return _em(text) * (size or self.font_size)

    def wrapped(self, text: str, room: float) -> list[str]:
        """The text in as many lines as it needs, about equally long: broken at spaces, and in Chinese at any character."""
        pieces = _PIECES.findall(printable(text))
        lines = self._filled(pieces, room)
        even = self.text_width(text) / len(lines) + self.font_size
        balanced = self._filled(pieces, min(room, even)) if len(lines) > 1 else lines
        return balanced if len(balanced) == len(lines) else lines

    def _filled(self, pieces: Sequence[str], room: float) -> list[str]:
        lines: list[str] = []
        current = ""
        for piece in pieces:
            if current.strip() and self.text_width((current + piece).rstrip()) > room:
                lines.append(current.strip())
                current = piece
            else:
                current += piece
        return [*lines, current.strip()] if current.strip() or not lines else lines

    def legend(self, keys: Sequence[Key]) -> float:
        """Write a legend at the top. Returns the y beneath it."""
        x, y = float(MARGIN), MARGIN + self.font_size * 0.6
        for key in keys:
            width = 24 + self.text_width(key.label)
            if x > MARGIN and x + width > self.width - MARGIN:
                x, y = float(MARGIN), y + self.font_size + 8
            self._swatch(key, x, y)
            self.text(x + 24, y, key.label)
            x += width + 18
        return y + self.font_size * 0.6 + 12

    def _swatch(self, key: Key, x: float, y: float) -> None:
        if key.mark == "box":
            self.rect(x + 3, y - 6, 13, 13, key.colour)
        elif key.mark == "tick":
            self.line(x + 9, y - 8, x + 9, y + 8, key.colour, width=3)
        else:
            more = {"stroke_dasharray": key.mark} if key.mark else {}
            self.line(x, y, x + 19, y, key.colour, width=2.5, **more)

    def made(self, title: str, description: str, height: float) -> bytes:
        """The image as a file. title, description: for screen readers."""
        root = self._root
        width, height = round(self.width), round(height)
        attributes = {
            "width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}", "role": "img",
            "font-family": FONT, "font-size": str(self.font_size),
        }  # fmt: skip
        root.attrib.update(attributes)
        for position, (tag, text) in enumerate((("title", title), ("desc", description))):
            element = ET.Element(f"{{{SVG}}}{tag}")
            element.text = printable(text)
            root.insert(position, element)
        background = ET.Element(f"{{{SVG}}}rect", {"width": str(width), "height": str(height), "fill": PAPER})
        root.insert(2, background)
        return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))

    def _add(self, tag: str, **attributes: str | float) -> ET.Element:
        written = {
            name.replace("_", "-"): value if isinstance(value, str) else _number(value)
            for name, value in attributes.items()
        }
        return ET.SubElement(self._root, f"{{{SVG}}}{tag}", written)


def nothing_drawn(title: str, description: str, text: str, *, narrow: bool) -> bytes:
    """The image that says in words that there is nothing to draw."""
    drawing = Drawing(narrow=narrow)
    lines = drawing.wrapped(text, drawing.width - 4 * MARGIN)
    for position, line in enumerate(lines):
        drawing.text(drawing.width / 2, 40 + position * 20, line, anchor="middle", fill=QUIET)
    return drawing.made(title, description, 80 + (len(lines) - 1) * 20)


def for_paper(svg: bytes, families: Sequence[str], bold: Sequence[str]) -> bytes:
    """The image with the fonts of a document, since Typst knows no others. bold: the families that have a bold weight."""
    names, bold_names = (", ".join(f"'{family}'" for family in group) for group in (families, bold))
    text = svg.decode().replace(f'font-family="{FONT}"', f'font-family="{names}"', 1)
    return text.replace(' font-weight="bold"', f' font-weight="bold" font-family="{bold_names}"').encode()


def printable(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return re.sub("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]", " ", text)


def _number(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _em(text: str) -> float:
    """The width of a text in units of its font size."""
    width = 0.0
    for letter in text:
        if ord(letter) > _FIRST_WIDE:
            width += 1
        elif letter in " .,:;|!'’ijl()[]-":
            width += 0.36
        elif letter.isupper() or letter in "mw%&@—":
            width += 0.76
        else:
            width += 0.6
    return width
