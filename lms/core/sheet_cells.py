"""Limits of uploaded spreadsheets, the cleaning of cells, and the refusals: what reader and parser share."""

import re
from dataclasses import dataclass

from lms.core.errors import N_, DomainError
from lms.core.names import STRAY_JOINER

COLUMNS = 100
CELL_LENGTH = 500
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f]")
# Excel, and exports for Excel, put an apostrophe before digits, and before what would be a formula, so that it stays text.
_APOSTROPHES = re.compile(r"['’`]+(?:(?=[0-9０-９=+@＝＋－＠-])|\s|$)")
# A program's way to keep the zeros of 00123 in a CSV file, which Excel shows without the formula.
_QUOTED_BY_FORMULA = re.compile('="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file that is read: its megabytes, its bytes when unpacked, its rows and its cells.

    The defaults are those of uploads. The parser needs some 80 bytes for each cell.
    """

    file_megabytes: int = 7
    unpacked_bytes: int = 128 << 20
    rows: int = 5000
    cells: int = 500_000


class Holding:
    """Counts what a file holds. Rows and cells that hold nothing cost nothing, wherever they stand.

    A cell beyond column `COLUMNS` costs the places before it: one stray cell in the last column is read, a list of them
    is refused.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rows = self._cells = 0

    def add_row(self, held: int, width: int) -> None:
        """Count a row with so many cells that hold something, the last one in column `width`. Raises DomainError."""
        self._rows += 1
        self._cells += held if width <= COLUMNS else width
        if held > COLUMNS or self._rows > self._limits.rows or self._cells > self._limits.cells:
            raise too_long()


def clean(text: str) -> str:
    """The text of a cell without invisible characters, repeated spaces and Excel's apostrophe.

    The apostrophe of a name stays ("'t Hooft"), and so do joiners within words of scripts in which one sees their effect.
    """
    if not text.isprintable() or "  " in text:
        text = " ".join(STRAY_JOINER.sub("", _INVISIBLE.sub("", text)).split())
    text = text.strip()
    if text.startswith('="') and (quoted := _QUOTED_BY_FORMULA.fullmatch(text)) is not None:
        return quoted[1].strip()[:CELL_LENGTH]
    apostrophes = _APOSTROPHES.match(text)
    return text[apostrophes.end() if apostrophes else 0 :][:CELL_LENGTH]


def broken() -> DomainError:
    """The refusal of a file that cannot be read."""
    return refused("file_broken", N_("The file could not be read. Save it as XLSX or CSV and send it again."))


def old() -> DomainError:
    """The refusal of a file of Excel before 2007, or of one with a password."""
    return refused(
        "file_old", N_("Old or protected Excel files cannot be read. Save the file as XLSX without a password.")
    )


def too_long() -> DomainError:
    """The refusal of a sheet with too many rows, columns or cells."""
    return refused(
        "file_too_long", N_("The sheet has too many rows or columns. Delete the empty ones, or send fewer rows.")
    )


def too_slow() -> DomainError:
    """The refusal of a file whose parser had to be stopped."""
    return refused(
        "file_too_slow",
        N_("Reading the file took too long or too much memory. Copy the rows into a new file and send that."),
    )


def sheet_missing(name: str) -> DomainError:
    """The refusal of a sheet that a workbook does not have, or hides."""
    return refused("sheet_missing", N_("The file has no visible sheet “%(sheet)s”."), sheet=name)


def too_wide() -> DomainError:
    """The refusal of a file of an import with too many columns."""
    return DomainError("file_too_wide", N_("The file has more than %(most)s columns."), field="file", most=COLUMNS)


def refused(code: str, message: str, **params: object) -> DomainError:
    """The refusal of a file, shown at the form's field `file`."""
    return DomainError(code, message, status=422, field="file", **params)


def unpaired_quote(number: int) -> DomainError:
    """The refusal of a CSV file in which a cell begins with a quotation mark and does not end with one."""
    return refused(
        "file_quote",
        N_(
            "A quotation mark in row %(row)s has no partner, so rows cannot be told apart. Correct it and send the file again."
        ),
        row=number,
    )
