"""Runs of `flask up` as a user at a terminal starts and stops them."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lms.config import ROOT
from lms.embedded.processes import is_alive

SETTINGS = ("DATABASE_URL", "BROKER_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEY", "KEYS_DIR", "PUBLIC_URL", "HOST")


@dataclass
class Run:
    """A run of `flask up` and its output."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def until(self, mark: str) -> str:
        """Read until a line has the mark; that line."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if mark in line:
                return line
        raise AssertionError("\n".join(self.said))

    @property
    def port(self) -> int:
        """The port of the address that it printed."""
        found = re.search(r"http://127\.0\.0\.1:(\d+)", "\n".join(self.said))
        assert found
        return int(found[1])

    def finish(self, signal_number: signal.Signals | None = None) -> int:
        """Send the signal, read to the end; the exit code."""
        if signal_number is not None:
            self.process.send_signal(signal_number)
        assert self.process.stdout is not None
        self.said.extend(line.rstrip() for line in self.process.stdout)
        return self.process.wait(60)


@contextmanager
def up(instance: Path, **environ: str) -> Iterator[Run]:
    """Start it on a free port; whatever happens, it is stopped at the end."""
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    with subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "lms.embedded.launcher", "up"],
        cwd=ROOT,
        # SPT_NOENV: gunicorn names its processes with setproctitle where that is installed (for development it is, through
        # mutmut), and would write the name over the environment that tests read.
        env={**clean, "INSTANCE_DIR": str(instance), "PORT": "0", "LMS_DEMO": "0", "SPT_NOENV": "1", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield Run(process)
        finally:
            if process.poll() is None:
                process.terminate()


def family(instance: Path) -> dict[str, int]:
    """The pids of what runs, by name."""
    entries = json.loads((instance / "children.json").read_text())
    names = {"gunicorn": "web", " worker ": "worker", " beat ": "beat"}
    found = {name: entry["pid"] for entry in entries for mark, name in names.items() if mark in entry["command"]}
    return {**found, "postgres": int((instance / "postgres" / "postmaster.pid").read_text().split("\n")[0])}


def wait_until_gone(pids: dict[str, int]) -> list[str]:
    """Processes that are still alive after half a minute."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(map(is_alive, pids.values())):
        time.sleep(0.05)
    return [name for name, pid in pids.items() if is_alive(pid)]


def status(port: int, path: str = "/healthz") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()
