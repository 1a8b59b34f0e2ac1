"""CSV files: their encoding, what parts their columns, and their rows as Excel counts them."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import IO

from lms.core import headings
from lms.core.sheet_cells import COLUMNS, Holding, Limits, broken, clean, old, too_wide, unpaired_quote

_USUAL = ",\t;"
_FULL_WIDTH = "，；"  # typed by a Chinese keyboard; texts are full of them too
_HEAD_CHARACTERS = 1 << 16
_HEAD_ROWS = 20
_ENOUGH_NAMES = 2
# Excel's own first line, which is no row: it says what parts the columns.
_SEPARATOR_LINE = re.compile('"?sep=([^\r\n])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)
# The pages and the XML of 2003 that programs call .xls, and somebody renames.
_MARKUP = re.compile(r"\s*<(?:\?xml|!doctype|html|head|meta|table|workbook)\b", re.IGNORECASE)
# Of a streamed file: the places of all rows that reach beyond column COLUMNS.
_FAR_PLACES = 4_000_000

Row = tuple[int, list[str]]


def decoded(content: bytes) -> str:
    """Decode UTF-8 with or without byte order mark, UTF-16 with it, else GB 18030, which Chinese Windows writes."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    for candidate in (encoding, "gb18030"):
        try:
            text = content.decode(candidate)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise broken()


def delimiter_of(text: str, known: Collection[str] = frozenset()) -> str:
    """The character that parts the columns, from the head of a file.

    Excel's line "sep=;" says it. Else the head is read with each candidate as a parser of CSV reads it. The one that gives
    the most known headings is right; where no names are known, the one with which most rows have equally many columns.
    Full-width marks count only where no other fits: titles, remarks and addresses are full of them.
    """
    text = text[:_HEAD_CHARACTERS].lstrip("\ufeff")
    stated = _SEPARATOR_LINE.match(text)
    if stated is not None:
        return stated[1]
    tables = {mark: _head(text, mark) for mark in _USUAL + _FULL_WIDTH}
    for marks in (_USUAL, _FULL_WIDTH):
        names = {mark: _known_names(tables[mark], known) for mark in marks}
        best = max(marks, key=lambda mark: (names[mark], _fit(tables[mark])))
        if names[best] >= _ENOUGH_NAMES:
            return best
    for marks in (_USUAL, _FULL_WIDTH):
        best = max(marks, key=lambda mark: _fit(tables[mark]))
        if _fit(tables[best]) > (0, 0):
            return best
    return _USUAL[0]


def rows(text: str, delimiter: str, limits: Limits) -> Iterator[Row]:
    """The rows of a file that hold something, cleaned, each with its number. Raises DomainError on the field `file`."""
    holding = Holding(limits)
    for number, cells in _numbered(io.StringIO(text, newline=""), delimiter):
        tidy = _trimmed([clean(cell) for cell in cells])
        if tidy:
            holding.add_row(len(tidy) - tidy.count(""), len(tidy))
            yield number, tidy


def streamed(stream: IO[bytes], encoding: str, delimiter: str, after: int) -> Iterator[Row]:
    """The rows after a row number that hold something, as they are, of a file of any length, in little memory."""
    far = 0
    try:
        for number, cells in _numbered(io.TextIOWrapper(stream, encoding=encoding, newline=""), delimiter):
            if number <= after or not any(cells):
                continue
            if len(cells) > COLUMNS:
                del cells[len(_trimmed(cells)) :]
                far += len(cells) if len(cells) > COLUMNS else 0
                if len(cells) - cells.count("") > COLUMNS or far > _FAR_PLACES:
                    raise too_wide()
            yield number, cells
    except UnicodeDecodeError as error:
        raise broken() from error


def _numbered(lines: IO[str], delimiter: str) -> Iterator[Row]:
    """All records with their numbers as Excel shows them: an empty line is a row, a cell of several lines is in one row."""
    first = lines.readline().lstrip("\ufeff")
    if _MARKUP.match(first):
        raise old()
    record: list[str] = []
    try:
        all_lines = lines if _SEPARATOR_LINE.match(first) else chain([first], lines)
        for number, cells in enumerate(csv.reader(_noted(all_lines, record), delimiter=delimiter), 1):
            if len(record) > 1:
                _check_quotes(record, delimiter, number)
            record.clear()
            yield number, cells
    except csv.Error as error:
        raise broken() from error


def _noted(lines: Iterable[str], record: list[str]) -> Iterator[str]:
    for line in lines:
        record.append(line)
        yield line


def _check_quotes(record: list[str], delimiter: str, number: int) -> None:
    """Refuse a row over several lines whose quotation marks have no partners: other rows would vanish in its cell."""
    try:
        list(csv.reader(record, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise unpaired_quote(number) from error


def _trimmed(cells: list[str]) -> list[str]:
    """The cells up to the last one that holds something."""
    width = len(cells)
    while width and not cells[width - 1]:
        width -= 1
    return cells[:width]


def _head(text: str, delimiter: str) -> list[Row]:
    """The first rows that hold something, for a delimiter that may be wrong: until the parser of CSV gives up."""
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    table: list[Row] = []
    try:
        for number, cells in enumerate(records, 1):
            if any(cells):
                table.append((number, cells))
            if len(table) == _HEAD_ROWS:
                break
    except csv.Error:
        pass
    return table


def _known_names(table: list[Row], known: Collection[str]) -> int:
    found = headings.find(table, known)
    return 0 if found is None else found.number


def _fit(table: list[Row]) -> tuple[int, int]:
    """How many rows have the most common number of columns, if half of them have it, and that number."""
    widths = Counter(len(cells) for _number, cells in table)
    [(width, number)] = widths.most_common(1) or [(1, 0)]
    return (number, width) if width > 1 and 2 * number >= len(table) else (0, 0)
