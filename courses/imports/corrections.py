"""The rows of an import that are refused or remarked on: for its page, and as a file to correct and send again."""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, false, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import Session, aliased

from courses.imports import files, kinds, runs
from courses.models.imports import ImportLine, ImportRun, ImportState, RowOutcome
from lms.core import audit
from lms.core.errors import N_, DomainError, NotFound

LINES_LISTED = 200  # lines that a reason names; its number counts all
CELLS_CORRECTED = 5000  # cells of one file that can be corrected on the page
_DIGEST_LENGTH = 16

Reason = tuple[int, str, dict[str, Any]]


@dataclass
class RowGroup:
    """Rows with one reason (a code, a msgid and its parameters), and the rows that wait until these are corrected.

    number, waiting_number: how many rows these are. lines, waiting: the first `LINES_LISTED` of their lines.
    """

    code: str
    message: str
    params: dict[str, Any]
    number: int
    lines: list[int]
    waiting_number: int = 0
    waiting: list[int] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """A name for the reason that may stand in an address."""
        reason = json.dumps([self.code, self.message, self.params], sort_keys=True, ensure_ascii=False)
        return sha256(reason.encode()).hexdigest()[:_DIGEST_LENGTH]


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
    """Return the refused rows by their reasons, the reason of most rows first; rows that wait are with those they wait for."""
    wrong = _is_refused() & ~_is_waiting(run)
    groups = _groups(db, run, ImportLine, wrong)
    of_reason = {_reason_key(group.code, group.params): group for group in groups}
    root = aliased(ImportLine)
    is_root = root.outcome.in_((RowOutcome.REFUSED, RowOutcome.DOUBLE)) & func.coalesce(
        root.code.not_in(kinds.kind_of(run.kind).waiting_codes), true()
    )
    waits_for = (root.run_id == ImportLine.run_id) & (root.line == ImportLine.params["line"].astext.cast(Integer))
    waiting = _is_refused() & _is_waiting(run)
    for code, params, number, lines in _counted(db, run, root, waiting, joined=and_(waits_for, is_root)):
        group = of_reason[_reason_key(code or "", dict(params or {}))]
        group.waiting_number, group.waiting = number, lines
    # The row that these wait for is no wrong one itself.
    apart = _groups(db, run, ImportLine, waiting & ~select(root.line).where(waits_for, is_root).exists())
    return sorted(groups, key=lambda group: (-group.number, group.lines[0])) + apart


def group(db: Session, run: ImportRun, digest: str) -> RowGroup:
    """Return the refused rows with one reason. Raises NotFound."""
    for each in grouped(db, run):
        if each.digest == digest:
            return each
    raise NotFound


def remarks(db: Session, run: ImportRun) -> list[RowGroup]:
    """Return the rows that are imported with a remark, by remark, such as a cell that is left out because it is wrong."""
    codes = list(kinds.kind_of(run.kind).remarks)
    condition = (ImportLine.outcome == RowOutcome.NEW) & ImportLine.code.in_(codes)
    return sorted(_groups(db, run, ImportLine, condition), key=lambda each: each.lines[0]) if codes else []


def _groups(db: Session, run: ImportRun, reason: type[ImportLine], condition: ColumnElement[bool]) -> list[RowGroup]:
    texts = {**kinds.kind_of(run.kind).remarks, **kinds.kind_of(run.kind).reasons}
    groups = []
    for code, params, number, lines in _counted(db, run, reason, condition):
        parameters = dict(params or {})
        message = parameters.pop("message", None) or texts.get(code or "", code or "")
        groups.append(RowGroup(code or "", message, parameters, number, lines))
    return groups


def _reason_key(code: str, params: dict[str, Any]) -> str:
    return repr((code, sorted((name, value) for name, value in params.items() if name != "message")))


def _counted(
    db: Session,
    run: ImportRun,
    reason: type[ImportLine],
    condition: ColumnElement[bool],
    joined: ColumnElement[bool] | None = None,
) -> Iterator[Any]:
    """Return code and parameters of a reason, the number of rows with it, and the first of their lines.

    reason: whose reason counts; with `joined` that of another row, to which the condition joins.
    """
    lines = func.array_agg(aggregate_order_by(ImportLine.line, ImportLine.line), type_=ARRAY(Integer))
    statement = select(reason.code, reason.params, func.count(), lines[1:LINES_LISTED])
    if joined is not None:
        statement = statement.select_from(ImportLine).join(reason, joined)
    statement = statement.where(ImportLine.run_id == run.id, condition).group_by(reason.code, reason.params)
    return iter(db.execute(statement.order_by(func.min(ImportLine.line))))


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


def rows_to_correct(
    db: Session, run: ImportRun, of_group: RowGroup | None = None
) -> Iterator[tuple[int, list[str], str, dict[str, Any]]]:
    """Yield line, cells as they stand in the file, msgid and parameters of each row to correct. Reads the file once more.

    These are the refused rows, and the rows that are imported without a wrong cell. Cells that were corrected on the page
    are read as corrected. of_group: only the rows with this reason.
    """
    lines = files.rows(db, run, after=run.head_line)
    current: files.FileRow | None = None
    if of_group is None:
        remarked = list(remarked_rows(db, run, to_correct=True))
        reasons: Iterator[Reason] = heapq.merge(list(refused_rows(db, run)), remarked, key=itemgetter(0))
    else:
        reasons = (
            (line, message, params)
            for line, message, params in list(refused_rows(db, run))
            if (message, params) == (of_group.message, of_group.params)
        )
    for line, message, params in reasons:
        while current is None or current[0] < line:
            current = next(lines, None)
            if current is None:
                return
        yield line, [files.clean(cell) for cell in current[1]], message, params


def correct(db: Session, run: ImportRun, cells: Mapping[int, Mapping[int, str]]) -> int:
    """Keep corrected cells beside the file: line → position of the column, counted from 0 → text. Returns their number.

    The next check reads them instead of the file's. Raises DomainError once the import has begun or its file is erased, and
    where a file is to be corrected in more than `CELLS_CORRECTED` cells.
    """
    runs.require_state(db, run, ImportState.CHECKED, ImportState.STOPPED, ImportState.FAILED)
    corrected = files.corrected(db, run)
    number = 0
    for line, texts in cells.items():
        for at, text in texts.items():
            if line <= run.head_line or not 0 <= at < len(run.headings) or len(text) > files.CELL_LENGTH:
                raise NotFound
            corrected.setdefault(line, {})[at] = files.clean(text)
            number += 1
    if sum(map(len, corrected.values())) > CELLS_CORRECTED:
        raise DomainError(
            "too_many_corrections",
            N_("Up to %(most)s cells can be corrected here. Download the rows, correct them and send them as a file."),
            most=CELLS_CORRECTED,
        )
    if number:
        files.keep(db, run, files.Extract.CORRECTED, corrected)
        audit.record(db, "import.correct_cells", run, after={"cells": number})
    return number
