"""Reading uploaded spreadsheets: XLSX, and CSV in the encodings of Chinese offices.

A file is parsed in a process of its own, which is stopped when it takes too long or too much memory.

Excel's habits are undone here: phones as numbers, dates, apostrophes, full-width digits. What Excel has destroyed (the
last digits of an 18-digit number) is shown as Excel shows it, so that nobody takes it for the number.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from lms.core import bounded_process
from lms.core.bounded_process import Bounds, BoundsExceeded, ProgramFailed
from lms.core.errors import N_
from lms.core.sheet_cells import CELL_LENGTH, COLUMNS, Limits, broken, clean, old, refused, too_slow

__all__ = ["CELL_LENGTH", "COLUMNS", "Limits", "broken", "clean", "digits", "old", "read", "rows", "stream_csv"]

UPLOAD = Limits()
_PARSER = "lms.core.sheet_parser"
# The largest upload takes 3 s and 300 MB, the largest workbook of an import 25 s and 900 MB, and 1 GB of CSV 60 s.
_UPLOAD_BOUNDS = Bounds(seconds=20, processor_seconds=8, memory_bytes=640 << 20, output_bytes=48 << 20)
_IMPORT_BOUNDS = Bounds(seconds=600, processor_seconds=300, memory_bytes=2 << 30, output_bytes=8 << 30)
_CSV_BOUNDS = Bounds(seconds=1200, processor_seconds=600, memory_bytes=512 << 20, output_bytes=8 << 30)

Rows = list[tuple[int, list[str]]]


def read(content: bytes, limits: Limits = UPLOAD) -> Rows:
    """The rows of a file's first sheet that are not empty, each with its line number from 1.

    The format is recognised by the first bytes, not by the file name. Raises DomainError on the field `file`.
    """
    return list(rows(content, limits))


def rows(content: bytes, limits: Limits = UPLOAD, *, after: int = 0) -> Iterator[tuple[int, list[str]]]:
    """As `read`, a row at a time, for a caller that needs the first rows only, or those after a line."""
    if len(content) > limits.file_megabytes << 20:
        raise refused(
            "file_too_large",
            N_("The file is larger than %(most)s MB. Send fewer rows at a time."),
            most=limits.file_megabytes,
        )
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise old()
    bounds = _IMPORT_BOUNDS if limits.unpacked_bytes > UPLOAD.unpacked_bytes else _UPLOAD_BOUNDS
    yield from _parsed([content], bounds, limits=asdict(limits), after=after)


def stream_csv(
    parts: Iterable[bytes], encoding: str, delimiter: str, *, after: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file of any length after a line, its cells as they are. Raises DomainError on the field `file`."""
    yield from _parsed(parts, _CSV_BOUNDS, encoding=encoding, delimiter=delimiter, after=after)


def _parsed(parts: Iterable[bytes], bounds: Bounds, **arguments: object) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, cells in bounded_process.run(_PARSER, parts, bounds, **arguments):
            yield int(number), cells
    except BoundsExceeded as error:
        raise too_slow() from error
    except (ProgramFailed, TypeError, ValueError) as error:
        raise broken() from error


def digits(text: str) -> str:
    """A number with ASCII digits, without spaces and without Excel's apostrophe.

    For example "'１３８ 12" gives "13812".
    """
    return unicodedata.normalize("NFKC", text).strip().lstrip("'’`").replace(" ", "")
