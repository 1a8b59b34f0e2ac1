"""The output of the process that parses a file: values in batches, then how they ended."""

import io
import json
import sys
from collections.abc import Iterator
from typing import IO, Any

import pytest

from lms.core import bounded_program
from lms.core.errors import DomainError


def written(monkeypatch: pytest.MonkeyPatch, program: Any, content: bytes = b"") -> list[Any]:
    output = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    monkeypatch.setattr(sys, "stdout", output)
    bounded_program.write_answers(program, {})
    monkeypatch.undo()
    return [json.loads(line) for line in output.buffer.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_values_come_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(stream: IO[bytes]) -> Iterator[str]:
        return (chr(0x4E00 + number) * 50_000 for number in range(5))

    *batches, ending = written(monkeypatch, program)
    assert [len(values) for _kind, values in batches] == [3, 2]
    assert ending == ["end"]


def test_values_before_an_error_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def program(stream: IO[bytes]) -> Iterator[str]:
        yield stream.read().decode()
        raise DomainError("no", "No %(what)s.", field="file", what="more")

    assert written(monkeypatch, program, b"x") == [
        ["values", ["x"]],
        ["refused", "no", "No %(what)s.", 409, "file", {"what": "more"}],
    ]


@pytest.mark.parametrize(
    ("error", "ending"), [(MemoryError(), ["memory"]), (KeyError("secret"), ["failed", "KeyError"])]
)
def test_an_error_that_comes_before_any_value_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception, ending: list[str]
) -> None:
    def program(stream: IO[bytes]) -> Iterator[str]:
        raise error

    assert written(monkeypatch, program) == [ending]
