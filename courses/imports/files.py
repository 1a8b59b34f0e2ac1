"""The file of an import: kept in the database in sealed pieces, and read again as often as needed in little memory."""

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.imports import ImportPiece, ImportRun
from lms.core import crypto, spreadsheets
from lms.core.errors import N_, DomainError

PIECE = 1 << 20
LARGEST = 1 << 30  # a file that a command takes; what the web takes is a setting
# An XLSX is unpacked whole to be read: about 80 bytes a cell, 200 MB for a hundred thousand rows. More goes as CSV.
SHEET = spreadsheets.Limits(file_megabytes=64, unpacked_bytes=1 << 30, rows=100_001)
XLSX = "xlsx"
HEAD_WITHIN = 15  # rows among which the headings are sought
SHOWN = 5  # rows below them that a preview shows
TOP = HEAD_WITHIN + SHOWN
_TOP_PIECE = -1
CELL_LENGTH = spreadsheets.CELL_LENGTH
_COLUMN = "import_piece.content"

Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Found:
    """What a file is: its size, and its encoding (`xlsx` for a workbook)."""

    size: int
    encoding: str


class _Guess:
    """Whether bytes can be an encoding, found without keeping them."""

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


def keep(  # noqa: C901  # one pass over the file, with all that may be wrong with it
    db: Session, run: ImportRun, file: IO[bytes], *, largest: int = LARGEST
) -> Found:
    """Write a file to the database piece by piece, sealed; what it is. Raises DomainError for what no import can read."""
    size, number, guesses = 0, 0, [_Guess("utf-8-sig"), _Guess("gb18030")]
    workbook = False
    while piece := file.read(PIECE):
        if not number:
            workbook = piece.startswith(b"PK\x03\x04")
            if piece.startswith(b"\xd0\xcf\x11\xe0"):
                spreadsheets.read(piece)  # refuses it in words
            if piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                guesses = [_Guess("utf-16")]
        size += len(piece)
        if size > largest:
            raise DomainError(
                "file_too_large",
                N_("The file is larger than %(most)s MB. Send fewer rows at a time."),
                field="file",
                most=largest >> 20,
            )
        for guess in guesses if not workbook else ():
            guess.feed(piece)
        db.add(ImportPiece(run_id=run.id, number=number, content=_seal(run, number, piece)))
        db.flush()
        number += 1
    if not size:
        raise DomainError("file_empty", N_("The file holds no rows."), field="file")
    if workbook:
        return Found(size, XLSX)
    for guess in guesses:
        guess.feed(b"", final=True)
        if guess.possible:
            return Found(size, guess.encoding)
    raise spreadsheets.broken()


def rows(db: Session, run: ImportRun, *, after: int = 0) -> Iterator[Row]:
    """Line numbers and cells of the rows that hold anything, of those after a line. Raises DomainError on the field `file`.

    A workbook is unpacked whole, and looked through for bombs and sheets too long before it is parsed.
    """
    if run.encoding == XLSX:
        for line, cells in spreadsheets.rows(b"".join(_pieces(db, run)), SHEET):
            if line > after:
                yield line, cells
        return
    text = io.TextIOWrapper(io.BufferedReader(_Stream(db, run), PIECE), encoding=run.encoding, newline="")
    reader = csv.reader(text, delimiter=_delimiter(db, run))
    try:
        for cells in reader:
            if reader.line_num <= after:
                continue
            if len(cells) > spreadsheets.COLUMNS:
                raise DomainError(
                    "file_too_wide",
                    N_("The file has more than %(most)s columns."),
                    field="file",
                    most=spreadsheets.COLUMNS,
                )
            if any(cells):
                yield reader.line_num, cells
    except (csv.Error, UnicodeDecodeError) as error:
        raise spreadsheets.broken() from error


def count(db: Session, run: ImportRun) -> int:
    """About how many rows a file holds: its lines, or its bytes for a workbook."""
    if run.encoding == XLSX:
        return 0
    return sum(piece.count(b"\n") for piece in _pieces(db, run))


def keep_top(db: Session, run: ImportRun) -> list[Row]:
    """The first rows, cleaned, and kept beside the file: whoever looks at them need not unpack a whole workbook for that."""
    found = [(line, [clean(cell) for cell in cells]) for line, cells in islice(rows(db, run), TOP)]
    content = json.dumps(found, ensure_ascii=False).encode()
    db.add(ImportPiece(run_id=run.id, number=_TOP_PIECE, content=_seal(run, _TOP_PIECE, content)))
    return found


def top(db: Session, run: ImportRun) -> list[Row]:
    """The first rows as they were kept."""
    sealed = db.scalar(
        select(ImportPiece.content).where(ImportPiece.run_id == run.id, ImportPiece.number == _TOP_PIECE)
    )
    if sealed is None:
        return []
    kept = json.loads(crypto.cipher().open(_COLUMN, f"{run.ref}:{_TOP_PIECE}", sealed))
    return [(line, cells) for line, cells in kept]


def clean(cell: str) -> str:
    """A cell as it is meant: one space where there were several, no apostrophe of Excel's before it, nothing invisible."""
    if cell.isprintable() and "  " not in cell:
        return cell.strip().lstrip("'’`").strip()[:CELL_LENGTH]
    return spreadsheets.clean(cell)


def whole(db: Session, run: ImportRun) -> bytes:
    """A small file as it was sent, to be attached to what it became."""
    return b"".join(_pieces(db, run))


def _delimiter(db: Session, run: ImportRun) -> str:
    first = next(_pieces(db, run), b"")
    text = first.decode(run.encoding, errors="ignore")
    head: Sequence[str] = [line for line in text.splitlines()[:HEAD_WITHIN] if line.strip()]
    return max(",\t;，", key=lambda mark: max((line.count(mark) for line in head), default=0))


def _seal(run: ImportRun, number: int, piece: bytes) -> bytes:
    return crypto.cipher().seal(_COLUMN, f"{run.ref}:{number}", piece)


def _pieces(db: Session, run: ImportRun) -> Iterator[bytes]:
    last = db.scalar(select(func.max(ImportPiece.number)).where(ImportPiece.run_id == run.id))
    for number in range(0 if last is None else last + 1):
        sealed = db.scalar(
            select(ImportPiece.content).where(ImportPiece.run_id == run.id, ImportPiece.number == number)
        )
        yield crypto.cipher().open(_COLUMN, f"{run.ref}:{number}", sealed or b"")


class _Stream(io.RawIOBase):
    """The pieces one after the other, as a file; one of them in memory."""

    def __init__(self, db: Session, run: ImportRun) -> None:
        self._left = _pieces(db, run)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer; 0 at the end."""
        while not self._piece:
            piece = next(self._left, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size
