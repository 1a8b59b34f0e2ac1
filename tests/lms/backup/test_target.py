"""A restore changes nothing that it was not told to, and commits nothing that differs from the manifest."""

import psycopg
import pytest

from lms.backup import BackupError, programs, reading, target
from lms.backup.manifest import Manifest
from lms.backup.target import Target
from lms.embedded.schema import plain
from tests.lms.backup.conftest import Made
from tests.lms.backup.test_snapshot import ADD


def restore(made: Made, target_: Target, manifest: Manifest) -> None:
    with reading.open_file(made.path) as file:
        target.restore(target_, file, made.opener, manifest, programs.newest())


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(plain(url), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def test_an_empty_database_is_taken_and_another_is_not(empty_database: str) -> None:
    assert target.check(empty_database, None) == Target(empty_database)
    name = execute(empty_database, "SELECT current_database()")[0][0]
    with pytest.raises(BackupError, match="--replace says lms"):
        target.check(empty_database, "lms")
    execute(empty_database, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    with pytest.raises(BackupError, match="is not empty"):
        target.check(empty_database, None)
    assert target.check(empty_database, str(name)) == Target(empty_database, replace=True)
    with (
        psycopg.connect(plain(empty_database)),
        pytest.raises(BackupError, match="1 connections use the database"),
    ):
        target.check(empty_database, str(name))
    execute(empty_database, "CREATE SCHEMA extra; CREATE TABLE extra.note ()")
    with pytest.raises(BackupError, match="has a schema extra"):
        target.check(empty_database, str(name))


def test_an_older_server_is_named(made: Made, empty_database: str) -> None:
    target.check_version(empty_database, made.backup.manifest)
    newer = made.backup.manifest.model_copy(update={"server_version": 990001})
    with pytest.raises(BackupError, match="of PostgreSQL 99, and this server is"):
        target.check_version(empty_database, newer)


@pytest.mark.parametrize("replace", [False, True])
def test_a_wrong_count_undoes_everything(made: Made, empty_database: str, replace: bool) -> None:
    """The comparison is part of the transaction: the database is as it was, also where it was to be replaced."""
    if replace:
        execute(empty_database, "CREATE TABLE mine AS SELECT 7 AS number")
    manifest = made.backup.manifest
    wrong = manifest.model_copy(update={"tables": manifest.tables | {"trainee": 5}})
    with pytest.raises(BackupError, match="not the one that was verified"):
        restore(made, Target(empty_database, replace), wrong)
    with psycopg.connect(plain(empty_database)) as connection:
        tables = connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        assert tables.fetchall() == ([("mine",)] if replace else [])


def test_the_comparison_itself_finds_rows_and_sequences(made: Made, empty_database: str) -> None:
    restore(made, Target(empty_database), made.backup.manifest)
    comparison = target.comparison(made.backup.manifest.tables)
    execute(empty_database, f"BEGIN; {comparison}")
    execute(empty_database, ADD)
    with pytest.raises(
        psycopg.errors.RaiseException, match=r'the table "public"."organisation" has 2 rows, and the backup had 1'
    ):
        execute(empty_database, f"BEGIN; {comparison}")
    execute(empty_database, "DELETE FROM organisation WHERE name_zh = '后来的'; SELECT setval('trainee_id_seq', 1)")
    with pytest.raises(psycopg.errors.RaiseException, match=r"the sequence (public\.)?trainee_id_seq stands at 1"):
        execute(empty_database, f"BEGIN; {comparison}")


def test_a_database_that_refuses_is_named_and_left(made: Made, empty_database: str) -> None:
    execute(empty_database, "CREATE TABLE trainee ()")
    with pytest.raises(BackupError, match=r'the database refused the backup: .*"trainee" already exists'):
        restore(made, Target(empty_database), made.backup.manifest)
    tables = execute(empty_database, "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    assert tables == [("trainee",)]


def test_rights_are_given_anew(made: Made, empty_database: str) -> None:
    restore(made, Target(empty_database), made.backup.manifest)
    may = "SELECT has_table_privilege('lms_web', 'audit_entry', 'INSERT'), has_table_privilege('lms_web', 'audit_entry', 'UPDATE')"
    assert execute(empty_database, may) == [(False, False)]
    target.prepare(empty_database)
    assert execute(empty_database, may) == [(True, False)]
