"""Limits of uploaded spreadsheets, the cleaning of cells, and the refusals: what reader and parser share."""

import re
from dataclasses import dataclass

from lms.core.errors import N_, DomainError

COLUMNS = 100
CELL_LENGTH = 500
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file that is read: its megabytes, its bytes when unpacked, its rows and its cells.

    The defaults are those of uploads. The parser needs some 80 bytes for each cell.
    """

    file_megabytes: int = 4
    unpacked_bytes: int = 48 * 1024 * 1024
    rows: int = 5000
    cells: int = 500_000


def clean(text: str) -> str:
    """The text of a cell without invisible characters, repeated spaces and Excel's apostrophe."""
    text = " ".join(_INVISIBLE.sub("", text).split())
    return text.lstrip("'’`").strip()[:CELL_LENGTH]


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


def too_wide() -> DomainError:
    """The refusal of a file of an import with too many columns."""
    return DomainError("file_too_wide", N_("The file has more than %(most)s columns."), field="file", most=COLUMNS)


def refused(code: str, message: str, **params: object) -> DomainError:
    """The refusal of a file, shown at the form's field `file`."""
    return DomainError(code, message, status=422, field="file", **params)
