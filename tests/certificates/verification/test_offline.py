"""Verification with the published files alone, by a process that has neither database nor settings."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from certificates import revocation
from certificates.branch import Branch
from certificates.cli.offline import is_requested
from certificates.keys import qr_keys
from certificates.models import Certificate, KeyState, SigningKey
from certificates.payload import digits_of
from certificates.states import State
from certificates.verification import offline, status_lists, type_table
from certificates.verification.status_lists import StatusPurpose
from lms.config import ROOT
from lms.core import clock
from tests.factories import Make


@pytest.fixture
def fetched(client: FlaskClient, db: Session, branch: Branch, tmp_path: Path) -> Callable[[], tuple[Path, Path]]:
    """Fetch what we publish now: the file of keys and the folder of lists."""

    def fetch() -> tuple[Path, Path]:
        status_lists.sign_due(db, branch)
        type_table.sign_due(db, branch)
        db.commit()
        client.application.extensions["public_key_cache"].forget()
        keys, folder = tmp_path / "jwks.json", tmp_path / "status"
        folder.mkdir(exist_ok=True)
        keys.write_bytes(client.get("/.well-known/jwks.json").data)
        (tmp_path / "types.json").write_bytes(client.get("/.well-known/certificate-types.json").data)
        for purpose in StatusPurpose:
            (folder / f"{purpose}-0").write_bytes(client.get(f"/status/{purpose}/0").data)
        return keys, folder

    return fetch


def command(keys: Path, folder: Path, code: str, *more: str, app: str = "wsgi") -> tuple[int, str]:
    """Run it as a stranger does, with an empty environment: no database, no settings."""
    command = [sys.executable, "-m", "flask", "--app", app, "certificates", "verify", "--offline"]
    finished = subprocess.run(
        [*command, "--keys", str(keys), "--status", str(folder), *more, code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.stderr == ""
    return finished.returncode, finished.stdout


def test_a_stranger_verifies_without_us(
    db: Session, make: Make, issue: Callable[..., Certificate], fetched: Callable[[], tuple[Path, Path]]
) -> None:
    good, revoked = issue("张三丰", course=make.new_course(certificate_type=200)), issue("李四")
    revocation.revoke(db, revoked, "发错人")
    files = fetched()
    code = digits_of(good.payload)
    status, said = command(*files, f"https://example.org/v/{code}", "--name", "张三丰")
    assert (status, said.splitlines()[0]) == (0, "valid")
    assert "status as of" in said
    assert said.endswith("name: yes\n")
    status, said = command(*files, code, "--name", "李四")
    assert (status, said.splitlines()[0], said.splitlines()[-1]) == (1, "valid", "name: no")
    assert command(*files, digits_of(revoked.payload))[1].startswith("revoked")
    types = files[0].with_name("types.json")
    assert "type: no." in said
    status, said = command(*files, code, "--types", str(types))
    assert f"type: {good.facts['course_zh']} {good.facts['course_en']}" in said
    assert f"unit: {good.facts['unit_zh']} {good.facts['unit_en']}" in said
    assert f"number {good.number}" in said
    (files[1] / "superseded-0").unlink()
    status, said = command(*files, code)
    assert (status, said.splitlines()[0]) == (2, "valid, unless that changed")
    assert "no status list" in said
    alone = command(*files, digits_of(revoked.payload), app="certificates.cli.offline")
    assert (alone[0], alone[1].splitlines()[0]) == (1, "revoked")


def test_the_command_stands_among_the_others(app: Flask) -> None:
    help_output = app.test_cli_runner().invoke(args=["certificates", "verify", "--help"])
    assert help_output.exit_code == 0
    assert "--offline" in help_output.output
    # Only a command that verifies does without settings: the web server's own process never does.
    assert not is_requested(["--app", "wsgi", "certificates", "verify"])


def test_every_state_is_told(
    db: Session, branch: Branch, issue: Callable[..., Certificate], fetched: Callable[[], tuple[Path, Path]]
) -> None:
    good, revoked, old = issue("张三丰"), issue("李四"), issue("王五")
    revocation.revoke(db, revoked, "发错人")
    old.superseded_by_id = good.id
    keys_file, folder = fetched()
    keys = offline.read_keys(keys_file.read_text())
    lists = offline.read_lists(folder, keys)
    now = clock.now()
    today = clock.today(branch.zone)
    code = digits_of(good.payload)

    def judged(
        digits: str, days: int = 0, *, known: offline.KeySet = keys, status: list[status_lists.StatusBits] = lists
    ) -> tuple[State | None, str]:
        later = timedelta(days=days)
        verdict = offline.verify(digits, known, status, now=now + later, today=today + later)
        return verdict.state, verdict.reason

    assert judged(code) == (State.VALID, "valid")
    assert judged(digits_of(revoked.payload)) == (State.REVOKED, "revoked")
    assert judged(digits_of(old.payload)) == (State.SUPERSEDED, "superseded")
    assert judged(code, 4000) == (State.EXPIRED, "expired")
    assert judged(code, -1) == (State.NOT_YET_VALID, "not_yet_valid")
    assert judged(code[:-1] + str((int(code[-1]) + 1) % 10)) == (State.FORGED, "signature_wrong")
    assert judged("12") == (State.UNKNOWN, "unreadable")
    assert judged(code, known=replace(keys, codes={})) == (None, "key_unknown")
    assert judged(code, status=lists[:1]) == (State.VALID, "status_missing")
    early = {1: replace(keys.codes[1], not_after=good.issued_on - timedelta(days=1))}
    assert judged(code, known=replace(keys, codes=early)) == (State.FORGED, "outside_window")
    assert not offline.verify(code, keys, lists, now=now, today=today).stale
    assert offline.verify(code, keys, lists, now=now, today=today).is_current
    late = offline.verify(code, keys, lists, now=now + timedelta(days=2), today=today)
    assert late.stale
    assert not late.is_current


def test_a_compromised_key_sends_one_online_and_a_rotated_one_does_not(
    db: Session, branch: Branch, issue: Callable[..., Certificate], fetched: Callable[[], tuple[Path, Path]]
) -> None:
    old = issue("张三丰")
    today = clock.today(branch.zone)
    qr_keys.rotate(db, branch.keys_dir, today=today, not_after=today + timedelta(days=300))
    status, said = command(*fetched(), digits_of(old.payload))
    assert (status, said.splitlines()[0]) == (0, "valid")
    db.execute(
        update(SigningKey).where(SigningKey.number == 1).values(state=KeyState.COMPROMISED, compromised_at=clock.now())
    )
    status, said = command(*fetched(), digits_of(old.payload))
    assert (status, said.splitlines()[0]) == (1, "undecided")
    assert "ask online" in said
