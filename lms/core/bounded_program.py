"""The main program in the process of `lms.core.bounded_process`: it limits itself, then lets a parser read standard input.

The one argument is the task as JSON: the module, the arguments of its function `program`, and the limits. Standard
output gets lines of JSON: `["values", […]]` as often as needed, and then one of `["end"]`, `["refused", …]` with a
DomainError, `["memory"]` and `["failed", name of the error]`.

This file is run by its path, so that nothing else of ours is loaded: it imports the module, and what that imports.
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120
from lms.core.errors import DomainError

BATCH_BYTES = 1 << 17
NICENESS = 5  # check-ins and pages have the processor first
OPEN_FILES = 64
_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def limit(processor_seconds: int, memory_bytes: int) -> None:
    """Set what this process may take, as far as the system has such limits. It may write no file and no core."""
    limits = {
        "RLIMIT_CPU": processor_seconds, "RLIMIT_AS": memory_bytes, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": OPEN_FILES,
    }  # fmt: skip
    for name, most in limits.items():
        with suppress(AttributeError, ValueError, OSError):
            number = getattr(resource, name)
            hard = resource.getrlimit(number)[1]
            resource.setrlimit(number, (most if hard == resource.RLIM_INFINITY else min(most, hard),) * 2)
    with suppress(OSError):
        os.nice(NICENESS)


def write_answers(program: Callable[..., Iterable[Any]], arguments: dict[str, Any]) -> None:
    """Run the program; write its values in lists of a moderate length, and then how they ended."""
    batch: list[str] = []
    size = 0
    ending: list[Any] = ["end"]
    try:
        for value in program(sys.stdin.buffer, **arguments):
            batch.append(_as_json(value))
            size += len(batch[-1])
            if size >= BATCH_BYTES:
                _write_values(batch)
                batch, size = [], 0
    except MemoryError:
        batch, ending = [], ["memory"]
    except BaseException as error:  # also what no library should raise, as Rust's panics do
        if isinstance(error, DomainError):
            ending = ["refused", error.code, error.message, error.status, error.field, error.params]
        else:
            ending = ["failed", type(error).__name__]
    if batch:
        _write_values(batch)
    _write(_as_json(ending))


def _write_values(batch: list[str]) -> None:
    _write(f'["values",[{",".join(batch)}]]')


def _write(frame: str) -> None:
    sys.stdout.buffer.write(frame.encode() + b"\n")
    sys.stdout.buffer.flush()


def main(task: dict[str, Any]) -> None:
    """Run the program and write its answers. Libraries are imported before the limits are set: only the file is bounded."""
    program = import_module(task["module"]).program
    limit(task["processor_seconds"], task["memory_bytes"])
    write_answers(program, task["arguments"])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
