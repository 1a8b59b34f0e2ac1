"""The values of a column of presence: how often each occurs in the file, and what it means or what the user says it means.

The values of each column are counted once, when the sheet is read, so that the page can show them for whichever column the
user chooses. A column with many different values, such as one of names, is not kept.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, zip_longest
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.imports import files, presence
from courses.imports.files import Extract, FileRow
from courses.models.imports import ImportLine, ImportRun, RowOutcome

ROWS_COUNTED = 50_000
_BATCH = 1000  # so many rows are counted by one call for each column
DISTINCT_MOST = 200
VALUES_SHOWN = 30
VALUE_LENGTH = 60
MEANINGS = (presence.ALL, presence.NONE)
# The codes of rows that the check refuses until the user says what their value means.
NOT_UNDERSTOOD = ("presence", "presence_empty")
_DIGEST_LENGTH = 16


@dataclass(frozen=True)
class Value:
    """A value of a column: the cell as it stands in the file, the number of its rows, and what the system takes it for.

    meaning: as `presence.meaning`; None where the value is not understood.
    """

    text: str
    number: int
    meaning: str | None

    @property
    def key(self) -> str:
        """The key of the value in `ImportRun.meanings`."""
        return presence.key(self.text)

    @property
    def digest(self) -> str:
        """A name for the value that may stand in a form."""
        return sha256(self.key.encode()).hexdigest()[:_DIGEST_LENGTH]


@dataclass(frozen=True)
class ColumnValues:
    """The counted values of a column. `rows` of the file were counted, and `whole` says that these are all rows.

    values: None where the column has more different values than are kept.
    """

    rows: int
    whole: bool
    values: list[Value] | None


def count(rows: Iterable[FileRow]) -> dict[str, Any]:
    """Count the values of each column, over at most `ROWS_COUNTED` rows; the result is a JSON value.

    columns: value → number of rows for each column, "" for empty cells; None for a column with many different values.
    """
    counters: list[Counter[str] | None] = []
    number = 0
    left = iter(rows)
    counted = islice(left, ROWS_COUNTED)
    while batch := [cells for _line, cells in islice(counted, _BATCH)]:
        number += len(batch)
        for at, column in enumerate(zip_longest(*batch, fillvalue="")):
            if at == len(counters):
                counters.append(Counter())
            counter = counters[at]
            if counter is not None:
                counter.update(column)
                del counter[""]
                if len(counter) > DISTINCT_MOST:
                    counters[at] = None
    whole = next(left, None) is None
    return {"rows": number, "whole": whole, "columns": [_shortened(counter, number) for counter in counters]}


def _shortened(counter: Counter[str] | None, rows: int) -> dict[str, int] | None:
    if counter is None:
        return None
    cleaned: Counter[str] = Counter()
    for cell, number in counter.items():
        text = files.clean(cell)
        cleaned[text if len(text) <= VALUE_LENGTH else text[:VALUE_LENGTH] + "…"] += number
    cleaned[""] = 0
    cleaned[""] = rows - cleaned.total()
    return dict(cleaned)


def of_column(db: Session, run: ImportRun, at: int) -> ColumnValues | None:
    """Return the values of a column, those that are not understood first, then by their number; None once erased."""
    counted = files.kept(db, run, Extract.VALUES)
    if counted is None:
        return None
    columns = counted["columns"]
    if at < len(columns) and columns[at] is None:
        return ColumnValues(counted["rows"], counted["whole"], None)
    counters = columns[at] if at < len(columns) else {"": counted["rows"]}
    texts: dict[str, str] = {presence.EMPTY: ""}
    numbers: Counter[str] = Counter()
    for text, number in counters.items():
        numbers[presence.key(text)] += number
        texts.setdefault(presence.key(text), text)
    numbers = +numbers
    is_open = presence.is_open(numbers, {})
    values = [
        Value(texts[key], number, None if is_open and key == presence.EMPTY else presence.meaning(texts[key]))
        for key, number in numbers.items()
    ]
    values.sort(key=lambda value: (value.meaning is not None, value.key != presence.EMPTY, -value.number))
    return ColumnValues(counted["rows"], counted["whole"], values)


def refused(db: Session, run: ImportRun) -> list[Value]:
    """Return the values for which the check refused rows because they are not understood, the most frequent first."""
    text = ImportLine.params["text"].astext
    rows = db.execute(
        select(text, func.count())
        .where(
            ImportLine.run_id == run.id,
            ImportLine.outcome == RowOutcome.REFUSED,
            ImportLine.code.in_(NOT_UNDERSTOOD),
        )
        .group_by(text)
        .order_by(func.count().desc(), text)
        .limit(VALUES_SHOWN)
    )
    return [Value(value or "", number, None) for value, number in rows]


def keep_refused(db: Session, run: ImportRun, at: int) -> None:
    """Add the values that the check refused to those that were counted, so that the user can still give them a meaning."""
    counted = files.kept(db, run, Extract.VALUES)
    if counted is None or at >= len(counted["columns"]) or counted["columns"][at] is None:
        return
    column = counted["columns"][at]
    for value in refused(db, run):
        column[value.text] = max(column.get(value.text, 0), value.number)
    files.keep(db, run, Extract.VALUES, counted)


def meanings(values: Iterable[Value], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the meanings that a user chose for values, by key. `chosen`: digest → meaning, "" for no choice."""
    return {value.key: chosen[value.digest] for value in values if chosen.get(value.digest) is not None}
