"""The files in `instance/log`: what the started programs print, rotated by size while they run.

A program writes to a pipe, and a thread of `flask up` copies its lines to the file. So several processes, such as gunicorn's
workers, share one log without knowing of it, no line is lost or cut at a rotation, and programs that run as other users need
no right to the folder. In production there is no such file: programs print to standard error, for journald.
"""

import fcntl
import os
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Protocol

LOG_BYTES = 5_000_000
LOGS_KEPT = 5  # older files beside the current one: web.log.1 is the newest of them
TAIL_BYTES = 20_000
CHUNK_BYTES = 65_536
PIPE_BYTES = 1_048_576  # what programs may print while the copying thread waits for the disk
DRAIN_SECONDS = 2.0


class Log(Protocol):
    """Where the output of one program goes."""

    path: Path

    def open(self) -> int:
        """A descriptor for a new process to write to; the caller closes it once the process has it."""

    def said(self) -> str:
        """The end of what the last process wrote. Complete once that process has ended."""


class PlainLog:
    """A file that the process writes to by itself, for servers of tests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._position = 0

    def open(self) -> int:
        """A descriptor of the file."""
        descriptor = _open(self.path)
        self._position = os.fstat(descriptor).st_size
        return descriptor

    def said(self) -> str:
        """The end of what was written since `open`."""
        with suppress(OSError), self.path.open("rb") as file:
            file.seek(max(self._position, self.path.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace")
        return ""


class RotatingLog:
    """A file that begins anew at `limit` bytes; `kept` older ones stay beside it."""

    def __init__(self, path: Path, limit: int = LOG_BYTES, kept: int = LOGS_KEPT) -> None:
        self.path = path
        self._limit = limit
        self._kept = kept
        self._tail = b""
        self._thread: Thread | None = None

    def open(self) -> int:
        """The writing end of a pipe, whose lines are copied to the file until the last process closes it."""
        self.drain()
        reader, writer = os.pipe()
        if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux
            with suppress(OSError):
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._tail = b""
        self._thread = Thread(target=self._copy, args=(reader,), name=f"log {self.path.name}", daemon=True)
        self._thread.start()
        return writer

    def drain(self) -> None:
        """Wait until the lines of processes that have ended are in the file."""
        if self._thread is not None:
            self._thread.join(DRAIN_SECONDS)

    def said(self) -> str:
        """The end of what was written since `open`."""
        self.drain()
        return self._tail.decode(errors="replace")

    def _copy(self, reader: int) -> None:
        """Write whole lines: a file ends with a line, and the next begins with one."""
        unfinished = b""
        with open(reader, "rb", buffering=0) as pipe:
            while chunk := pipe.read(CHUNK_BYTES):
                lines, newline, unfinished = (unfinished + chunk).rpartition(b"\n")
                if len(unfinished) > CHUNK_BYTES:
                    lines, newline, unfinished = lines + newline + unfinished, b"\n", b""
                self._write(lines + newline)
        if unfinished:
            self._write(unfinished + b"\n")

    def _write(self, lines: bytes) -> None:
        self._tail = (self._tail + lines)[-TAIL_BYTES:]
        with suppress(OSError):  # the disk is full: the programs go on, and their lines are lost
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            with open(_open(self.path), "ab") as file:
                if file.tell() and file.tell() + len(lines) > self._limit:
                    self._rotate()
                    with open(_open(self.path), "ab") as fresh:
                        fresh.write(lines)
                else:
                    file.write(lines)

    def _rotate(self) -> None:
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{number}") for number in range(1, self._kept + 1))]
        for newer, older in reversed(list(pairwise(names))):
            with suppress(FileNotFoundError):
                newer.replace(older)


def _open(path: Path) -> int:
    """Open for appending; readable to the owner alone, also when an earlier version made the file for all to read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    os.lseek(descriptor, 0, os.SEEK_END)
    return descriptor
