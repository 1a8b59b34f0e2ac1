"""A program for the tests of `lms.core.bounded_process`, which does what a parser should not."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lms.core.errors import N_, DomainError


def program(stream: IO[bytes], *, act: str = "echo") -> Iterator[Any]:
    """Do one thing, named by `act`."""
    match act:
        case "echo":
            yield from ([number, line.decode()] for number, line in enumerate(stream))
        case "spin":
            while True:
                pass
        case "sleep":
            time.sleep(3600)
        case "allocate":
            yield len(bytearray(4 << 30))
        case "recurse":
            yield _recurse(10**6)
        case "flood":
            while True:
                yield "x" * 100_000
        case "die":
            os.abort()
        case "fail":
            yield 1
            raise ValueError("a secret of the file")
        case "refuse":
            yield 1
            raise DomainError(
                "no", N_("This page does not exist, or you may not see it."), status=422, field="file", most=3
            )
        case "look":
            yield dict(os.environ)
            paths = [Path(f"/proc/self/fd/{number}") for number in range(200)]
            yield [str(path.readlink()) for path in paths if path.is_symlink()]
            yield str(Path.cwd())
        case "write":
            with tempfile.TemporaryFile("w") as file:
                file.write("x")


def _recurse(depth: int) -> int:
    return depth and 1 + _recurse(depth - 1)
