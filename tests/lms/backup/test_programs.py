"""PostgreSQL's programs: the right version is taken, and no secret is an argument."""

import subprocess
from pathlib import Path

import pytest

from lms.backup import BackupError, programs
from lms.backup.programs import Child
from lms.embedded.postgres import program_folder


def install(folder: Path, major: int) -> Path:
    folder.mkdir()
    for name in programs.NAMES:
        path = folder / name
        path.write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) {major}.3 (Debian)"\n')
        path.chmod(0o755)
    return folder


def test_the_lowest_version_that_will_do_is_taken(tmp_path: Path) -> None:
    old, fitting = install(tmp_path / "a", 15), install(tmp_path / "b", 16)
    environ = {"PATH": f"{old}:{fitting}:{tmp_path / 'none'}"}
    assert programs.find(16, environ).folder == fitting
    assert programs.find(15, environ).folder == old
    assert programs.find(17, environ).folder == program_folder()
    assert programs.newest(environ).folder == program_folder()


def test_too_old_ones_are_named(tmp_path: Path) -> None:
    old = install(tmp_path / "a", 15)
    with pytest.raises(BackupError, match=rf"version 99 or newer are needed; there are: 15 in {old}"):
        programs.find(99, {"PATH": str(old)})


def test_the_connection_is_in_the_environment() -> None:
    url = "postgresql+psycopg://lms:s%40crt@db.internal:5433/lms?sslmode=verify-full&options=-c%20timezone%3DUTC"
    assert programs.connection_environment(url) == {
        "PGUSER": "lms",
        "PGPASSWORD": "s@crt",
        "PGHOST": "db.internal",
        "PGPORT": "5433",
        "PGDATABASE": "lms",
        "PGSSLMODE": "verify-full",
        "PGOPTIONS": "-c timezone=UTC",
    }
    for wrong in ("postgresql://lms@db/lms?nonsense=1", "postgresql://lms@[db/lms"):
        with pytest.raises(BackupError):
            programs.connection_environment(wrong)


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def test_a_program_that_fails_tells_why() -> None:
    script = "echo first >&2; echo 'x: error: why' >&2; echo last >&2; exit 3"
    with Child(shell(script)) as child, pytest.raises(BackupError, match="x: error: why"):
        child.wait()


def test_a_program_that_is_gone_tells_why_instead_of_a_broken_pipe() -> None:
    with Child(shell("echo 'psql: error: full' >&2; exit 1"), stdin=subprocess.PIPE) as child:
        assert child.has_failed()
        with pytest.raises(BackupError, match="full"):
            child.take(b"x" * 1_000_000)


def test_a_program_ends_with_its_block() -> None:
    with Child(["/bin/sleep", "600"]) as child:
        process = child.process
    assert process.returncode == -15
