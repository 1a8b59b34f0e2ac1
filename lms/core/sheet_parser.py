"""The parser of spreadsheets: XLSX, and CSV in the encodings of Chinese offices.

It runs in a process of its own (`lms.core.bounded_process`) and imports nothing that is not needed for it. Everybody else
asks `lms.core.spreadsheets`. A workbook is read in little memory: `lms.core.sheet_archive` opens it, `lms.core.sheet_rows`
reads a sheet.
"""

import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO

from lms.core import sheet_csv
from lms.core.errors import DomainError
from lms.core.sheet_archive import SheetPart, Workbook
from lms.core.sheet_cells import COLUMNS, Holding, Limits, broken, sheet_missing, too_long
from lms.core.sheet_merges import MergedCells
from lms.core.sheet_rows import SheetReader, SheetRow

OUTLINED_ROWS = 20
HIDDEN_RANGES = 50
_XLSX = b"PK\x03\x04"

Row = tuple[int, list[str]]
# The name of a sheet, whether it is hidden, the ranges of its hidden rows, its hidden columns, its first rows.
Outline = tuple[str, bool, list[tuple[int, int]], list[int], list[Row]]


def program(
    stream: IO[bytes],
    *,
    limits: dict[str, int] | None = None,
    encoding: str = "",
    delimiter: str = "",
    after: int = 0,
    sheet: str = "",
    known: Collection[str] = (),
    hidden: bool = False,
    outline: bool = False,
) -> Iterator[Row | Outline]:
    """The rows of a file that hold something, after a row number, each with its number; or the outlines of its sheets.

    limits: the fields of `Limits`, for a file of any format that is read whole. encoding and delimiter: of a CSV file that
    is read as a stream, in little memory; its cells are left as they are. sheet: the name of a sheet, else the first visible
    one that holds something. known: headings that may occur. hidden: read hidden rows and columns too. Raises DomainError
    on the field `file`.
    """
    if limits is None:
        return sheet_csv.streamed(stream, encoding, delimiter, after)
    content, known = stream.read(), frozenset(known)
    if outline:
        return _outlines(content, Limits(**limits), known)
    found = rows(content, Limits(**limits), sheet=sheet, known=known, hidden=hidden)
    return (row for row in found if row[0] > after)


def rows(
    content: bytes, limits: Limits, *, sheet: str = "", known: Collection[str] = frozenset(), hidden: bool = False
) -> Iterator[Row]:
    """The rows of a file. The format is recognised by the first bytes."""
    if content.startswith(_XLSX):
        return _of_workbook(content, limits, sheet, hidden=hidden)
    text = sheet_csv.decoded(content)
    return sheet_csv.rows(text, sheet_csv.delimiter_of(text, known), limits)


def _outlines(content: bytes, limits: Limits, known: Collection[str]) -> Iterator[Outline]:
    """The outlines of all sheets. Raises DomainError where each visible sheet that holds something holds too much."""
    if not content.startswith(_XLSX):
        yield "", False, [], [], list(islice(rows(content, limits, known=known), OUTLINED_ROWS))
        return
    with _refusing():
        book = Workbook(content, limits)
        are_too_long: list[bool] = []
        for part in book.sheets:
            outline, is_too_long = _outline(book, part, limits)
            if (outline[-1] or is_too_long) and not part.hidden:
                are_too_long.append(is_too_long)
            yield outline
    if are_too_long and all(are_too_long):
        raise too_long()


def _outline(book: Workbook, part: SheetPart, limits: Limits) -> tuple[Outline, bool]:
    """The outline of a sheet, and whether the sheet holds too much to be read."""
    outline, is_too_long = _outlined(book, part, limits, skims=True)
    return _outlined(book, part, limits, skims=False) if is_too_long else (outline, False)


def _outlined(book: Workbook, part: SheetPart, limits: Limits, *, skims: bool) -> tuple[Outline, bool]:
    """As `_outline`. skims: quickly, with an estimate of what the sheet holds that is never too low."""
    reader = SheetReader(book.texts, book.formats, limits)
    ranges: list[tuple[int, int]] = []
    columns: set[int] = set()
    first: list[Row] = []
    visible, skimmed_before, was_hidden, is_too_long = 0, 0, False, False
    merged = MergedCells.of_sheet(book.archive.pieces(part.member))
    layout = _Layout(limits, reader.hidden_columns)
    try:
        for row in reader.rows(book.archive.pieces(part.member)):
            merged.fill(row.number, row.texts)
            columns.update(reader.hidden_columns.intersection(row.texts) if reader.hidden_columns else ())
            if row.hidden:
                start = ranges.pop()[0] if was_hidden and reader.skimmed == skimmed_before else row.number
                ranges.append((start, row.number))
            elif (laid_out := layout.row(row)) is not None:
                visible += 1
                if len(first) < OUTLINED_ROWS:
                    first.append(laid_out)
            was_hidden, skimmed_before = row.hidden, reader.skimmed
            reader.skims = skims and len(first) == OUTLINED_ROWS and not reader.hidden_columns
    except DomainError as error:
        if error.code != too_long().code:
            raise
        is_too_long = True
    is_too_long = is_too_long or visible + reader.skimmed > limits.rows
    return (part.name, part.hidden, ranges[:HIDDEN_RANGES], sorted(columns), first), is_too_long


def _of_workbook(content: bytes, limits: Limits, sheet: str, *, hidden: bool) -> Iterator[Row]:
    with _refusing():
        book = Workbook(content, limits)
        parts = [part for part in book.sheets if part.name == sheet or not sheet]
        parts = [part for part in parts if hidden or not part.hidden]
        if sheet and not parts:
            raise sheet_missing(sheet)
        for part in parts:
            reader = SheetReader(book.texts, book.formats, limits)
            merged = MergedCells.of_sheet(book.archive.pieces(part.member))
            layout = _Layout(limits, set() if hidden else reader.hidden_columns)
            for row in reader.rows(book.archive.pieces(part.member)):
                merged.fill(row.number, row.texts)
                if (hidden or not row.hidden) and (laid_out := layout.row(row)) is not None:
                    yield laid_out
            if layout.width:
                return


class _Layout:
    """Makes lists of the rows of a sheet, each as wide as the widest row before, and counts what they hold."""

    def __init__(self, limits: Limits, hidden_columns: set[int]) -> None:
        self.width = 0
        self._holding = Holding(limits)
        self._hidden_columns = hidden_columns

    def row(self, row: SheetRow) -> Row | None:
        """The row without what hidden columns hold; None where nothing is left. Raises DomainError."""
        texts = row.texts
        if self._hidden_columns:
            texts = {column: text for column, text in texts.items() if column not in self._hidden_columns}
            if not texts:
                return None
        last = max(texts) + 1
        self._holding.add_row(len(texts), last)
        self.width = max(self.width, min(last, COLUMNS))
        cells = [""] * max(self.width, last)
        for column, text in texts.items():
            cells[column] = text
        return row.number, cells


@contextmanager
def _refusing() -> Iterator[None]:
    """Turns what an archive raises that is damaged, or made to be, into the refusal of a file."""
    try:
        yield
    # RuntimeError: an encrypted archive, and what is derived from it: a compression that zipfile does not know.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, KeyError, OSError, ValueError) as error:
        raise broken() from error
