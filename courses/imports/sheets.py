"""The sheet of a workbook that an import reads, and what of the file is not read.

Where one sheet alone could be meant it is taken; where several could be, the user chooses. Hidden sheets are read only
when they are chosen, hidden rows and columns only when the user says so.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from courses.imports import files
from courses.imports.files import Extract, FileRow
from courses.models.imports import ImportRun
from lms.core import spreadsheets
from lms.core.errors import N_, DomainError

ROWS_SHOWN = 6  # of each sheet
OUTLINES_WITH_ROWS = 40  # further sheets are listed by their names alone
LETTERS = 26


@dataclass(frozen=True)
class Outline:
    """A sheet of the file as it is shown: its first rows, and what of it is hidden.

    hidden_rows: pairs of the first and the last line. hidden_columns: letters, as a spreadsheet names them.
    """

    name: str
    hidden: bool
    hidden_rows: list[tuple[int, int]]
    hidden_columns: list[str]
    rows: list[FileRow]


@dataclass(frozen=True)
class Skipped:
    """The parts of a file that an import does not read: other sheets, hidden sheets, hidden rows and hidden columns."""

    sheets: list[str]
    hidden_sheets: list[str]
    rows: list[tuple[int, int]]
    columns: list[str]

    def __bool__(self) -> bool:
        return bool(self.sheets or self.hidden_sheets or self.rows or self.columns)


def column_letters(position: int) -> str:
    """Return the name of a column in a spreadsheet, from its position counted from 0: 0 is A, 26 is AA."""
    letters = ""
    number = position + 1
    while number:
        number, letter = divmod(number - 1, LETTERS)
        letters = chr(ord("A") + letter) + letters
    return letters


def receive(
    db: Session, run: ImportRun, known: frozenset[str], *, sheet: str | None = None, hidden: bool = False
) -> None:
    """Store the outlines of a file, and take the sheet that is named or that alone could be meant.

    known: the headings that the kind knows. Raises DomainError on the field `file`, or `sheet` where none has the name.
    """
    if run.encoding != files.XLSX:
        if sheet is not None:
            raise _unknown(sheet)
        run.sheet_name = ""
        run.delimiter = files.delimiter(db, run, known)
        return
    outlines = spreadsheets.outlines(files.content(db, run), files.WORKBOOK_LIMITS, known)
    filled = [outline for outline in outlines if outline.rows]
    if not filled:
        raise DomainError("file_empty", N_("The file contains no rows."), field="file")
    files.keep(db, run, Extract.OUTLINES, [_stored(outline, at) for at, outline in enumerate(filled)])
    run.hidden = hidden
    if sheet is not None:
        choose(db, run, sheet, hidden=hidden)
        return
    possible = list(spreadsheets.candidates(filled, known)) or [outline for outline in filled if not outline.hidden]
    run.sheet_name = possible[0].name if len(possible) == 1 else None


def _stored(outline: spreadsheets.SheetOutline, at: int) -> dict[str, Any]:
    columns = [column_letters(position) for position in outline.hidden_columns]
    rows = list(outline.rows)[:ROWS_SHOWN] if at < OUTLINES_WITH_ROWS else []
    return asdict(Outline(outline.name, outline.hidden, list(outline.hidden_rows), columns, rows))


def outlines(db: Session, run: ImportRun) -> list[Outline]:
    """Return the sheets of the file that hold something; none for CSV, and none after the file was erased."""
    return [
        Outline(
            stored["name"],
            stored["hidden"],
            [(first, last) for first, last in stored["hidden_rows"]],
            stored["hidden_columns"],
            [(line, cells) for line, cells in stored["rows"]],
        )
        for stored in files.kept(db, run, Extract.OUTLINES) or []
    ]


def choose(db: Session, run: ImportRun, name: str, *, hidden: bool) -> None:
    """Set the sheet that is read; a hidden sheet is read with its hidden rows and columns.

    Raises DomainError on the field `sheet` where the file has no such sheet.
    """
    chosen = next((outline for outline in outlines(db, run) if outline.name == name), None)
    if chosen is None:
        raise _unknown(name)
    run.sheet_name, run.hidden = name, hidden or chosen.hidden


def named(run: ImportRun) -> dict[str, Any]:
    """Return for the audit trail which sheet of a workbook is read; nothing for CSV, and before it is chosen."""
    return {"sheet": run.sheet_name, "hidden": run.hidden} if run.sheet_name else {}


def _unknown(name: str) -> DomainError:
    message = N_("The file has no sheet “%(name)s” with rows in it.")
    return DomainError("sheet_unknown", message, field="sheet", name=name)


def skipped(run: ImportRun, sheets: Iterable[Outline]) -> Skipped:
    """Return what is not read of a file with these sheets; nothing before the sheet is chosen."""
    if run.sheet_name is None:
        return Skipped([], [], [], [])
    sheets = list(sheets)
    others = [outline for outline in sheets if outline.name != run.sheet_name]
    own = [outline for outline in sheets if outline.name == run.sheet_name and not run.hidden]
    return Skipped(
        [outline.name for outline in others if not outline.hidden],
        [outline.name for outline in others if outline.hidden],
        [lines for outline in own for lines in outline.hidden_rows],
        [letters for outline in own for letters in outline.hidden_columns],
    )
