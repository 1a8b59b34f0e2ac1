"""Reading uploaded spreadsheets: XLSX, and CSV in the encodings of Chinese offices.

A file is parsed in a process of its own, which is stopped when it takes too long or too much memory.

Excel's habits are undone here: phones as numbers, dates, apostrophes, full-width digits. What Excel has destroyed (the
last digits of an 18-digit number) is shown as Excel shows it, so that nobody takes it for the number.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lms.core import bounded_process, headings
from lms.core.bounded_process import Bounds, BoundsExceeded, ProgramFailed
from lms.core.errors import N_
from lms.core.sheet_cells import CELL_LENGTH, COLUMNS, Limits, broken, clean, old, refused, too_slow
from lms.core.sheet_csv import delimiter_of

__all__ = [
    "CELL_LENGTH", "COLUMNS", "Limits", "SheetOutline", "broken", "candidates", "clean", "delimiter_of", "digits", "old",
    "outlines", "read", "rows", "stream_csv",
]  # fmt: skip

UPLOAD = Limits()
_PARSER = "lms.core.sheet_parser"
# 100,000 rows of 19 columns take 5 s and 45 MB, a sheet of a million empty rows 1 s and 21 MB, and 1 GB of CSV 60 s.
_UPLOAD_BOUNDS = Bounds(seconds=20, processor_seconds=8, memory_bytes=640 << 20, output_bytes=48 << 20)
_IMPORT_BOUNDS = Bounds(seconds=600, processor_seconds=300, memory_bytes=2 << 30, output_bytes=8 << 30)
_CSV_BOUNDS = Bounds(seconds=1200, processor_seconds=600, memory_bytes=512 << 20, output_bytes=8 << 30)

Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class SheetOutline:
    """The outline of a sheet, for whoever has to choose one.

    name: empty for CSV. hidden_rows: ranges of row numbers, first and last, of hidden rows that hold something.
    hidden_columns: positions from 0 of hidden columns that hold something. rows: the first visible rows.
    """

    name: str
    hidden: bool
    hidden_rows: list[tuple[int, int]]
    hidden_columns: list[int]
    rows: Rows


def outlines(content: bytes, limits: Limits = UPLOAD, known: Collection[str] = frozenset()) -> list[SheetOutline]:
    """All sheets of a file in their order; a CSV file is one sheet. Raises DomainError on the field `file`.

    known: the headings that may occur, as `headings.normalised`: they decide what parts the columns of a CSV file.
    """
    found = _run(content, limits, known=sorted(known), outline=True)
    try:
        return [
            SheetOutline(
                name,
                is_hidden,
                [(first, last) for first, last in hidden_rows],
                hidden_columns,
                [(number, cells) for number, cells in rows],
            )
            for name, is_hidden, hidden_rows, hidden_columns, rows in found
        ]
    except (TypeError, ValueError) as error:
        raise broken() from error


def candidates(sheets: Iterable[SheetOutline], known: Collection[str], required: int = 2) -> list[SheetOutline]:
    """The visible sheets that may be the list that is asked for: those with so many known names in their heading row.

    Where no names are known, those that hold something.
    """
    visible = [sheet for sheet in sheets if sheet.rows and not sheet.hidden]
    if not known:
        return visible
    return [
        sheet
        for sheet in visible
        if (found := headings.find(sheet.rows, known)) is not None and found.number >= required
    ]


def read(
    content: bytes,
    limits: Limits = UPLOAD,
    *,
    sheet: str = "",
    known: Collection[str] = frozenset(),
    hidden: bool = False,
) -> Rows:
    """The rows of a sheet that hold something, each with its number as Excel shows it.

    The format is recognised by the first bytes, not by the file name. sheet: the name of a sheet, else the first visible
    one that holds something. known: as for `outlines`. hidden: hidden sheets, rows and columns too; else hidden rows are
    left out, and the cells of hidden columns are empty. Raises DomainError on the field `file`.
    """
    return list(rows(content, limits, sheet=sheet, known=known, hidden=hidden))


def rows(
    content: bytes,
    limits: Limits = UPLOAD,
    *,
    after: int = 0,
    sheet: str = "",
    known: Collection[str] = frozenset(),
    hidden: bool = False,
) -> Iterator[tuple[int, list[str]]]:
    """As `read`, a row at a time, for a caller that needs the first rows only, or those after a row number."""
    return _rows(_run(content, limits, after=after, sheet=sheet, known=sorted(known), hidden=hidden))


def stream_csv(
    parts: Iterable[bytes], encoding: str, delimiter: str, *, after: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file of any length after a row number, its cells as they are. Raises DomainError on `file`."""
    return _rows(_answers(parts, _CSV_BOUNDS, encoding=encoding, delimiter=delimiter, after=after))


def _run(content: bytes, limits: Limits, **arguments: object) -> Iterator[Any]:
    if len(content) > limits.file_megabytes << 20:
        raise refused(
            "file_too_large",
            N_("The file is larger than %(most)s MB. Send fewer rows at a time."),
            most=limits.file_megabytes,
        )
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise old()
    bounds = _IMPORT_BOUNDS if limits.unpacked_bytes > UPLOAD.unpacked_bytes else _UPLOAD_BOUNDS
    yield from _answers([content], bounds, limits=asdict(limits), **arguments)


def _rows(answers: Iterator[Any]) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, cells in answers:
            yield int(number), cells
    except (TypeError, ValueError) as error:
        raise broken() from error


def _answers(parts: Iterable[bytes], bounds: Bounds, **arguments: object) -> Iterator[Any]:
    try:
        yield from bounded_process.run(_PARSER, parts, bounds, **arguments)
    except BoundsExceeded as error:
        raise too_slow() from error
    except ProgramFailed as error:
        raise broken() from error


def digits(text: str) -> str:
    """A number with ASCII digits, without spaces and without Excel's apostrophe.

    For example "'１３８ 12" gives "13812".
    """
    return unicodedata.normalize("NFKC", text).strip().lstrip("'’`").replace(" ", "")
