"""The counted rows are the dumped rows, whatever is committed meanwhile."""

import psycopg
import pytest

from lms.backup import BackupError, snapshot
from lms.embedded.schema import plain

ADD = "INSERT INTO organisation (district_id, name_zh, sector, active) VALUES (1, '后来的', 'community', true)"


def test_later_rows_are_not_counted(fresh_database: str) -> None:
    with psycopg.connect(plain(fresh_database), autocommit=True) as other, snapshot.export(fresh_database) as exported:
        other.execute(ADD)
        assert snapshot.count_rows(exported)["organisation"] == 0
        assert exported.moment.next_transaction > 0
        assert exported.name
        assert exported.server_version >= 160_000


def test_an_open_transaction_is_named(fresh_database: str) -> None:
    with psycopg.connect(plain(fresh_database)) as other:
        other.execute(ADD)
        number = other.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        with psycopg.connect(plain(fresh_database), autocommit=True) as third:
            third.execute(ADD)  # a later one that has ended, so that the open one lies below the horizon
        with snapshot.export(fresh_database) as exported:
            assert number is not None
            assert number[0] in exported.moment.in_progress


def test_tables_of_other_schemas_are_counted_under_their_name(fresh_database: str) -> None:
    with psycopg.connect(plain(fresh_database)) as other:
        other.execute("CREATE SCHEMA extra; CREATE TABLE extra.note AS SELECT 1 AS id")
    with snapshot.export(fresh_database) as exported:
        counts = snapshot.count_rows(exported)
    assert counts["extra.note"] == 1
    assert "pg_class" not in counts


def test_a_database_that_is_none_of_ours_is_named(empty_database: str) -> None:
    with snapshot.export(empty_database) as exported, pytest.raises(BackupError, match="no tables of this system"):
        snapshot.migration(exported)
    with (
        pytest.raises(BackupError, match="cannot be read: connection is bad"),
        snapshot.export(f"{empty_database}&port=1"),
    ):
        pass
