"""The rows of an import that are refused, with their reasons: for its page, and as a file to correct and send again."""

import heapq
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from courses.imports import files, kinds
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from lms.core import audit


def refused_rows(db: Session, run: ImportRun, limit: int | None = None) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield line, msgid of the reason and its parameters for each refused or duplicate row, in the order of the file.

    With a limit, rows that are right and only wait for others come last, so that the page shows the errors.
    """
    kind = kinds.kind_of(run.kind)
    reasons = kind.reasons
    statement = (
        select(ImportLine.line, ImportLine.code, ImportLine.params)
        .where(ImportLine.run_id == run.id, ImportLine.outcome.in_((RowOutcome.REFUSED, RowOutcome.DOUBLE)))
        .order_by(ImportLine.line)
        .execution_options(yield_per=5000)
    )
    if limit is not None:
        is_waiting = func.coalesce(ImportLine.code.in_(kind.waiting_codes), false())
        statement = statement.order_by(None).order_by(is_waiting, ImportLine.line).limit(limit)
    for line, code, params in db.execute(statement):
        parameters = dict(params or {})
        yield line, parameters.pop("message", None) or reasons.get(code or "", code or ""), parameters


def remarked_rows(
    db: Session, run: ImportRun, limit: int | None = None, *, to_correct: bool = False
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield line, msgid of the remark and its parameters for each row that is imported with a remark, in the order of lines.

    to_correct: only remarks on a wrong cell, without which the row is imported.
    """
    kind = kinds.kind_of(run.kind)
    codes = kind.remarks_to_correct if to_correct else kind.remarks
    if not codes:
        return
    statement = (
        select(ImportLine.line, ImportLine.code, ImportLine.params)
        .where(ImportLine.run_id == run.id, ImportLine.outcome == RowOutcome.NEW, ImportLine.code.in_(list(codes)))
        .order_by(ImportLine.line)
        .limit(limit)
    )
    for line, code, params in db.execute(statement):
        yield line, kind.remarks[code or ""], dict(params or {})


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
