"""A snapshot of the database that pg_dump and our own reading share, so that counts, keys and heads are those of the dump."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from certificates.records import heads
from lms.backup import BackupError
from lms.backup.manifest import Snapshot

# Ordinary tables outside PostgreSQL's own schemas, each part of a divided table for itself.
_TABLES = text("""
    SELECT n.nspname, c.relname, c.oid::regclass::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY n.nspname, c.relname
""")
_MOMENT = text("""
    SELECT clock_timestamp() AS taken_at, pg_snapshot_xmax(s)::text::bigint AS next_transaction,
        ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(s) x ORDER BY x) AS in_progress,
        pg_current_wal_lsn()::text AS wal_position
    FROM pg_current_snapshot() s
""")
_UNLIMITED = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


@dataclass(frozen=True)
class Exported:
    """A snapshot that lives as long as the connection's transaction. `name` is what pg_dump takes it by."""

    name: str
    server_version: int
    moment: Snapshot
    connection: Connection


@contextmanager
def export(url: str) -> Iterator[Exported]:
    """Begin a transaction that only reads, and let pg_dump see what it sees. Raises BackupError."""
    engine = create_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"application_name": "flask backup"}
    )
    try:
        with engine.connect().execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        ) as connection:
            for name in _UNLIMITED:
                connection.execute(text(f"SET LOCAL {name} = 0"))
            exported_name = str(connection.scalar(text("SELECT pg_export_snapshot()")))
            version = int(str(connection.scalar(text("SELECT current_setting('server_version_num')"))))
            moment = Snapshot.model_validate(connection.execute(_MOMENT).mappings().one())
            yield Exported(exported_name, version, moment, connection)
    except SQLAlchemyError as error:
        raise BackupError(f"the database cannot be read: {first_line(error)}") from error
    finally:
        engine.dispose()


def migration(exported: Exported) -> str:
    """The migration that the database stands at. Raises BackupError where it has none, or several."""
    exists = exported.connection.scalar(text("SELECT to_regclass('public.alembic_version') IS NOT NULL"))
    versions = exported.connection.scalars(text("SELECT version_num FROM alembic_version")).all() if exists else []
    if len(versions) != 1:
        raise BackupError("the database has no tables of this system; is DATABASE_URL right?")
    return str(versions[0])


def count_rows(exported: Exported) -> dict[str, int]:
    """The rows of each table in the snapshot, by name; with the schema's name where that is not `public`."""
    counts = {}
    for schema, table, quoted in exported.connection.execute(_TABLES).all():
        count = exported.connection.scalar(text(f"SELECT count(*) FROM ONLY {quoted}"))  # noqa: S608 - by PostgreSQL
        counts[table if schema == "public" else f"{schema}.{table}"] = int(count or 0)
    return counts


def record_heads(exported: Exported) -> dict[str, tuple[int, str]]:
    """Number and digest of the last sealed block of each table of record."""
    return {head.table: (head.number, head.digest) for head in heads.newest(exported.connection)}


def first_line(error: Exception) -> str:
    """The first line of an error's text, without the class that SQLAlchemy puts in front.

    The lines after it may show the content of a row.
    """
    cause = getattr(error, "orig", None)
    shown = cause if isinstance(cause, psycopg.Error) else error
    return (str(shown).strip().splitlines() or [type(error).__name__])[0]
