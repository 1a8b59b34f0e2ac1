"""Exported files as a spreadsheet program reads them: numbers, days and texts, and never a formula."""

import csv
import io
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from lms.core.exports import Cell, Format, Sheet, escape_formula, write

EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1+1", "＋1", "－1", "＠x", '=HYPERLINK("x")']


def sheet(rows: list[list[Cell]], total: list[Cell] | None = None) -> Sheet:
    return Sheet("=标题", ["@名称", "人次", "人时", "日期"], rows, [("=筛选", "+第一小学")], total)


def made(form: Format, rows: list[list[Cell]], total: list[Cell] | None = None) -> bytes:
    file = io.BytesIO()
    assert write(sheet(rows, total), form, file) == len(rows)
    return file.getvalue()


def read_csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")  # without it Excel opens Chinese as garbage
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content: bytes) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def formulas(content: bytes) -> int:
    with ZipFile(io.BytesIO(content)) as book:
        return sum(
            element.tag.endswith("}f")
            for name in book.namelist()
            if name.startswith("xl/worksheets/")
            for element in ET.fromstring(book.read(name)).iter()
        )


@pytest.mark.parametrize("text", EVIL)
def test_csv_holds_no_formula(text: str) -> None:
    rows = read_csv(made(Format.CSV, [[text, 1, 1.5, None]]))
    assert rows[4][0] == f"'{text}"
    assert all(not cell.lstrip().startswith(tuple("=+-@＝＋－＠")) for row in rows for cell in row)


@pytest.mark.parametrize("text", EVIL)
def test_xlsx_holds_the_text_itself_as_text(text: str) -> None:
    content = made(Format.XLSX, [[text, 1, 1.5, None]], [text, 1, 1.5, None])
    assert formulas(content) == 0
    rows = read_xlsx(content)
    assert str(rows[4][0]).replace("\r", "\n").strip() == text.replace("\r", "\n").strip()


@given(text=st.text(max_size=40))
def test_no_text_begins_as_a_formula(text: str) -> None:
    assert escape_formula(text)[:1] not in set("=+-@＝＋－＠\t\r\n")
    assert escape_formula(text).endswith(text)


def test_numbers_are_numbers_and_days_are_days() -> None:
    rows: list[list[Cell]] = [["北京市第一小学", -1234567, Decimal("7.5"), date(2026, 3, 31)]]
    total: list[Cell] = ["合计", -1234567, 7.5, None]
    written = read_csv(made(Format.CSV, rows, total))
    assert written[4] == ["北京市第一小学", "-1234567", "7.5", "2026-03-31"]
    assert written[5] == ["合计", "-1234567", "7.5", ""]
    read = read_xlsx(made(Format.XLSX, rows, total))
    assert read[4] == ["北京市第一小学", -1234567.0, 7.5, date(2026, 3, 31)]
    assert read[5][:3] == ["合计", -1234567.0, 7.5]
    assert read[1][:2] == ["=筛选", "+第一小学"]


def test_rows_are_read_once_and_may_be_a_stream() -> None:
    for form in Format:
        file = io.BytesIO()
        stream = ([f"单位{n}", n, None, None] for n in range(1000))
        assert write(Sheet("t", ["a", "b", "c", "d"], stream), form, file) == 1000
