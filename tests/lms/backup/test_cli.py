"""The commands: one line for each error, exit codes, and no settings needed where there are none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from lms.backup import cli
from lms.config import ROOT
from tests.lms.backup.conftest import Made, System, names


def invoke(app: Flask, *arguments: object, **environment: str) -> Result:
    return app.test_cli_runner().invoke(args=[str(argument) for argument in arguments], env=environment)


@pytest.fixture
def environ(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in system.source.environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environ")
def test_a_folder_gets_a_backup_and_keeps_so_many(system: System, made: Made, tmp_path: Path) -> None:
    for day in range(1, 4):
        (tmp_path / f"lms-2026030{day}T140000Z.age").touch()
    answer = invoke(system.app, "backup", tmp_path, "--recipient", made.recipient, "--keep", "2")
    assert answer.exit_code == 0, answer.output
    kept = names(tmp_path)
    assert kept[0] == "lms-20260303T140000Z.age"
    assert len(kept) == 2
    assert "found right" in answer.output
    assert "Not in it, because they are of the machine: DATABASE_URL." in answer.output
    assert system.source.environ["FIELD_KEY"] not in answer.output
    audit = invoke(system.app, "restore", tmp_path / kept[1], "--check", BACKUP_PASSPHRASE="")
    assert audit.exit_code == 1
    assert "Error: this backup has no passphrase" in audit.output


@pytest.mark.usefixtures("environ")
def test_each_refusal_is_one_line(system: System, tmp_path: Path) -> None:
    for arguments, code, told in (
        (["backup", tmp_path], 1, "a backup is encrypted: set BACKUP_RECIPIENT"),
        (["backup", tmp_path / "none" / "a.age", "--recipient", "age1x"], 1, "is not a folder"),
        (["backup", tmp_path / "a.age", "--keep", "2"], 2, "FILE is not one"),
        (["restore", tmp_path / "a.age", "--check"], 1, "cannot be read: No such file"),
        (["restore", tmp_path / "a.age"], 2, "say where to"),
        (["restore", tmp_path / "a.age", "--instance", tmp_path / "i", "--keys-dir", tmp_path], 2, "by itself"),
    ):
        answer = invoke(system.app, *arguments)
        assert answer.exit_code == code, answer.output
        assert told in answer.output
        assert "Traceback" not in answer.output
    assert names(tmp_path) == []


def test_a_restore_whose_checks_find_something_says_so(
    system: System, made: Made, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = tmp_path / "identity"
    identity.write_text(made.identity)
    monkeypatch.setattr(cli.checks, "run", lambda _subject: iter([cli.checks.Check("keys", ("one is missing",))]))
    arguments = [
        "restore",
        made.path,
        "--into",
        empty_database,
        "--keys-dir",
        tmp_path / "keys",
        "--identity",
        identity,
    ]
    answer = invoke(system.app, *arguments)
    assert answer.exit_code == cli.FOUND, answer.output
    assert "keys: 1 faults\n  one is missing" in answer.output
    assert "Restored. The settings were not written anywhere." in answer.output
    assert "The checks found 1 faults." in answer.output


def test_a_machine_without_settings_makes_a_key_pair_and_verifies(made: Made, tmp_path: Path) -> None:
    identity = tmp_path / "identity"
    identity.write_text(made.identity)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "restore", "--check", made.path, "--identity", identity]
    answer = subprocess.run(
        command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "is whole" in answer.stdout
    made_pair = invoke(cli.create_app(), "backup-identity", tmp_path / "pair")
    recipient = made_pair.output.splitlines()[0]
    assert recipient.startswith("age1")
    assert f"# public key: {recipient}\nAGE-SECRET-KEY-" in (tmp_path / "pair").read_text()
    assert (tmp_path / "pair").stat().st_mode & 0o777 == 0o600
    assert invoke(cli.create_app(), "backup-identity", tmp_path / "pair").exit_code == 1
