"""The processes that `flask up` starts: one record of them, one way to end them, none left behind."""

import json
import logging
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lms.config import ROOT
from lms.embedded.failure import StartError
from lms.embedded.logs import Log, RotatingLog
from lms.embedded.processes import command_line, die_with_parent, is_alive
from lms.embedded.system_user import SystemUser, identity

POLL_SECONDS = 0.05
NO_HOME = "/nonexistent"  # a user's own settings and modules, such as root's, are not for programs that run as another

# In order (what is in flight ends), then without waiting, then by force; seconds to wait after each.
STOP_SIGNALS = ((signal.SIGTERM, 35.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

# How Python ends a traceback, and how click and alembic begin a complaint.
ERROR_LINE = re.compile(r"(Error|FAILED|[\w.]*(Error|Exception|Exit)): ")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Child:
    """A started process and the log that its output goes to."""

    name: str
    command: tuple[str, ...]
    process: subprocess.Popen[bytes]
    log: Log

    def last_words(self) -> str:
        """The line that says what went wrong: the last that names an error, else the last."""
        lines = [line.strip() for line in self.log.said().splitlines() if line.strip()]
        errors = [line for line in lines if ERROR_LINE.match(line)]
        return (errors or lines or ["it said nothing"])[-1]


class Children:
    """The started processes, in order. They share an environment and are stopped in the order in which they were started."""

    def __init__(self, instance: Path, environ: Mapping[str, str]) -> None:
        self._instance = instance
        self._environ = dict(environ)
        self._started: list[Child] = []
        self._logs: dict[str, RotatingLog] = {}

    def start(
        self,
        name: str,
        command: Sequence[str],
        listener: int | None = None,
        settings: Mapping[str, str] | None = None,
        user: SystemUser | None = None,
    ) -> Child:
        """Start a program in the project's folder. It gets a TERM when we die, even by SIGKILL (on Linux).

        `listener` is the descriptor of an open port that the program gets as LISTEN_FD; `settings` are its own, which
        win over those that all share; `user` is whom it runs as, None for whoever we are. Raises StartError.
        """
        environ = {**self._environ, **(settings or {})}
        if listener is not None:
            environ["LISTEN_FD"] = str(listener)
        if user is not None:
            environ |= {"HOME": NO_HOME, "USER": user.name, "LOGNAME": user.name}
        log_of_name = self._logs.setdefault(name, RotatingLog(self._instance / "log" / f"{name}.log"))
        output = log_of_name.open()
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=environ,
                pass_fds=() if listener is None else (listener,),
                start_new_session=True,  # a Ctrl-C at the terminal reaches us alone; we stop them in order
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - the function is one system call
                **identity(user),
            )
        except OSError as error:
            whose = f" as {user.name}" if user is not None else ""
            raise StartError(f"{name} cannot be started{whose}: {error}") from error
        finally:
            os.close(output)
        child = Child(name, tuple(command), process, log_of_name)
        self._started.append(child)
        self._record()
        return child

    def first_dead(self) -> Child | None:
        """A child that ended by itself, if any."""
        return next((child for child in self._started if child.process.poll() is not None), None)

    def forget(self, child: Child) -> None:
        """Take a child that has ended off the record."""
        self._started.remove(child)
        self._record()

    def stop(self) -> None:
        """End all: each is asked in the order of their start, who takes work before who does it, then awaited.

        They end side by side, so the longest of them is the time it takes. Work handed over meanwhile stays queued.
        """
        for child in self._started:
            if child.process.poll() is None:
                child.process.terminate()
        asked = time.monotonic()
        for child in self._started:
            end(child.process.pid, child.process, asked=asked)
        for log_of_name in self._logs.values():
            log_of_name.drain()
        self._started.clear()
        self._record()

    def _record(self) -> None:
        path = record_file(self._instance)
        if not self._started:
            path.unlink(missing_ok=True)
            return
        entries = [{"pid": child.process.pid, "command": " ".join(child.command)} for child in self._started]
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(entries))
        fresh.rename(path)


def record_file(instance: Path) -> Path:
    """Where the processes of the present run are written down, for the run after a crash."""
    return instance / "children.json"


def clear_leftovers(instance: Path) -> int:
    """End what a killed run left behind; returns how many. Only the recorded commands are touched."""
    path = record_file(instance)
    try:
        entries = json.loads(path.read_text())
        recorded = [(int(entry["pid"]), str(entry["command"])) for entry in entries]
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError):
        recorded = []
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror or error}") from error
    ended = 0
    for pid, command in recorded:
        if is_alive(pid) and command_line(pid).strip() == command:
            log.warning("ending %s, which an earlier run left behind", command)
            end(pid)
            ended += 1
    path.unlink(missing_ok=True)
    return ended


def end(pid: int, child: subprocess.Popen[bytes] | None = None, asked: float | None = None) -> None:
    """End a process and then whatever is left of its group; `asked` is when it got its TERM, if it did."""
    for signal_number, seconds in STOP_SIGNALS:
        began = time.monotonic()
        if signal_number == signal.SIGTERM and asked is not None:
            began = asked
        elif not _is_over(pid, child):
            with suppress(ProcessLookupError):
                os.kill(pid, signal_number)
        while not _is_over(pid, child) and time.monotonic() < began + seconds:
            time.sleep(POLL_SECONDS)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _is_over(pid: int, child: subprocess.Popen[bytes] | None) -> bool:
    return child.poll() is not None if child is not None else not is_alive(pid)
