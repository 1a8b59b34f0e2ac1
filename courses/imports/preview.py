"""What the pages of imports show: the kinds that are open to somebody, their templates, first rows, and rows to correct."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from courses.imports import corrections, files, kinds
from courses.imports.files import Row
from courses.imports.kinds import Column, Kind
from courses.models.imports import ImportRun
from lms.core.errors import NotFound
from lms.core.exports import Sheet
from lms.core.scope import Scope

# Phones and ID numbers, in whatever column they stand.
_LONG_NUMBER = re.compile(r"\d[\d -]{9,}[\dXx]")
_SHOWN = 3


def offered(scope: Scope) -> list[Kind]:
    """The kinds that are open to somebody."""
    return [kind for kind in kinds.everyone() if scope.everything or not kind.city_only]


def offered_kind(name: str, scope: Scope) -> Kind:
    """One of them. Raises NotFound."""
    for kind in offered(scope):
        if kind.name == name:
            return kind
    raise NotFound


def heading(column: Column, *, chinese: bool) -> str:
    """What a field is called."""
    return column.zh if chinese else column.en[:1].upper() + column.en[1:]


def filled(kind: Kind, params: Mapping[str, Any], *, chinese: bool) -> dict[str, Any]:
    """What fills a reason, the field that it names called as the reader calls it."""
    titles = {column.name: heading(column, chinese=chinese) for column in kind.columns}
    return {name: titles.get(value, value) if name == "column" else value for name, value in params.items()}


def template(kind: Kind, title: str, *, chinese: bool) -> Sheet:
    """The headings, with one row as an example; that row is to be written over."""
    return Sheet(
        title=title,
        headings=[heading(column, chinese=chinese) for column in kind.columns],
        rows=[[column.example for column in kind.columns]],
    )


def first_rows(db: Session, run: ImportRun) -> list[Row]:
    """The first rows below the headings, the middle of long numbers hidden."""
    found = (row for row in files.top(db, run) if row[0] > run.head_line)
    return [(line, [_masked(cell) for cell in cells]) for line, cells in islice(found, files.SHOWN)]


def _masked(cell: str) -> str:
    return _LONG_NUMBER.sub(lambda number: f"{number[0][:_SHOWN]}****{number[0][-_SHOWN:]}", cell)


def correction(
    db: Session, run: ImportRun, title: str, extra: Sequence[str], in_words: Callable[[str, Mapping[str, Any]], str]
) -> Sheet:
    """The rows that do not go in, as they were sent, with the reason behind them. extra: headings of line and reason."""
    width = len(run.headings)
    rows = (
        [*cells[:width], *[""] * (width - len(cells)), str(line), in_words(message, params)]
        for line, cells, message, params in corrections.to_correct(db, run)
    )
    return Sheet(title=title, headings=[*run.headings, *extra], rows=rows)
