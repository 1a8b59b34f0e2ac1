"""The database that a backup is restored into, and the one transaction in which that happens."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import psycopg

from lms.backup import BackupError, programs, reading
from lms.backup.encryption import Opener
from lms.backup.manifest import Manifest
from lms.backup.programs import Child, Programs
from lms.backup.snapshot import first_line
from lms.config import ROOT
from lms.embedded.schema import plain

LOCK_SECONDS = 10
# Anything that somebody made: tables, views, sequences and functions, apart from those of extensions.
_OBJECTS = """
    SELECT n.nspname, count(*) FROM (
        SELECT oid, relnamespace AS namespace, 'pg_class'::regclass AS class FROM pg_class
        UNION ALL SELECT oid, pronamespace, 'pg_proc'::regclass FROM pg_proc
    ) o JOIN pg_namespace n ON n.oid = o.namespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e')
    GROUP BY n.nspname ORDER BY n.nspname
"""
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
# A connection that was closed just now is still counted until its process has ended.
_ENDING_SECONDS = 2.0
_BEGIN = f"""
\\set ON_ERROR_STOP on
BEGIN;
SET LOCAL lock_timeout = '{LOCK_SECONDS}s';
SET LOCAL maintenance_work_mem = '256MB';
"""
_EMPTY = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
# Behind the dump's own statements, in the same transaction: each table has as many rows as the manifest says, and each
# sequence is past the numbers that are in use.
_COMPARE = """
DO $compare$
DECLARE
    expected record;
    rows bigint;
    used bigint;
    reached bigint;
BEGIN
    FOR expected IN SELECT * FROM (VALUES {}) AS t (name, rows) LOOP
        EXECUTE 'SELECT count(*) FROM ONLY ' || expected.name INTO rows;
        IF rows <> expected.rows THEN
            RAISE EXCEPTION 'the table % has % rows, and the backup had %', expected.name, rows, expected.rows;
        END IF;
    END LOOP;
    FOR expected IN
        SELECT d.refobjid::regclass AS name, a.attname AS column_name, d.objid::regclass AS sequence
        FROM pg_depend d
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    LOOP
        EXECUTE format('SELECT max(%I) FROM %s', expected.column_name, expected.name) INTO used;
        EXECUTE format('SELECT last_value FROM %s', expected.sequence) INTO reached;
        IF used > reached THEN
            RAISE EXCEPTION 'the sequence % stands at %, and % is in use', expected.sequence, reached, used;
        END IF;
    END LOOP;
END $compare$;
COMMIT;
"""


@dataclass(frozen=True)
class Target:
    """A database to restore into, by its address. `replace`: what is in it is removed in the same transaction."""

    url: str
    replace: bool = False


def _others(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """The number of other connections to the database, after those that are ending have ended."""
    until = time.monotonic() + _ENDING_SECONDS
    while True:
        (number,) = connection.execute(_OTHERS).fetchone() or (0,)
        if not number or time.monotonic() > until:
            return int(str(number))
        time.sleep(0.05)


def check(url: str, replace: str | None) -> Target:
    """Look at the database. Raises BackupError where it is not empty and `replace` is not its name, or is in use."""
    with _connected(url) as connection:
        objects = {str(schema): int(str(count)) for schema, count in connection.execute(_OBJECTS).fetchall()}
        others = _others(connection) if objects and replace is not None else 0
        name = connection.info.dbname
    if replace is not None and replace != name:
        raise BackupError(f"the database is called {name}, and --replace says {replace}; nothing was changed")
    if not objects:
        return Target(url)
    if replace is None:
        raise BackupError(
            f"the database {name} is not empty; restore into a new one, or remove what is in it: --replace {name}"
        )
    if foreign := sorted(set(objects) - {"public"}):
        raise BackupError(f"the database {name} has a schema {foreign[0]}, which is none of ours; remove it yourself")
    if others:
        raise BackupError(f"{others} connections use the database {name}; stop the web server and the worker first")
    return Target(url, replace=True)


def check_version(url: str, manifest: Manifest) -> None:
    """Raise BackupError for a server that is older than the backup's."""
    with _connected(url) as connection:
        major = connection.info.server_version // 10_000
    if major < manifest.server_major:
        raise BackupError(
            f"the backup is of PostgreSQL {manifest.server_major}, and this server is {major}: a newer one is needed"
        )


def restore(target: Target, file: BinaryIO, opener: Opener, manifest: Manifest, client: Programs) -> None:
    """Restore the dump into the database in one transaction, which ends with a comparison of all counts.

    The backup is read for the second time; it must be the one that was verified. Raises BackupError, and then the
    database is as it was.
    """
    environment = programs.connection_environment(target.url)
    psql_command = [client.path("psql"), "--no-psqlrc", "--quiet", "--no-password"]
    restore_command = [client.path("pg_restore"), "--file=-", "--no-owner", "--no-privileges", "--exit-on-error"]
    with Child(psql_command, environment=environment, stdin=subprocess.PIPE) as psql:
        psql.take(f"{_BEGIN}{_EMPTY if target.replace else ''}".encode())
        psql.flush()
        with Child(restore_command, stdin=subprocess.PIPE, stdout=psql.stdin) as pg_restore:
            try:
                contents = reading.read(file, opener, pg_restore.take)
                pg_restore.finish()
            except BackupError:
                # pg_restore fails when psql is gone; the reason is then psql's.
                if psql.has_failed():
                    raise BackupError(f"the database refused the backup: {psql.reason()}") from None
                raise
        if contents.manifest != manifest:
            raise BackupError("the backup is not the one that was verified; nothing was changed")
        psql.take(comparison(manifest.tables).encode())
        psql.finish()


def comparison(tables: Mapping[str, int]) -> str:
    """Statements that compare a restored database with the rows of each table, and commit: the end of a transaction."""
    rows = (f"({_literal(_quoted(name))}, {int(count)})" for name, count in tables.items())
    return _COMPARE.format(", ".join(rows))


def _quoted(name: str) -> str:
    parts = name.split(".") if "." in name else ["public", name]
    return ".".join(f'"{part}"' for part in parts)  # the manifest's pattern lets no quote through


def _literal(text: str) -> str:
    return f"'{text}'"


def prepare(url: str) -> None:
    """Give the roles of web and worker their rights anew, and gather the planner's statistics. Raises BackupError.

    A dump brings the tables and neither of them. Without statistics the recount of 10,000 check-ins took half a minute.
    """
    with _connected(url) as connection:
        connection.execute((ROOT / "migrations" / "roles.sql").read_bytes())
        connection.execute("ANALYZE")


@contextmanager
def _connected(url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    try:
        with psycopg.connect(plain(url), autocommit=True, application_name="flask restore") as connection:
            yield connection
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be used: {first_line(error)}") from error
