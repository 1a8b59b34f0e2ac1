"""The parser of spreadsheets: XLSX, and CSV in the encodings of Chinese offices.

It runs in a process of its own (`lms.core.bounded_process`) and imports nothing that is not needed for it. Everybody else
asks `lms.core.spreadsheets`. A workbook is checked before it is parsed.
"""

import io
import re
import zipfile
from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import IO
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from lms.core import sheet_csv
from lms.core.errors import N_
from lms.core.sheet_cells import COLUMNS, Limits, broken, clean, refused, sheet_missing, too_long

MEMBERS = 2000
EXACT = 10**15  # a spreadsheet's number holds no more digits

_CHUNK = 1 << 16
# The sheets themselves; a folder of sheets holds their relations too.
_SHEET = re.compile(r"sheet[^/]*\.xml$")
_PLACE = re.compile("([A-Z]{1,3})([0-9]{1,7})")

OUTLINED_ROWS = 20

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
    if content.startswith(b"PK\x03\x04"):
        return _xlsx(content, limits, sheet, hidden=hidden)
    text = sheet_csv.decoded(content)
    return sheet_csv.rows(text, sheet_csv.delimiter_of(text, known), limits)


def _outlines(content: bytes, limits: Limits, known: Collection[str]) -> Iterator[Outline]:
    if not content.startswith(b"PK\x03\x04"):
        yield "", False, [], [], list(islice(rows(content, limits, known=known), OUTLINED_ROWS))
        return
    check(content, limits)
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        for meta in book.sheets_metadata:
            hid = meta.visible != SheetVisibleEnum.Visible
            first = list(islice(_xlsx(content, limits, meta.name, hidden=True), OUTLINED_ROWS))
            yield meta.name, hid, [], [], first


def _xlsx(content: bytes, limits: Limits, sheet: str, *, hidden: bool) -> Iterator[Row]:
    check(content, limits)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            for meta in book.sheets_metadata:
                if (sheet and meta.name != sheet) or (not hidden and meta.visible != SheetVisibleEnum.Visible):
                    continue
                found = False
                for number, line in enumerate(book.get_sheet_by_name(meta.name).iter_rows(), 1):
                    cells = [clean(_text(value)) for value in line]
                    if any(cells):
                        found = True
                        yield number, cells
                if found or sheet:
                    return
            if sheet:
                raise sheet_missing(sheet)
    except (CalamineError, IndexError) as error:
        raise broken() from error


def check(content: bytes, limits: Limits) -> None:
    """Refuse an XLSX file that is too large when unpacked. Raises DomainError on the field `file`.

    It is unpacked once without keeping anything: the sizes that an archive claims are whatever its maker wrote. A
    sheet's cells are looked at by their places, because the reader makes room for all cells before the last one.
    """
    try:
        _unpack(content, limits)
    # RuntimeError: an encrypted archive, and what is derived from it: a compression that zipfile does not know.
    except (zipfile.BadZipFile, RuntimeError, EOFError) as error:
        raise broken() from error


def _unpack(content: bytes, limits: Limits) -> None:
    left = limits.unpacked_bytes
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        if len(members) > MEMBERS:
            raise too_long()
        for member in members:
            cells = _CellCounter(limits) if _SHEET.search(member.filename.lower()) else None
            for chunk in _chunks(archive, member):
                left -= len(chunk)
                if left < 0:
                    raise refused(
                        "file_bomb", N_("The file is too large when unpacked. Copy the rows into a new file.")
                    )
                if cells is not None:
                    cells.scan(chunk)
            if cells is not None:
                cells.scan(b"", last=True)


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk


class _CellCounter:
    """Counts the cells and rows of a sheet's XML as it is unpacked, and refuses places beyond the limits.

    A parser reads the sheet piece by piece in constant memory, and refuses what is no XML and what defines entities.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._cells = self._rows = 0
        self._columns = 0  # of the present row, for cells that do not tell their place
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EntityDeclHandler = self._refuse_entity

    def scan(self, chunk: bytes, *, last: bool = False) -> None:
        """Count what a chunk holds. Raises DomainError."""
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            raise broken() from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "c":
            reference = attributes.get("r")
            column, row = (self._columns + 1, self._rows) if reference is None else _place(reference)
            self._cells += 1
            self._columns = column
            _count(row - 1, column, self._limits)
            if self._cells > self._limits.cells:
                raise too_long()
        elif kind == "row":
            self._rows, self._columns = self._rows + 1, 0
            _count(self._rows - 1, 0, self._limits)

    def _refuse_entity(self, *_declaration: object) -> None:
        raise broken()


def _place(reference: str) -> tuple[int, int]:
    """The column and the row of a cell from its reference: B7 is (2, 7). Raises DomainError."""
    place = _PLACE.fullmatch(reference.strip().upper())
    if place is None:
        raise broken()
    column = 0
    for letter in place[1]:
        column = column * 26 + ord(letter) - 64
    return column, int(place[2])


def _count(rows: int, columns: int, limits: Limits) -> None:
    if rows >= limits.rows or columns > COLUMNS:
        raise too_long()


def _text(value: object) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if value is None or isinstance(value, bool | timedelta):
        return ""
    if isinstance(value, int | float):
        if abs(value) >= EXACT:
            return f"{value:.5E}"
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
