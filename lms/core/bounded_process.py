"""Runs a parser of somebody's file in a process of its own, which is stopped when it takes too long or too much.

A small file can occupy a parser for minutes or gigabytes, and a library that holds the GIL stops every thread with it.
The process gets the file on its standard input and answers in lines of JSON (`lms.core.bounded_program`). It has no
setting, no open file and no connection of ours. It is started for each file: that takes 30 to 50 ms, and a fault of a
library does not outlive the file.
"""

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import structlog

from lms.core.errors import N_, DomainError

# In each process of ours: of the eight threads of a web process, three always remain for requests without a file.
RUNNING = 2
WAITING = 3
WAIT_SECONDS = 10.0
_PIECE = 1 << 16
_PROGRAM = str(Path(__file__).with_name("bounded_program.py"))
# Where a Python was installed so that its libraries are found by the environment alone.
_ENVIRONMENT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a process may take.

    seconds: for which its answer is awaited; the time that the caller takes between two answers does not count.
    frame_bytes: the length of one answer. output_bytes: of all answers.
    """

    seconds: float
    processor_seconds: int
    memory_bytes: int
    frame_bytes: int = 64 << 20
    output_bytes: int = 64 << 20


class BoundsExceeded(Exception):
    """The process passed one of its bounds and was stopped."""


class ProgramFailed(Exception):
    """The program ended with an error that is no DomainError: its library could not make sense of the file."""


class _Places:
    """Counts the running and the waiting processes of this process."""

    def __init__(self) -> None:
        self._running = threading.BoundedSemaphore(RUNNING)
        self._waiting = threading.BoundedSemaphore(RUNNING + WAITING)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a place to run. Raises DomainError (503) where too many wait, or for too long."""
        if not self._waiting.acquire(blocking=False):
            raise _busy()
        try:
            if not self._running.acquire(timeout=WAIT_SECONDS):
                raise _busy()
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._waiting.release()


_places = _Places()


def run(module: str, parts: Iterable[bytes], bounds: Bounds, **arguments: Any) -> Iterator[Any]:
    """Yield the values that `module.program(stream, **arguments)` yields in a process of its own.

    module: a module of ours that imports the parser. parts: the file; the next part is taken when the process has read the
    former. arguments: what JSON can write. Values arrive as JSON knows them: a tuple is a list. Whoever stops iterating
    stops the process.

    Raises DomainError as the program raised it, DomainError (503) where too many files are read at the same time,
    BoundsExceeded, and ProgramFailed for any other error of the program.
    """
    with _places.one(), _started(module, bounds, arguments) as process:
        for frame in _frames(process, parts, bounds):
            match frame:
                case ["values", list(values)]:
                    yield from values
                case ["end"]:
                    return
                case ["refused", str(code), str(message), int(status), field, dict(params)]:
                    raise DomainError(code, message, status=status, field=field, **params)
                case ["memory"]:
                    raise _exceeded("memory")
                case _:
                    raise _failed(str(frame)[:80])
        raise _ended(process)


@contextmanager
def _started(module: str, bounds: Bounds, arguments: dict[str, Any]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the program, and leave no process and no descriptor behind."""
    task = {
        "module": module, "arguments": arguments, "processor_seconds": bounds.processor_seconds,
        "memory_bytes": bounds.memory_bytes,
    }  # fmt: skip
    process = subprocess.Popen(  # noqa: S603 - our own program; its argument is a task of our own
        [sys.executable, "-I", _PROGRAM, json.dumps(task)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,
        bufsize=0,
    )
    try:
        yield process
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()


def _frames(process: "subprocess.Popen[bytes]", parts: Iterable[bytes], bounds: Bounds) -> Iterator[Any]:
    """Feed the process and yield its answers. Raises BoundsExceeded."""
    received, total = bytearray(), 0
    for piece in _pump(process, iter(parts), bounds.seconds):
        total += len(piece)
        received += piece
        if total > bounds.output_bytes or len(received) > bounds.frame_bytes:
            raise _exceeded("output")
        if b"\n" not in piece:
            continue
        *lines, rest = received.split(b"\n")
        received = rest
        for line in lines:
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield None


def _pump(process: "subprocess.Popen[bytes]", parts: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    """Yield what the process writes, until it closes its output, and write what it takes in between."""
    source, sink = _unblocked(process.stdout), _unblocked(process.stdin)
    left = seconds
    unsent: memoryview | None = memoryview(b"")
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        selector.register(sink, selectors.EVENT_WRITE)
        while True:
            began = time.monotonic()
            ready = {key.fileobj for key, _ in selector.select(left)}
            left -= time.monotonic() - began
            if left <= 0:
                raise _exceeded("seconds")
            if sink in ready:
                unsent = unsent or memoryview(next(parts, b""))
                try:
                    unsent = unsent[sink.write(unsent) or 0 :] if unsent else None
                except BrokenPipeError:  # it has read enough, or is dead
                    unsent = None
                if unsent is None:
                    selector.unregister(sink)
                    sink.close()
            if source in ready:
                piece = source.read(_PIECE)
                if piece == b"":
                    return
                if piece:
                    yield piece


def _unblocked(pipe: IO[bytes] | None) -> IO[bytes]:
    """The process's pipe, which then never blocks: a read or write that would returns None."""
    if pipe is None:
        raise RuntimeError("started without a pipe")
    os.set_blocking(pipe.fileno(), False)
    return pipe


def _ended(process: "subprocess.Popen[bytes]") -> Exception:
    """The error of a process that closed its output without a last answer: killed by a limit, or by a fault."""
    code = process.wait()
    return _exceeded(f"signal {-code}") if code < 0 else _failed(f"exit code {code}")


def _exceeded(bound: str) -> BoundsExceeded:
    log.warning("file_refused", code=bound)
    return BoundsExceeded(bound)


def _failed(reason: str) -> ProgramFailed:
    log.warning("file_unreadable", code=reason)
    return ProgramFailed(reason)


def _busy() -> DomainError:
    return DomainError(
        "files_busy", N_("Many files are being read at this moment. Try again in a minute."), status=503, field="file"
    )
