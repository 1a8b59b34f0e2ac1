"""Rows as the server holds them, for statements that bring megabytes of bytes: as text each byte would come as two digits."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session


def driver_statement(statement: Select[*tuple[Any, ...]]) -> tuple[str, dict[str, Any]]:
    """A statement and its values for the driver itself."""
    compiled = statement.compile(dialect=PGDialect_psycopg(), compile_kwargs={"render_postcompile": True})  # type: ignore[no-untyped-call]
    values = {name: str(value) if isinstance(value, str) else value for name, value in compiled.params.items()}
    return str(compiled), values


def rows(db: Session, statement: Select[*tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows of a SELECT in PostgreSQL's binary form, in the session's transaction and on its connection, one in memory.

    The connection serves nothing else until the last one was taken.
    """
    driver: Any = db.connection().connection.driver_connection
    with driver.cursor() as cursor:
        yield from cursor.stream(*driver_statement(statement), binary=True)
