"""The parser of spreadsheets in this process: its two ways of reading, whole and as a stream."""

import io
from dataclasses import asdict

import pytest

from lms.core import sheet_parser
from lms.core.errors import DomainError
from lms.core.sheet_cells import COLUMNS, Limits


def streamed(content: bytes, **named: object) -> list[tuple[int, list[str]]]:
    return list(sheet_parser.program(io.BytesIO(content), encoding="utf-8-sig", delimiter=",", **named))  # type: ignore[arg-type]


def test_a_file_is_read_whole_and_its_cells_are_cleaned() -> None:
    content = "姓名,电话\n\n 张三 ,'138\n".encode()
    assert list(sheet_parser.program(io.BytesIO(content), limits=asdict(Limits()))) == [
        (1, ["姓名", "电话"]),
        (3, ["张三", "138"]),
    ]
    assert list(sheet_parser.program(io.BytesIO(content), limits=asdict(Limits()), after=1)) == [(3, ["张三", "138"])]


def test_a_stream_leaves_cells_as_they_are_and_skips_what_was_read() -> None:
    assert streamed("\ufeffa, b\n,\n'c,d\n".encode()) == [(1, ["a", " b"]), (3, ["'c", "d"])]
    assert streamed(b"a\nb\nc\n", after=2) == [(3, ["c"])]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a\n" + b"x," * (COLUMNS + 1) + b"\n", "file_too_wide"),
        (b"a\n\xff\n", "file_broken"),
        (b'"' + b"a" * 140_000, "file_broken"),
    ],
)
def test_a_stream_is_refused_where_it_is_no_table(content: bytes, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        streamed(content)
    assert refused.value.code == code
