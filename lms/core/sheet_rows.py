"""The rows of one sheet of a workbook, from its XML, piece by piece in constant memory.

Most of a sheet may be empty: borders over a million rows, formats to the last column. Such cells and rows are cut out of
the text before it is parsed, where they are written as Excel, WPS and LibreOffice write them.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lms.core.sheet_archive import PIECES, LocalNames, Xml, text_of
from lms.core.sheet_cells import Limits, broken, too_long
from lms.core.sheet_formats import Format, Render, general, moment_of

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384

# Cells and rows are cut out only before another one that says its place, or an end: the places of the others stay. None is
# looked at again that is within such a series: a series that has to stay would be read as often as it has cells.
_EMPTY_CELLS = re.compile(
    rb'(?<!"/>)(?<!"></c>)(?:<c r="[A-Z]{1,3}[0-9]{1,7}"(?: s="[0-9]{1,5}")?+(?: t="[a-z]{1,9}")?+(?:/>|></c>))++'
    rb'(?=<c r="|</row>)'
)
_EMPTY_ROWS = re.compile(
    rb'(?<!"/>)(?<!"></row>)(?:<row r="[0-9]{1,7}"(?: [A-Za-z0-9:]{1,20}="[^"<&>]{0,60}")*+(?:/>|></row>))++'
    rb'(?=<row r="|</sheetData>|\Z)'
)
_ROW = b'<row r="'
_MAY_BE_HIDDEN = re.compile(rb"hidden|ht=[\"']0|</sheetData")
_LONGEST_ROW = 4 << 20
_REFERENCE = re.compile("([A-Z]{1,3})([1-9][0-9]{0,6})")
_DIGITS = "0123456789"
_TRUE = frozenset({"1", "true", "on"})
_BOOLEANS = {"1": "TRUE", "0": "FALSE", "true": "TRUE", "false": "FALSE"}


@dataclass(slots=True)
class SheetRow:
    """A row that holds something: its number, whether it is hidden, and its texts by column from 0."""

    number: int
    hidden: bool
    texts: dict[int, str] = field(default_factory=dict)


class SheetReader:
    """Reads the rows of a sheet. `hidden_columns` is known before the first row is given.

    skims: set by whoever needs only the hidden rows from now on: pieces of the sheet without any are then counted by their
    marks and not parsed. skimmed: at most so many rows were not given for that.
    """

    def __init__(self, texts: list[str], formats: list[Format], limits: Limits) -> None:
        self.hidden_columns: set[int] = set()
        self.skims = False
        self.skimmed = 0
        self._is_cut_at_rows = True
        self._texts = texts
        self._numbers: dict[str, Render] = {"": general} | {str(i): made.number for i, made in enumerate(formats)}
        if not formats:
            self._numbers = defaultdict(lambda: general)
        self._shown: dict[str, Render] = {str(i): made.text for i, made in enumerate(formats) if made.text}
        self._cells_left = limits.cells
        self._done: list[SheetRow] = []
        self._local = LocalNames()
        self._xml = Xml(self._start, self._end)
        self._pieces = self._xml.texts
        self._is_among_rows = self._is_finished = self._is_reading = False
        self._columns = _Columns()
        self._row = SheetRow(0, hidden=False)
        self._row_text: str | None = None
        self._column = -1
        self._last_column = 0  # of those whose width was said
        self._attributes: dict[str, str] = {}
        self._value: str | None = None
        self._formula: str | None = None
        self._inline: list[str] = []

    def rows(self, pieces: Iterable[bytes]) -> Iterator[SheetRow]:
        """The rows of a sheet's XML that hold something, in their order. Raises DomainError."""
        for piece in self._without_empty(pieces):
            if self._is_finished:
                continue  # the rest is unpacked for the archive's check of what it unpacked
            if self.skims and self._is_cut_at_rows and piece.startswith(_ROW) and not _MAY_BE_HIDDEN.search(piece):
                self._skim(piece)
                continue
            try:
                self._xml.feed(piece)
            except (IndexError, KeyError, ValueError) as error:
                raise broken() from error
            yield from self._done
            self._done.clear()
        if not self._is_finished:
            self._xml.feed(b"", last=True)

    def _skim(self, piece: bytes) -> None:
        """Count what rows hold at most, without parsing them."""
        self.skimmed += piece.count(_ROW)
        self._cells_left -= piece.count(b"<v") + piece.count(b"<is") + piece.count(b"<f")
        if self._cells_left < 0:
            raise too_long()

    def _without_empty(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The text of a sheet without empty cells and rows that are written in the usual way; else as it is.

        It is cut before a row. After a comment or CDATA nothing is cut out: what looks like a cell may be text there.
        """
        rest, pieces = b"", iter(pieces)
        for piece in pieces:
            rest += piece
            if b"<!" in rest or len(rest) > _LONGEST_ROW:
                self._is_cut_at_rows = False
                yield rest
                rest = b""
                break
            cut = rest.rfind(_ROW)
            if cut > 0:
                whole_rows, rest = rest[:cut], rest[cut:]
                if b'"/>' in whole_rows or b'"></c>' in whole_rows:
                    whole_rows = _EMPTY_ROWS.sub(b"", _EMPTY_CELLS.sub(b"", whole_rows))
                yield whole_rows
        yield rest
        yield from pieces

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = self._local[name]
        if element == "c":
            self._attributes = attributes
            self._value = self._formula = None
        elif element == "v":
            self._pieces.clear()
        elif element == "row":
            self._begin_row(attributes)
        elif element in {"t", "f"}:
            self._pieces.clear()
        elif element == "is":
            self._inline.clear()
        elif element == "rPh":
            self._is_reading = True
        elif element == "sheetData":
            self._is_among_rows = True
        elif element == "col" and not self._is_among_rows:
            self._add_columns(attributes)

    def _end(self, name: str) -> None:  # noqa: C901  # one branch for each kind of element
        element = self._local[name]
        if element == "c":
            self._end_cell()
        elif element == "v":
            self._value = "".join(self._pieces)
        elif element == "row":
            if self._row.texts:
                self._done.append(self._row)
        elif element == "t":
            if not self._is_reading:
                self._inline.extend(self._pieces)
                del self._inline[PIECES:]
        elif element == "f":
            self._formula = "".join(self._pieces)
        elif element == "is":
            self._value = "".join(self._inline)
        elif element == "rPh":
            self._is_reading = False
        elif element == "sheetData":
            self._is_finished = True

    def _begin_row(self, attributes: dict[str, str]) -> None:
        self._row_text = attributes.get("r")
        number = self._row.number + 1 if self._row_text is None else _whole(self._row_text)
        if number <= self._row.number or self._is_finished:
            raise broken()
        if number > LAST_ROW:
            raise too_long()
        is_hidden = attributes.get("hidden") in _TRUE or _is_zero(attributes.get("ht"))
        self._row = SheetRow(number, is_hidden)
        self._column = -1

    def _end_cell(self) -> None:
        attributes, value = self._attributes, self._value
        reference = attributes.get("r")
        self._column = column = self._column + 1 if reference is None else self._place(reference)
        if value is None and self._formula is None:
            return
        self._cells_left -= 1
        if self._cells_left < 0:
            raise too_long()
        text = self._text(attributes, value or "")
        if text:
            if column in self._row.texts:
                raise broken()
            self._row.texts[column] = text

    def _text(self, attributes: dict[str, str], value: str) -> str:
        """The text of a cell as a person sees it. Raises IndexError, KeyError and ValueError for what refers to nothing.

        A formula that no program has calculated gives "#=" and the formula, which no reader takes for a value.
        """
        kind, style = attributes.get("t", "n"), attributes.get("s", "")
        if not value.strip():
            return "" if self._formula is None or kind == "str" else text_of(["#=", self._formula])
        if kind == "n":
            return self._numbers[style](value.strip())
        if kind == "s":
            index = int(value)
            if index < 0:
                raise IndexError
            text = self._texts[index]
        elif kind == "b":
            return _BOOLEANS[value.strip().lower()]
        elif kind == "d":
            return moment_of(value.strip())
        else:  # the text of a formula, a text that is written here, or an error such as #N/A
            text = text_of([value])
        return self._shown[style](text) if style in self._shown else text

    def _place(self, reference: str) -> int:
        """The column of a cell, whose row has to be the present one."""
        letters = reference.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is not None and reference[len(letters) :] == self._row_text:
            return column
        place = _REFERENCE.fullmatch(reference.strip().upper())
        if place is None:
            raise broken()
        column, number = self._columns[place[1]], int(place[2])
        if column >= LAST_COLUMN or number > LAST_ROW:
            raise too_long()
        if self._row_text is None and self._column == -1 and number >= self._row.number:
            self._row.number = number
        elif number != self._row.number:
            raise broken()
        return column

    def _add_columns(self, attributes: dict[str, str]) -> None:
        first, last = _whole(attributes["min"]), _whole(attributes["max"])
        if not self._last_column < first <= last <= LAST_COLUMN:
            raise broken()
        self._last_column = last
        if attributes.get("hidden") in _TRUE or _is_zero(attributes.get("width")):
            self.hidden_columns.update(range(first - 1, last))


class _Columns(dict[str, int]):
    """The positions of columns from 0 by their letters: A is 0, AA is 26."""

    def __missing__(self, letters: str) -> int:
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        self[letters] = column - 1
        return column - 1


def _whole(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise broken()
    return int(text)


def _is_zero(text: str | None) -> bool:
    return text is not None and text.strip("0. ") == "" and "0" in text
