"""Beside a running `flask up`: its secrets stay, a command finds its database, and a second start is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lms.config import ROOT
from tests.lms.embedded.running import SETTINGS, Run, status, up

pytestmark = pytest.mark.xdist_group("embedded")


@pytest.fixture(scope="module")
def secrets(instance: Path) -> dict[str, str]:
    """The secrets that the first start made, as they are before the next one."""
    return {name: (instance / name).read_text() for name in ("secret_key", "field_key")}


# The fixtures are named in the order in which they are made.
def test_secrets_are_made_once_and_for_their_owner(instance: Path, secrets: dict[str, str], started: Run) -> None:
    assert started.process.poll() is None
    for name, value in secrets.items():
        assert (instance / name).read_text() == value
        assert (instance / name).stat().st_mode & 0o777 == 0o600


def test_a_command_beside_it_uses_its_database(instance: Path, started: Run) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    beside = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "migrate"],
        cwd=ROOT, env={**clean, "INSTANCE_DIR": str(instance)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert beside.returncode == 0, beside.stderr
    assert started.process.poll() is None


def test_it_runs_once_for_each_folder(instance: Path, started: Run) -> None:
    with up(instance) as second:
        assert second.finish() == 1
    assert "it runs already" in second.said[-1]
    assert status(started.port) == 200
