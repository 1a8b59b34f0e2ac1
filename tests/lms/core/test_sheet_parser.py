"""The parser of spreadsheets in this process: its two ways of reading, whole and as a stream."""

import io
from dataclasses import asdict

import pytest
import xlsxwriter

from lms.core import sheet_parser
from lms.core.errors import DomainError
from lms.core.sheet_archive import Workbook
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


def parsed(content: bytes, **named: object) -> list[object]:
    return list(sheet_parser.program(io.BytesIO(content), limits=asdict(Limits(rows=30)), **named))  # type: ignore[arg-type]


def book_of_classes() -> bytes:
    """Instructions, a class with hidden rows and columns, an empty sheet, a list that is too long, and a hidden sheet."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet("说明").write(0, 0, "请填写")
        page = book.add_worksheet("一班")
        for number in range(26):
            page.write_row(number, 0, ["姓名", "内部", "手机"] if not number else [f"学员{number}", "x", number])
        page.set_column(1, 1, None, None, {"hidden": True})
        page.set_column(5, 9, None, None, {"hidden": True})
        for number in (4, 5, 6, 20, 900):
            page.set_row(number, None, None, {"hidden": True})
        book.add_worksheet("空")
        long = book.add_worksheet("旧名单")
        long.write_column(0, 0, ["x"] * 40)
        hidden = book.add_worksheet("密")
        hidden.write(2, 1, "藏")
        hidden.hide()
    return content.getvalue()


def test_outlines_name_what_is_hidden_and_give_the_first_visible_rows() -> None:
    notes, first, empty, old, secret = parsed(book_of_classes(), outline=True)
    assert notes == ("说明", False, [], [], [(1, ["请填写"])])
    assert first[:4] == ("一班", False, [(5, 7), (21, 21)], [1])  # type: ignore[index]
    rows = first[4]  # type: ignore[index]
    assert len(rows) == sheet_parser.OUTLINED_ROWS
    assert rows[:2] == [(1, ["姓名", "", "手机"]), (2, ["学员1", "", "1"])]
    assert [number for number, _cells in rows[3:6]] == [4, 8, 9]
    assert empty == ("空", False, [], [], [])
    assert len(old[4]) == sheet_parser.OUTLINED_ROWS  # type: ignore[index]
    assert secret == ("密", True, [], [], [(3, ["", "藏"])])


def test_a_sheet_is_read_without_what_is_hidden_unless_that_is_wanted() -> None:
    content = book_of_classes()
    assert parsed(content) == [(1, ["请填写"])]
    rows = parsed(content, sheet="一班", after=1)
    assert rows[0] == (2, ["学员1", "", "1"])
    assert len(rows) == 25 - 4
    everything = parsed(content, sheet="一班", after=1, hidden=True)
    assert everything[0] == (2, ["学员1", "x", "1"])
    assert len(everything) == 25
    assert parsed(content, sheet="密", hidden=True) == [(3, ["", "藏"])]


@pytest.mark.parametrize(
    ("sheet", "code"), [("密", "sheet_missing"), ("四班", "sheet_missing"), ("旧名单", "file_too_long")]
)
def test_a_sheet_that_cannot_be_read_is_refused(sheet: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        parsed(book_of_classes(), sheet=sheet)
    assert refused.value.code == code


def test_a_workbook_is_refused_at_once_where_all_its_lists_are_too_long() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet().write_column(0, 0, ["x"] * 31)
    with pytest.raises(DomainError) as refused:
        parsed(content.getvalue(), outline=True)
    assert refused.value.code == "file_too_long"


def test_a_csv_file_is_one_sheet() -> None:
    content = "台账，甲，乙\n姓名,手机\n\n张三,138\n".encode()
    assert parsed(content, outline=True, known=["姓名", "手机"]) == [
        ("", False, [], [], [(1, ["台账，甲，乙"]), (2, ["姓名", "手机"]), (4, ["张三", "138"])])
    ]


def test_a_long_sheet_is_skimmed_for_hidden_rows_and_gives_the_same_outline() -> None:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        page = book.add_worksheet("长")
        for number in range(15_000):
            page.write_row(number, 0, ["姓名", number])
        for number in (3, 7_000, 7_002, 7_003, 14_999):
            page.set_row(number, None, None, {"hidden": True})
    workbook = Workbook(content.getvalue(), limits := Limits(rows=15_000))
    [part] = workbook.sheets
    skimmed, exact = (sheet_parser._outlined(workbook, part, limits, skims=skims) for skims in (True, False))
    assert skimmed == exact
    assert exact[0][2] == [(4, 4), (7_001, 7_001), (7_003, 7_004), (15_000, 15_000)]
    assert sheet_parser._outlined(workbook, part, Limits(rows=14_000), skims=True)[1]
