"""The last blocks, as they are published and as they are noted in the keys folder."""

from pathlib import Path

import pytest

from certificates.records import heads
from lms.core import records
from tests.certificates.records.conftest import Site


def test_the_newest_block_of_each_table_is_published(sealed: Site) -> None:
    with sealed.engine.connect() as connection:
        newest = heads.newest(connection)
        assert [head.table for head in newest] == [table.name for table in records.registered()]
        for head in newest:
            assert heads.block(connection, head.table, head.number) == head
            assert heads.block(connection, head.table, head.number + 1) is None
            assert heads.noted(sealed.branch.keys_dir)[head.table] == (head.number, head.digest)


def test_a_table_that_is_not_noted_yet_contradicts_nothing(sealed: Site, tmp_path: Path) -> None:
    with sealed.engine.connect() as connection:
        assert heads.is_noted(connection, tmp_path, "audit_entry")
        heads.note(connection, tmp_path, ["audit_entry"])
        assert list(heads.noted(tmp_path)) == ["audit_entry"]
        written = (tmp_path / heads.FILE).stat().st_mtime_ns
        heads.note(connection, tmp_path, ["audit_entry"])
        assert (tmp_path / heads.FILE).stat().st_mtime_ns == written
        (tmp_path / heads.FILE).write_text('{"audit_entry": [1, "00"]}')
        assert not heads.is_noted(connection, tmp_path, "audit_entry")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / heads.FILE).write_text("[1]")
    with pytest.raises(ValueError, match="damaged"):
        heads.noted(tmp_path)
