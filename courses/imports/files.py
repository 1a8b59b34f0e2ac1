"""The file of an import: stored in the database in encrypted pieces, and read from there in little memory.

What was read of the file, and is shown before the check, is stored beside it in pieces with negative numbers.
"""

import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import IO, Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.imports import PIECE_COLUMN, ImportPiece, ImportRun
from lms.core import crypto, headings, spreadsheets
from lms.core.errors import N_, DomainError

PIECE_BYTES = 1 << 20
LARGEST_FILE = 1 << 30  # bytes, for the command; the limit of the web is the setting `import_limit_bytes`
# A workbook is unpacked in memory: about 80 bytes a cell, 200 MB for a hundred thousand rows. Longer files must be CSV.
WORKBOOK_LIMITS = spreadsheets.Limits(file_megabytes=64, unpacked_bytes=1 << 30, rows=100_001, cells=4_000_000)
XLSX = "xlsx"
HEADING_ROWS = 15  # the headings are one of the first so many rows
PREVIEW_ROWS = 5  # the preview shows so many rows below the headings
FIRST_ROWS = HEADING_ROWS + PREVIEW_ROWS
CELL_LENGTH = spreadsheets.CELL_LENGTH

FileRow = tuple[int, list[str]]


@dataclass(frozen=True)
class StoredFile:
    """The size of a stored file in bytes, and its encoding (`xlsx` for a workbook)."""

    size: int
    encoding: str


class Extract(IntEnum):
    """The numbers of the pieces that hold what was read of a file."""

    FIRST_ROWS = -1
    OUTLINES = -2
    VALUES = -3
    CORRECTED = -4


