"""The staging tables: written by COPY, read a chunk at a time, and the rows that were refused with their reasons."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.imports import ImportPerson, ImportRun, RowOutcome
from lms.core.errors import DomainError

_EMPTY = r"\N"


def copy(db: Session, table: str, columns: Sequence[str], lines: Iterable[bytes]) -> None:
    """Write lines of COPY's text, in this session's transaction."""
    raw: Any = db.connection().connection.driver_connection
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with raw.cursor().copy(query) as into:
        for line in lines:
            into.write(line)


LINE = ("run_id", "line", "outcome", "code", "params", "facts", "key")


def refused_line(run_id: int, line: int, error: DomainError, key: object = None) -> bytes:
    """A refused row as a line for `import_line`. key: what it is about, as far as it could be read."""
    params = {"message": error.message, **{name: str(value) for name, value in error.params.items()}}
    return _line(run_id, line, RowOutcome.REFUSED, error.code, params, None, None if key is None else str(key))


def fact_line(run_id: int, line: int, facts: Mapping[str, Any], key: str) -> bytes:
    """A row that was read, as a line for `import_line`; what becomes of it is said later."""
    return _line(run_id, line, RowOutcome.NEW, None, None, facts, key)


def _line(  # noqa: PLR0917  # the columns, in their order
    run_id: int,
    line: int,
    outcome: RowOutcome,
    code: str | None,
    params: Mapping[str, Any] | None,
    facts: Mapping[str, Any] | None,
    key: str | None,
) -> bytes:
    return fields_line([str(run_id), str(line), outcome.value, code, _json(params), _json(facts), key])


def fields_line(fields: Iterable[str | None]) -> bytes:
    """Fields as a line of COPY's text."""
    return ("\t".join(_EMPTY if field is None else _escaped(field) for field in fields) + "\n").encode()


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\x00", "")


def last_person(db: Session, run: ImportRun, chunk: int) -> int | None:
    """The line of the last person of the chunk after the import's cursor; None when there is nobody left."""
    lines = (
        select(ImportPerson.line)
        .where(ImportPerson.run_id == run.id, ImportPerson.line > run.cursor)
        .order_by(ImportPerson.line)
        .limit(chunk)
        .subquery()
    )
    last: int | None = db.scalar(select(func.max(lines.c.line)))
    return last
