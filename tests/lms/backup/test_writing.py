"""A backup is written whole, checked and private, or there is none."""

import multiprocessing
import resource
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.kill_backup import CLEAR, kill
from lms.backup import BackupError, writing
from lms.backup.encryption import BINARY_BEGIN
from lms.backup.passphrases import ARMOUR_BEGIN
from lms.backup.writing import Lock
from lms.core.migrations import head
from tests.lms.backup.conftest import Made, System, names


def test_it_is_one_private_file_with_nothing_in_clear(made: Made) -> None:
    content = made.path.read_bytes()
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert content.startswith(BINARY_BEGIN)
    assert not [mark for mark in CLEAR if mark in content]
    assert names(made.path.parent) == [made.path.name]
    assert made.backup.size == len(content)


def test_the_manifest_counts_what_is_there(made: Made, system: System) -> None:
    manifest = made.backup.manifest
    with system.sessions() as db:
        counts = {table: db.scalar(text(f"SELECT count(*) FROM {table}")) for table in manifest.tables}
        later = db.scalar(text("SELECT count(*) FROM audit_entry WHERE action = 'backup.make'")) or 0
    # Other tests make backups of the same system, which its audit trail tells.
    assert manifest.tables | {"audit_entry": manifest.tables["audit_entry"] + later} == counts
    assert manifest.migration == head()
    assert manifest.keys == ["signing/qr-1.pem", "signing/status-1.pem"]
    assert set(manifest.record_heads) >= {"audit_entry", "ledger_entry"}
    assert manifest.rows > 50


@pytest.mark.parametrize("lock", [Lock(), Lock(("age1typo",))])
def test_without_a_lock_nothing_is_written(system: System, tmp_path: Path, lock: Lock) -> None:
    with pytest.raises(BackupError):
        writing.make(system.source, tmp_path / "a.age", lock, lambda _: None)
    assert names(tmp_path) == []


def test_a_backup_without_the_key_that_signs_is_refused(system: System, made: Made, tmp_path: Path) -> None:
    source = replace(system.source, keys_dir=tmp_path / "none")
    with pytest.raises(BackupError, match="qr-1, which signs, is missing"):
        writing.make(source, tmp_path / "a.age", Lock((made.recipient,)), lambda _: None)
    assert names(tmp_path) == []


def test_a_pg_dump_that_fails_leaves_no_file(system: System, made: Made, tmp_path: Path) -> None:
    """Whoever may not read a table can make no backup; a part of the database is none."""
    with system.sessions() as db:
        db.execute(text("CREATE ROLE reads_little LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reads_little"))
        db.execute(text("REVOKE SELECT ON ALL SEQUENCES IN SCHEMA public FROM reads_little"))
        db.commit()
    try:
        url = system.source.database_url.replace("postgres@", "reads_little@")
        with pytest.raises(BackupError, match=r"pg_dump failed: .*privilege"):
            writing.make(replace(system.source, database_url=url), tmp_path / "a.age", Lock((made.recipient,)), print)
        assert names(tmp_path) == []
    finally:
        with system.sessions() as db:
            db.execute(text("DROP OWNED BY reads_little; DROP ROLE reads_little"))
            db.commit()


def write_in_little_room(
    system: System, path: Path, recipient: str, answer: "multiprocessing.SimpleQueue[str]"
) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
    try:
        writing.make(system.source, path, Lock((recipient,)), lambda _: None)
    except BackupError as error:
        answer.put(str(error))


def test_a_file_that_cannot_grow_is_named_and_removed(system: System, made: Made, tmp_path: Path) -> None:
    """The system's limit on a file's length breaks the writing as a full disk does, in the midst of the dump."""
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    process = context.Process(target=write_in_little_room, args=(system, tmp_path / "a.age", made.recipient, answer))
    process.start()
    process.join()
    assert answer.get() == f"{tmp_path / 'a.age'} cannot be written: File too large"
    assert names(tmp_path) == []


def test_killed_at_any_moment_it_leaves_no_file_of_its_name(system: System, tmp_path: Path) -> None:
    """`python -m benchmarks.kill_backup` does it ten times, with a larger database."""
    assert [killed.faults for killed in kill(system.source, tmp_path, 4)] == [()] * 4


def test_a_passphrase_alone_is_enough(system: System, tmp_path: Path) -> None:
    backup = writing.make(system.source, tmp_path / "a.age", Lock(passphrase="correct horse"), lambda _: None)
    assert backup.path.read_bytes().startswith(ARMOUR_BEGIN)
