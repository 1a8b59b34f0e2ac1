"""Rows in PostgreSQL's binary format: megabytes of bytea, and numbers that become numpy's arrays without an object each."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER, _TRAILER = 19, 2  # bytes before the first row of a COPY and after the last one


def driver_statement(statement: Select[*tuple[Any, ...]]) -> tuple[str, dict[str, Any]]:
    """The SQL of a statement and its parameters, as psycopg takes them."""
    compiled = statement.compile(dialect=PGDialect_psycopg(), compile_kwargs={"render_postcompile": True})  # type: ignore[no-untyped-call]
    values = {name: str(value) if isinstance(value, str) else value for name, value in compiled.params.items()}
    return str(compiled), values


def rows(db: Session, statement: Select[*tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows of a SELECT, one at a time in memory, in the session's transaction.

    The session's connection cannot execute anything else until the last row was read.
    """
    driver: Any = db.connection().connection.driver_connection
    with driver.cursor() as cursor:
        yield from cursor.stream(*driver_statement(statement), binary=True)


def columns(
    connection: Any, query: str, kinds: Mapping[str, str], parameters: Mapping[str, Any] | None = None
) -> "dict[str, NDArray[Any]]":
    """Read a SELECT of numbers by COPY: an array for each column.

    connection: psycopg's. kinds: the columns in their order, with numpy's type of each, for example {"id": "i8"}. No
    column may be NULL, and each must have the length of its type: a `date` is "i4", the days since 2000-01-01; a
    `timestamptz` is "i8", the microseconds since then; a `boolean` is "u1". Raises ValueError for any other answer.
    """
    import numpy as np  # noqa: PLC0415  # 30 MB, loaded only by a process that needs arrays

    each = [part for name, kind in kinds.items() for part in ((f"length of {name}", ">i4"), (name, f">{kind}"))]
    layout = np.dtype([("columns", ">i2"), *each])
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT binary)", parameters) as copy:
        answer = b"".join(copy)
    size = len(answer) - _HEADER - _TRAILER
    if size % layout.itemsize:
        raise ValueError("the columns of the query have other types than those named")
    rows = np.frombuffer(answer, layout, size // layout.itemsize, _HEADER)
    for name, kind in kinds.items():
        if (rows[f"length of {name}"] != np.dtype(kind).itemsize).any():
            raise ValueError(f"the column {name} has another type or holds NULL")
    return {name: rows[name].astype(kind) for name, kind in kinds.items()}
