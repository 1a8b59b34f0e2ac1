"""A snapshot of the database that pg_dump and our own counting share, so that the counts are those of the dump."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from lms.backup import BackupError
from lms.backup.manifest import Snapshot
from lms.embedded.schema import plain

# Ordinary tables outside PostgreSQL's own schemas, each part of a divided table for itself.
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY n.nspname, c.relname
"""
_MOMENT = """
    SELECT clock_timestamp(), pg_snapshot_xmax(s)::text::bigint,
        ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(s) x ORDER BY x), pg_current_wal_lsn()::text
    FROM pg_current_snapshot() s
"""
_UNLIMITED = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@dataclass(frozen=True)
class Exported:
    """A snapshot that lives as long as the connection's transaction. `name` is what pg_dump takes it by."""

    name: str
    server_version: int
    moment: Snapshot
    connection: "psycopg.Connection[tuple[object, ...]]"


@contextmanager
def export(url: str) -> Iterator[Exported]:
    """Begin a transaction that only reads, and let pg_dump see what it sees. Raises BackupError."""
    try:
        connection = psycopg.connect(plain(url), application_name="flask backup")
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be reached: {first_line(error)}") from error
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            for name in _UNLIMITED:
                connection.execute(sql.SQL("SET LOCAL {} = 0").format(sql.Identifier(name)))
            name = str(_row(connection, "SELECT pg_export_snapshot()")[0])
            yield Exported(name, connection.info.server_version, _moment(connection), connection)
        except psycopg.Error as error:
            raise BackupError(f"the database cannot be read: {first_line(error)}") from error


def _moment(connection: "psycopg.Connection[tuple[object, ...]]") -> Snapshot:
    taken_at, next_transaction, in_progress, wal_position = _row(connection, _MOMENT)
    if not isinstance(taken_at, datetime):
        raise BackupError("the database tells no time")
    return Snapshot.model_validate(
        {
            "taken_at": taken_at,
            "next_transaction": next_transaction,
            "in_progress": in_progress,
            "wal_position": wal_position,
        }
    )


def _row(connection: "psycopg.Connection[tuple[object, ...]]", statement: str) -> tuple[object, ...]:
    row = connection.execute(statement).fetchone()
    if row is None:
        raise BackupError("the database gave no answer")
    return tuple(row)


def migration(exported: Exported) -> str:
    """The migration that the database stands at. Raises BackupError where it has none, or several."""
    exists = exported.connection.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL").fetchone()
    rows = (
        exported.connection.execute("SELECT version_num FROM alembic_version").fetchall() if exists == (True,) else []
    )
    if len(rows) != 1:
        raise BackupError("the database has no tables of this system; is DATABASE_URL right?")
    return str(rows[0][0])


def count_rows(exported: Exported) -> dict[str, int]:
    """The rows of each table in the snapshot, by name; with the schema's name where that is not `public`."""
    counts = {}
    for schema, table in exported.connection.execute(_TABLES).fetchall():
        statement = sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(str(schema), str(table)))
        row = exported.connection.execute(statement).fetchone()
        counts[str(table) if schema == "public" else f"{schema}.{table}"] = int(str(row[0])) if row else 0
    return counts


def first_line(error: Exception) -> str:
    """The first line of an error's text. The lines after it may show the content of a row."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
