"""The staging tables of imports: written by COPY, read a chunk at a time."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.imports import ImportPerson, ImportRun, RowOutcome
from lms.core.errors import DomainError

_EMPTY = r"\N"


def copy_lines(db: Session, table: str, columns: Sequence[str], lines: Iterable[bytes]) -> None:
    """Write lines in the text format of COPY, within the transaction of the session."""
    raw: Any = db.connection().connection.driver_connection
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with raw.cursor().copy(query) as into:
        for line in lines:
            into.write(line)


LINE_COLUMNS = ("run_id", "line", "outcome", "code", "params", "facts", "key")


def refused_line(run_id: int, line: int, error: DomainError, key: object = None) -> bytes:
    """Return the line of `import_line` for a refused row.

    `key`: of the offering that the row names, if it could be read.
    """
    params = {"message": error.message, **{name: str(value) for name, value in error.params.items()}}
    return _line(run_id, line, RowOutcome.REFUSED, error.code, params, None, None if key is None else str(key))


def parsed_line(
    run_id: int,
    line: int,
    facts: Mapping[str, Any],
    key: str,
    remark: tuple[str | None, Mapping[str, str] | None] = (None, None),
) -> bytes:
    """Return the line of `import_line` for a row that was read; its outcome is `new` until `match` sets another.

    remark: a code of the kind's `remarks`, and the parameters of its msgid.
    """
    return _line(run_id, line, RowOutcome.NEW, *remark, facts, key)


def remark_line(run_id: int, line: int, code: str, params: Mapping[str, str]) -> bytes:
    """Return the line of `import_line` for a remark on a row of past trainings, which `match` joins with the row."""
    return _line(run_id, line, RowOutcome.NEW, code, params, None, None)


def _line(  # noqa: PLR0917  # the columns, in their order
    run_id: int,
    line: int,
    outcome: RowOutcome,
    code: str | None,
    params: Mapping[str, Any] | None,
    facts: Mapping[str, Any] | None,
    key: str | None,
) -> bytes:
    return copy_line([str(run_id), str(line), outcome.value, code, _json(params), _json(facts), key])


def copy_line(fields: Iterable[str | None]) -> bytes:
    """Return fields as one line in the text format of COPY; None is NULL."""
    return ("\t".join(_EMPTY if field is None else _escaped(field) for field in fields) + "\n").encode()


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\x00", "")


def last_person_line(db: Session, run: ImportRun, chunk: int) -> int | None:
    """Return the line of the last person of the chunk after the cursor; None when no person is left."""
    lines = (
        select(ImportPerson.line)
        .where(ImportPerson.run_id == run.id, ImportPerson.line > run.cursor)
        .order_by(ImportPerson.line)
        .limit(chunk)
        .subquery()
    )
    last: int | None = db.scalar(select(func.max(lines.c.line)))
    return last
