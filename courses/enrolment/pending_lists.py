"""A list of people between its arrival and the enrolment of its people: what was read of it, and what was put right since.

It is stored encrypted with its import. The file itself is stored only while the person may still choose another sheet, or
the hidden rows.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from courses.enrolment import pasted_list, sheet
from courses.enrolment.sheet import Column, ListRow, Note
from courses.models.enrolment import IMPORT_COLUMN, EnrolmentImport
from lms.core import crypto, spreadsheets
from lms.core.errors import N_, DomainError, NotFound
from lms.core.headings import letter_of
from lms.core.spreadsheets import CELL_LENGTH, SheetOutline

COUNTED_SHEETS = 20
_WORKBOOK = b"PK"


class SheetChoice(NamedTuple):
    """A sheet of a workbook that holds something: its name, whether it is hidden or needs its hidden rows or columns, and
    the number of its people; None where it is no list of people, or one of too many sheets to count.
    """

    name: str
    hidden: bool
    people: int | None


@dataclass(frozen=True)
class PendingList:
    """A list as far as it is read.

    rows: the people, in order. left_out: rows that the person left out. sheet: the sheet that was read; sheets: all that hold
    something. hidden_rows, hidden_columns: what of the sheet is hidden; with_hidden: it was read too. must_choose: nothing is
    read before the person chose a sheet. revision: counts the changes, so that nobody enrols by an outdated page.
    """

    rows: list[ListRow] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    unkept: list[Column] = field(default_factory=list)
    left_out: list[ListRow] = field(default_factory=list)
    sheet: str = ""
    sheets: list[SheetChoice] = field(default_factory=list)
    hidden_rows: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: list[str] = field(default_factory=list)
    with_hidden: bool = False
    must_choose: bool = False
    pasted: bool = False
    revision: int = 0
    file: bytes = field(default=b"", repr=False)

    @property
    def unread_sheets(self) -> list[SheetChoice]:
        """The sheets that were not read, lists of people or not."""
        return [choice for choice in self.sheets if choice.name != self.sheet]


def of_text(text: str) -> PendingList:
    """Read a pasted list. Raises DomainError on the field `text`."""
    try:
        people = pasted_list.read(text)
    except DomainError as error:
        raise DomainError(error.code, error.message, status=422, field="text", **error.params) from error
    return PendingList(people.rows, people.notes, people.unkept, pasted=True)


def of_file(content: bytes) -> PendingList:
    """Read a file, if only one sheet of it can be meant. Raises DomainError on the field `file`."""
    if not content.startswith(_WORKBOOK):
        people = sheet.read_people(content)
        return PendingList(people.rows, people.notes, people.unkept)
    outlines = [outline for outline in spreadsheets.outlines(content, known=sheet.KNOWN) if _holds_something(outline)]
    visible = [outline.name for outline in outlines if not outline.hidden and sheet.may_be_meant(outline)]
    if len(visible) == 1:
        [name] = visible
        choices = [SheetChoice(outline.name, outline.hidden, None) for outline in outlines]
        return _with_sheet(PendingList(sheets=choices, file=content), outlines, name, hidden=False)
    choices = [_counted(content, outline, is_counted=at < COUNTED_SHEETS) for at, outline in enumerate(outlines)]
    if not visible and not any(choice.people for choice in choices):
        raise sheet.no_headings()
    return PendingList(sheets=choices, must_choose=True, file=content)


def with_sheet(pending_list: PendingList, name: str, *, hidden: bool) -> PendingList:
    """The list with the people of a sheet, in place of what was read before. hidden: hidden rows and columns too.

    Raises NotFound for a sheet that the file does not have, and DomainError on the field `file`.
    """
    if not pending_list.file or name not in {choice.name for choice in pending_list.sheets}:
        raise NotFound
    outlines = spreadsheets.outlines(pending_list.file, known=sheet.KNOWN)
    return _with_sheet(pending_list, outlines, name, hidden=hidden)


def with_row(pending_list: PendingList, line: int, cells: Mapping[str, str]) -> PendingList:
    """The list with a row put right. Raises NotFound."""
    texts = {fact: cells.get(fact, "").strip()[:CELL_LENGTH] for fact in sheet.HEADINGS}
    corrected = ListRow(line, {fact: text for fact, text in texts.items() if text})
    _find(pending_list.rows, line)
    rows = [corrected if row.line == line else row for row in pending_list.rows]
    return _changed(pending_list, rows=rows)


def without_row(pending_list: PendingList, line: int) -> PendingList:
    """The list in which a row is left out. Raises NotFound."""
    row = _find(pending_list.rows, line)
    rows = [other for other in pending_list.rows if other.line != line]
    return _changed(pending_list, rows=rows, left_out=_sorted([*pending_list.left_out, row]))


def with_row_again(pending_list: PendingList, line: int) -> PendingList:
    """The list with a row that was left out, or taken for a note, as a row about a person. Raises NotFound, and DomainError."""
    notes = [ListRow(note.line, note.cells) for note in pending_list.notes]
    row = _find([*pending_list.left_out, *notes], line)
    if len(pending_list.rows) >= sheet.MAX_PEOPLE:
        raise DomainError("too_many_rows", N_("A file may contain at most 1,000 people. Split the file."), status=422)
    return _changed(
        pending_list,
        rows=_sorted([*pending_list.rows, row]),
        left_out=[other for other in pending_list.left_out if other.line != line],
        notes=[note for note in pending_list.notes if note.line != line],
    )


def state_of(cells: Mapping[str, str]) -> str:
    """A short text that differs when the texts of a row differ."""
    return crypto.token_hash(json.dumps(sorted(cells.items()))).hex()[:16]


def seal(ref: str, pending_list: PendingList) -> bytes:
    """The encrypted form of a list, bound to the reference of its import."""
    stored = pending_list.__dict__ | {"file": base64.b64encode(pending_list.file).decode()}
    return crypto.cipher().encrypt(IMPORT_COLUMN, crypto.token_uuid(ref), json.dumps(stored, ensure_ascii=False))


def unseal(pending: EnrolmentImport) -> PendingList:
    """The list of a pending import."""
    if pending.content is None:
        raise AssertionError("the rows were wiped")
    stored: Any = json.loads(crypto.cipher().decrypt(IMPORT_COLUMN, crypto.token_uuid(pending.ref), pending.content))
    if isinstance(stored, list):  # stored by the version before; such a list lives a day
        return PendingList([ListRow(line, cells) for line, cells in stored])
    kinds = {"rows": ListRow, "left_out": ListRow, "notes": Note, "unkept": Column, "sheets": SheetChoice}
    for name, kind in kinds.items():
        stored[name] = [kind(*values) for values in stored[name]]
    stored["hidden_rows"] = [(first, last) for first, last in stored["hidden_rows"]]
    return PendingList(**stored | {"file": base64.b64decode(stored["file"])})


def _with_sheet(pending_list: PendingList, outlines: list[SheetOutline], name: str, *, hidden: bool) -> PendingList:
    outline = next(outline for outline in outlines if outline.name == name)
    choice = next(choice for choice in pending_list.sheets if choice.name == name)
    people = sheet.read_people(pending_list.file, sheet=name, hidden=hidden or choice.hidden)
    has_choice = len(pending_list.sheets) > 1 or outline.hidden_rows or outline.hidden_columns
    return _changed(
        pending_list,
        rows=people.rows,
        notes=people.notes,
        unkept=people.unkept,
        left_out=[],
        sheet=name,
        hidden_rows=outline.hidden_rows,
        hidden_columns=[letter_of(column) for column in outline.hidden_columns],
        with_hidden=hidden or choice.hidden,
        must_choose=False,
        file=pending_list.file if has_choice else b"",
    )


def _counted(content: bytes, outline: SheetOutline, *, is_counted: bool) -> SheetChoice:
    """A sheet with the number of its people, read with what is hidden only where there is no list without it."""
    hidden = outline.hidden or not sheet.may_be_meant(outline)
    if not is_counted or (hidden and not (outline.hidden or outline.hidden_columns or outline.hidden_rows)):
        return SheetChoice(outline.name, outline.hidden, None)
    try:
        people = sheet.read_people(content, sheet=outline.name, hidden=hidden)
    except DomainError:
        return SheetChoice(outline.name, outline.hidden, None)
    return SheetChoice(outline.name, hidden, len(people.rows))


def _holds_something(outline: SheetOutline) -> bool:
    return bool(outline.rows or outline.hidden_rows)


def _find(rows: list[ListRow], line: int) -> ListRow:
    row = next((row for row in rows if row.line == line), None)
    if row is None:
        raise NotFound
    return row


def _sorted(rows: list[ListRow]) -> list[ListRow]:
    return sorted(rows, key=lambda row: row.line)


def _changed(pending_list: PendingList, **changes: Any) -> PendingList:
    return replace(pending_list, revision=pending_list.revision + 1, **changes)
