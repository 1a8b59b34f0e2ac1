"""The rows of an import that do not go in, with their reasons: for its page, and as a file to mend and send again."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from courses.imports import files, kinds
from courses.models.imports import ImportLine, ImportRun, RowOutcome
from lms.core import audit


def refused(db: Session, run: ImportRun, limit: int | None = None) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The rows that do not go in: line, msgid of the reason and what fills it; in the order of the file.

    Of a limited number, those come last that are right and only wait for others.
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
        waits = func.coalesce(ImportLine.code.in_(kind.consequences), false())
        statement = statement.order_by(None).order_by(waits, ImportLine.line).limit(limit)
    for line, code, params in db.execute(statement):
        given = dict(params or {})
        yield line, given.pop("message", None) or reasons.get(code or "", code or ""), given


def note_correction(db: Session, run: ImportRun) -> None:
    """Leave word that the rows to correct, with all that is personal in them, were taken out."""
    audit.record(db, "import.correct", run, after={"kind": run.kind, "file": run.file_name})


def to_correct(db: Session, run: ImportRun) -> Iterator[tuple[int, list[str], str, dict[str, Any]]]:
    """The rows that do not go in as they were sent, with the reasons: the file is read once more beside their list."""
    lines = files.rows(db, run, after=run.head_line)
    current: files.Row | None = None
    for line, message, params in list(refused(db, run)):
        while current is None or current[0] < line:
            current = next(lines, None)
            if current is None:
                return
        yield line, [files.clean(cell) for cell in current[1]], message, params
