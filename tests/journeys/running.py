"""The system as its user starts and stops it, in a folder of its own; a second start finds the same data at the same port."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

from lms.config import ROOT
from lms.embedded.environment import RECORD

START_SECONDS = 240
GIVEN = {"DATABASE_URL", "REDIS_URL", "MAIL_URL"}


class Running:
    """`flask up`. name: by which browsers reach it."""

    def __init__(self, instance: Path, *, name: str = "127.0.0.1", **settings: str) -> None:
        self.instance = instance
        self.port = free_port()
        self._name = name
        self._settings = settings | ({"PUBLIC_URL": self.url} if name != "127.0.0.1" else {})
        self._process: subprocess.Popen[str] | None = None
        self._printed: list[str] = []

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self._name}:{self.port}"

    def start(self) -> dict[str, str]:
        """Start it; the settings that it wrote down."""
        own = {
            "INSTANCE_DIR": str(self.instance),
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "lms.embedded.launcher", "up"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name not in GIVEN} | own | self._settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        self._printed = []
        self._reader = Thread(target=self._printed.extend, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        deadline = monotonic() + START_SECONDS
        while not (self.instance / RECORD).exists():
            assert self._process.poll() is None, "".join(self._printed)
            assert monotonic() < deadline, "".join(self._printed)
            sleep(0.1)
        return json.loads((self.instance / RECORD).read_text())  # type: ignore[no-any-return]

    def stop(self) -> None:
        """Stop it; nothing answers at its address any more."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0, "".join(self._printed)
        self._reader.join(5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None


def flask(instance: Path, *command: str) -> str:
    """Run a command beside a running system, as an administrator at a terminal would. Returns what it printed."""
    finished = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command],
        cwd=ROOT,
        env=os.environ | {"INSTANCE_DIR": str(instance)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
