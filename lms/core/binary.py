"""Rows in PostgreSQL's binary format, for SELECTs of megabytes of bytea. In text format each byte takes two digits."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session


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
