"""The rows of an import that are refused or remarked on: for its page, and as a file to correct and send again."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from courses.imports import files, kinds
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from lms.core import audit

ROWS_GROUPED = 5000  # the page groups so many rows; the file contains all

Reason = tuple[int, str, dict[str, Any]]


@dataclass
class RowGroup:
    """Rows with one reason (a msgid and its parameters), and the rows that wait until these are corrected."""

    message: str
    params: dict[str, Any]
    lines: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)


def refused_rows(db: Session, run: ImportRun, limit: int | None = None) -> Iterator[Reason]:
    """Yield line, msgid of the reason and its parameters for each refused or duplicate row, in the order of the file.

    With a limit, rows that are right and only wait for others come last, so that the first rows show the errors.
    """
    return _reasons(db, run, _is_refused(), limit, (_is_waiting(run),) if limit is not None else ())


def _is_refused() -> ColumnElement[bool]:
    return ImportLine.outcome.in_((RowOutcome.REFUSED, RowOutcome.DOUBLE))


def _is_waiting(run: ImportRun) -> ColumnElement[bool]:
    return func.coalesce(ImportLine.code.in_(kinds.kind_of(run.kind).waiting_codes), false())


def remarked_rows(
    db: Session, run: ImportRun, limit: int | None = None, *, to_correct: bool = False
) -> Iterator[Reason]:
    """Yield line, msgid of the remark and its parameters for each row that is imported with a remark, in the order of lines.

    to_correct: only remarks on a wrong cell, without which the row is imported.
    """
    kind = kinds.kind_of(run.kind)
    codes = list(kind.remarks_to_correct if to_correct else kind.remarks)
    if codes:
        yield from _reasons(db, run, (ImportLine.outcome == RowOutcome.NEW) & ImportLine.code.in_(codes), limit)


def _reasons(
    db: Session,
    run: ImportRun,
    condition: ColumnElement[bool],
    limit: int | None = None,
    first_by: Sequence[ColumnElement[bool]] = (),
) -> Iterator[Reason]:
    kind = kinds.kind_of(run.kind)
    reasons = {**kind.remarks, **kind.reasons}
    statement = (
        select(ImportLine.line, ImportLine.code, ImportLine.params)
        .where(ImportLine.run_id == run.id, condition)
        .order_by(*first_by, ImportLine.line)
        .limit(limit)
        .execution_options(yield_per=5000)
    )
    for line, code, params in db.execute(statement):
        parameters = dict(params or {})
        yield line, parameters.pop("message", None) or reasons.get(code or "", code or ""), parameters


def grouped(db: Session, run: ImportRun) -> list[RowGroup]:
    """Return the refused rows by their reasons, the reason of most rows first; rows that wait are with those they wait for.

    Of a file with more than `ROWS_GROUPED` refused rows only the first are grouped.
    """
    groups = _by_reason(_reasons(db, run, _is_refused() & ~_is_waiting(run), ROWS_GROUPED))
    of_line = {line: group for group in groups for line in group.lines}
    apart = []  # the row that these wait for is not among the grouped ones
    for line, message, params in _reasons(db, run, _is_refused() & _is_waiting(run), ROWS_GROUPED):
        group = of_line.get(params.get("line", 0))
        if group is None:
            apart.append((line, message, params))
        else:
            group.waiting.append(line)
    return sorted(groups, key=lambda group: (-len(group.lines), group.lines[0])) + _by_reason(apart)


def remarks(db: Session, run: ImportRun) -> list[RowGroup]:
    """Return the rows that are imported with a remark, by remark, such as a cell that is left out because it is wrong."""
    return _by_reason(remarked_rows(db, run, ROWS_GROUPED))


def _by_reason(reasons: Iterable[Reason]) -> list[RowGroup]:
    groups: dict[str, RowGroup] = {}
    for line, message, params in reasons:
        groups.setdefault(repr((message, sorted(params.items()))), RowGroup(message, params)).lines.append(line)
    return list(groups.values())


def ranges(lines: Iterable[int]) -> list[tuple[int, int]]:
    """Return lines in ascending order as ranges: 3, 5, 6, 7 are (3, 3) and (5, 7)."""
    found: list[tuple[int, int]] = []
    for line in lines:
        if found and line == found[-1][1] + 1:
            found[-1] = found[-1][0], line
        else:
            found.append((line, line))
    return found


def audit_download(db: Session, run: ImportRun) -> None:
    """Record in the audit trail that the refused rows, with the personal data in them, were downloaded."""
    audit.record(db, "import.correct", run, after={"kind": run.kind, "file": run.file_name})


def rows_to_correct(db: Session, run: ImportRun) -> Iterator[tuple[int, list[str], str, dict[str, Any]]]:
    """Yield line, cells as they were sent, msgid and parameters of each row to correct. Reads the file once more.

    These are the refused rows, and the rows that are imported without a wrong cell.
    """
    lines = files.rows(db, run, after=run.head_line)
    current: files.FileRow | None = None
    remarked = list(remarked_rows(db, run, to_correct=True))
    for line, message, params in heapq.merge(list(refused_rows(db, run)), remarked, key=itemgetter(0)):
        while current is None or current[0] < line:
            current = next(lines, None)
            if current is None:
                return
        yield line, [files.clean(cell) for cell in current[1]], message, params
