"""A folder of `flask up` that all tests of this package start again and again."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lms.embedded.running import Run, up


@pytest.fixture(scope="session")
def passable() -> Iterator[Path]:
    """A folder that other users can go through. pytest's own are closed again by each pytest that starts on the machine."""
    with tempfile.TemporaryDirectory(prefix="lms-up-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def instance(passable: Path) -> Path:
    """An instance folder that was started once; the tests start it again."""
    folder = passable / "instance"
    with up(folder) as run:
        run.until("ready")
        run.finish(signal.SIGTERM)
    return folder


@pytest.fixture(scope="module")
def started(instance: Path) -> Iterator[Run]:
    """A run that the tests of a module share: to start the system takes about ten seconds of the processor."""
    with up(instance) as run:
        run.until("Ctrl-C stops it")
        yield run
