"""Content of the pages of imports: the kinds available to a user, templates, rows and values of a file, rows to correct."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from courses.imports import columns, corrections, files, kinds, sheets
from courses.imports.corrections import RowGroup
from courses.imports.files import FileRow
from courses.imports.kinds import Column, ImportKind
from courses.imports.sheets import Outline
from courses.models.imports import ImportRun
from lms.core.errors import NotFound
from lms.core.exports import Sheet
from lms.core.scope import Scope

# Phones and ID numbers, in any column.
_LONG_NUMBER = re.compile(r"\d[\d -]{9,}[\dXx]")
_DIGITS_SHOWN = 3


def available_kinds(scope: Scope) -> list[ImportKind]:
    """Return the kinds that a user with this scope may import."""
    return [kind for kind in kinds.all_kinds() if scope.everything or not kind.city_only]


def available_kind(name: str, scope: Scope) -> ImportKind:
    """Return a kind that a user with this scope may import. Raises NotFound."""
    for kind in available_kinds(scope):
        if kind.name == name:
            return kind
    raise NotFound


def heading(column: Column, *, chinese: bool) -> str:
    """Return the heading of a column in the reader's language."""
    return column.zh if chinese else column.en[:1].upper() + column.en[1:]


def fill_params(kind: ImportKind, params: Mapping[str, Any], *, chinese: bool) -> dict[str, Any]:
    """Return the parameters of a refusal with the name of a field replaced by its heading in the reader's language."""
    titles = {column.name: heading(column, chinese=chinese) for column in kind.columns}
    return {name: titles.get(value, value) if name in {"column", "other"} else value for name, value in params.items()}


def template(kind: ImportKind, title: str, *, chinese: bool) -> Sheet:
    """Return the template of a kind: the headings, and one example row that the user overwrites."""
    return Sheet(
        title=title,
        headings=[heading(column, chinese=chinese) for column in kind.columns],
        rows=[[column.example for column in kind.columns]],
    )


def first_rows(db: Session, run: ImportRun) -> list[FileRow]:
    """Return the first rows below the headings, with the middle of phones and ID numbers masked."""
    below = (row for row in files.first_rows(db, run) if row[0] > run.head_line)
    return _masked_rows(islice(below, files.PREVIEW_ROWS))


def outlines(db: Session, run: ImportRun) -> list[Outline]:
    """Return the sheets of the file with their first rows, with the middle of phones and ID numbers masked."""
    return [replace(outline, rows=_masked_rows(outline.rows)) for outline in sheets.outlines(db, run)]


def _masked_rows(rows: Iterable[FileRow]) -> list[FileRow]:
    return [(line, [masked(cell) for cell in cells]) for line, cells in rows]


def masked(cell: str) -> str:
    """Return a cell with the middle of phones and ID numbers masked."""
    return _LONG_NUMBER.sub(lambda number: f"{number[0][:_DIGITS_SHOWN]}****{number[0][-_DIGITS_SHOWN:]}", cell)


def columns_without_field(db: Session, run: ImportRun) -> list[tuple[str, str]]:
    """Return letter and heading of the columns that no field has; the heading is empty where the file has none."""
    without = columns.without_field(run, files.first_rows(db, run))
    return [(sheets.column_letters(at), masked(text)) for at, text in without]


def correction_sheet(
    db: Session,
    run: ImportRun,
    title: str,
    extra: Sequence[str],
    in_words: Callable[[str, Mapping[str, Any]], str],
    *,
    of_group: RowGroup | None = None,
) -> Sheet:
    """Return the refused rows as they were sent, each with its line and reason appended.

    extra: the headings of these two columns. in_words: turns a msgid and its parameters into the reader's language. of_group:
    only the rows with this reason.
    """
    width = len(run.headings)
    rows = (
        [*cells[:width], *[""] * (width - len(cells)), str(line), in_words(message, params)]
        for line, cells, message, params in corrections.rows_to_correct(db, run, of_group)
    )
    return Sheet(title=title, headings=[*run.headings, *extra], rows=rows)