class _EncodingTest:
    """An incremental test whether the bytes of a file can be text in an encoding."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.possible = True
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        if self.possible:
            try:
                self.possible = "\x00" not in self._decoder.decode(piece, final)
            except UnicodeDecodeError:
                self.possible = False


def store(  # noqa: C901  # one pass over the file, with all that may be wrong with it
    db: Session, run: ImportRun, file: IO[bytes], *, largest: int = LARGEST_FILE
) -> StoredFile:
    """Write a file to the database, piece by piece, encrypted. Raises DomainError for a file that cannot be read.

    The encoding is UTF-8 where all bytes allow it, else GB 18030; UTF-16 needs a byte order mark.
    """
    size, number, tests = 0, 0, [_EncodingTest("utf-8-sig"), _EncodingTest("gb18030")]
    workbook = False
    while piece := file.read(PIECE_BYTES):
        if not number:
            workbook = piece.startswith(b"PK\x03\x04")
            if piece.startswith(b"\xd0\xcf\x11\xe0"):
                raise spreadsheets.old()
            if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                tests = [_EncodingTest("utf-16")]
        size += len(piece)
        if size > largest:
            raise DomainError(
                "file_too_large",
                N_("The file is larger than %(most)s MB. Send fewer rows at a time."),
                field="file",
                most=largest >> 20,
            )
        for test in tests if not workbook else ():
            test.feed(piece)
        db.add(ImportPiece(run_id=run.id, number=number, content=_seal(run, number, piece)))
        db.flush()
        number += 1
    if not size:
        raise DomainError("file_empty", N_("The file contains no rows."), field="file")
    if workbook:
        return StoredFile(size, XLSX)
    for test in tests:
        test.feed(b"", final=True)
        if test.possible:
            return StoredFile(size, test.encoding)
    raise spreadsheets.broken()


def rows(db: Session, run: ImportRun, *, after: int = 0) -> Iterator[FileRow]:
    """Yield line number and cells of the rows after a line, without empty rows. Raises DomainError on the field `file`.

    A workbook is unpacked in memory, and checked for zip bombs and for sheets that are too long before it is parsed.
    Hidden rows and the cells of hidden columns are read only where the user chose so. Cells that were corrected on the
    page are read as corrected.
    """
    if run.encoding == XLSX:
        sent = spreadsheets.rows(
            content(db, run), WORKBOOK_LIMITS, sheet=run.sheet_name or "", hidden=run.hidden, after=after
        )
    else:
        sent = spreadsheets.stream_csv(_pieces(db, run), run.encoding, run.delimiter or delimiter(db, run), after=after)
    changes = corrected(db, run)
    return _with_changes(sent, changes) if changes else sent


def corrected(db: Session, run: ImportRun) -> dict[int, dict[int, str]]:
    """Return the cells that were corrected on the page: line → position of the column, counted from 0 → text."""
    found = kept(db, run, Extract.CORRECTED) or {}
    return {int(line): {int(at): text for at, text in cells.items()} for line, cells in found.items()}


def _with_changes(rows: Iterator[FileRow], changes: Mapping[int, Mapping[int, str]]) -> Iterator[FileRow]:
    for line, cells in rows:
        for at, text in changes.get(line, {}).items():
            cells.extend([""] * (at + 1 - len(cells)))
            cells[at] = text
        yield line, cells


def count_rows(db: Session, run: ImportRun) -> int:
    """Estimate the number of rows by the line feeds; 0 for a workbook, whose rows are not known before it is parsed."""
    if run.encoding == XLSX:
        return 0
    return sum(piece.count(b"\n") for piece in _pieces(db, run))


def read_first_rows(db: Session, run: ImportRun) -> list[FileRow]:
    """Read the first rows of the file, cleaned."""
    return [(line, [clean(cell) for cell in cells]) for line, cells in islice(rows(db, run), FIRST_ROWS)]


def keep(db: Session, run: ImportRun, number: Extract, extract: Any) -> None:
    """Store what was read of the file beside it, encrypted; `extract` is a JSON value."""
    sealed = _seal(run, number, json.dumps(extract, ensure_ascii=False).encode())
    statement = insert(ImportPiece).values(run_id=run.id, number=number, content=sealed)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[ImportPiece.run_id, ImportPiece.number], set_={"content": statement.excluded.content}
        )
    )


def kept(db: Session, run: ImportRun, number: Extract) -> Any:
    """Return what `keep` stored; None where nothing is stored, as after the file was erased."""
    sealed = db.scalar(select(ImportPiece.content).where(ImportPiece.run_id == run.id, ImportPiece.number == number))
    if sealed is None:
        return None
    return json.loads(crypto.cipher().open(PIECE_COLUMN, f"{run.ref}:{int(number)}", sealed))


def forget(db: Session, run: ImportRun, number: Extract) -> None:
    """Delete what `keep` stored."""
    db.execute(delete(ImportPiece).where(ImportPiece.run_id == run.id, ImportPiece.number == number))


def first_rows(db: Session, run: ImportRun) -> list[FileRow]:
    """Return the first rows of the sheet that was chosen; none once they are erased."""
    return [(line, cells) for line, cells in kept(db, run, Extract.FIRST_ROWS) or []]


def clean(cell: str) -> str:
    """Return a cell with single spaces, without Excel's apostrophe before text and invisible characters."""
    return spreadsheets.clean(cell)


def content(db: Session, run: ImportRun) -> bytes:
    """Return a whole file as it was sent. Only for workbooks, and kinds with a small limit."""
    return b"".join(_pieces(db, run))


def delimiter(db: Session, run: ImportRun, known: frozenset[str] = frozenset()) -> str:
    """Return the character that parts the columns of a CSV file: the one that the heading row uses.

    known: the headings that the row may have, as `lms.core.headings.normalised`; by default those that it has.
    """
    known = known or frozenset(map(headings.normalised, run.headings))
    head = next(_pieces(db, run), b"").decode(run.encoding, errors="ignore")
    return spreadsheets.delimiter_of(head, known)


def _seal(run: ImportRun, number: int, piece: bytes) -> bytes:
    return crypto.cipher().seal(PIECE_COLUMN, f"{run.ref}:{int(number)}", piece)


def _pieces(db: Session, run: ImportRun) -> Iterator[bytes]:
    last = db.scalar(select(func.max(ImportPiece.number)).where(ImportPiece.run_id == run.id))
    for number in range(0 if last is None else last + 1):
        sealed = db.scalar(
            select(ImportPiece.content).where(ImportPiece.run_id == run.id, ImportPiece.number == number)
        )
        yield crypto.cipher().open(PIECE_COLUMN, f"{run.ref}:{number}", sealed or b"")
