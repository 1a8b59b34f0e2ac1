"""The keys of a check: files of this machine before rows of the database."""

from pathlib import Path

from sqlalchemy import text

from certificates.keys import key_files
from certificates.records import status_keys
from tests.certificates.records.conftest import Site


def test_files_come_before_rows(sealed: Site) -> None:
    with sealed.engine.connect() as connection:
        keys = status_keys.load(connection, sealed.branch.keys_dir)
        assert (list(keys.private), list(keys.public), keys.replaced) == (["status-1"], ["status-1"], ())
        connection.execute(text("UPDATE issuer_key SET public_key = :other"), {"other": bytes(range(32))})
        replaced = status_keys.load(connection, sealed.branch.keys_dir)
        assert replaced.replaced == ("status-1",)
        assert replaced.public == keys.public
        connection.execute(text("DELETE FROM issuer_key"))
        assert status_keys.load(connection, sealed.branch.keys_dir).replaced == ("status-1",)


def test_without_files_the_published_keys_are_used(sealed: Site, tmp_path: Path) -> None:
    with sealed.engine.connect() as connection:
        keys = status_keys.load(connection, tmp_path)
        assert (dict(keys.private), list(keys.public), keys.replaced) == ({}, ["status-1"], ())


def test_a_file_that_others_may_read_is_left_out(sealed: Site, tmp_path: Path) -> None:
    key_files.create(tmp_path, "status-1")
    key_files.private_key_path(tmp_path, "status-1").chmod(0o644)
    with sealed.engine.connect() as connection:
        assert dict(status_keys.load(connection, tmp_path).private) == {}
