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
from pyarrow import parquet
from python_calamine import CalamineWorkbook

from lms.core.exports import (
    Cell,
    DecimalHours,
    Format,
    Reference,
    Share,
    Sheet,
    escape_formula,
    write,
)

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


def worksheet(content: bytes, number: int = 1) -> ET.Element:
    with ZipFile(io.BytesIO(content)) as book:
        return ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))


def formulas(content: bytes) -> list[str]:
    return [element.text or "" for element in worksheet(content).iter() if element.tag.endswith("}f")]


@pytest.mark.parametrize("text", EVIL)
def test_csv_holds_no_formula(text: str) -> None:
    rows = read_csv(made(Format.CSV, [[text, 1, 1.5, None]]))
    assert rows[4][0] == f"'{text}"
    assert all(not cell.lstrip().startswith(tuple("=+-@＝＋－＠")) for row in rows for cell in row)


@pytest.mark.parametrize("text", EVIL)
def test_xlsx_holds_the_text_itself_as_text(text: str) -> None:
    content = made(Format.XLSX, [[text, 1, 1.5, None]], [text, 2, None, None])
    assert formulas(content) == []
    rows = read_xlsx(content)
    assert str(rows[1][0]).replace("\r", "\n").strip() == text.replace("\r", "\n").strip()


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
    assert read[1] == ["北京市第一小学", -1234567.0, 7.5, date(2026, 3, 31)]
    assert read[2][:3] == ["合计", -1234567.0, 7.5]


def test_the_lines_about_a_table_stand_on_a_sheet_of_their_own() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(made(Format.XLSX, [["甲", 1, 1.5, None]])))
    assert book.sheet_names == ["=标题", "说明 About"]
    assert book.get_sheet_by_index(1).to_python()[2][:2] == ["=筛选", "+第一小学"]


def test_a_total_is_a_formula_where_it_is_the_sum_of_its_rows_and_a_number_elsewhere() -> None:
    table = Sheet(
        "月报 [2026/3]: 'x'", ["期间", "人次", "人数", "人时", "合格率", "编号"],
        [["1月", 1200, 30, DecimalHours(100 / 60), Share(0.983), Reference(4039106)],
         ["2月", 300, 20, DecimalHours(100 / 60), Share(0.5), Reference(4039107)]],
        total=["合计", 1500, 45, DecimalHours(200 / 60), Share(0.8), None],
    )  # fmt: skip
    file = io.BytesIO()
    write(table, Format.XLSX, file)
    content = file.getvalue()
    assert formulas(content) == ["SUBTOTAL(109,B2:B3)", "SUBTOTAL(109,D2:D3)"]
    assert read_xlsx(content)[-1] == ["合计", 1500, 45, pytest.approx(3.3333, abs=1e-3), 0.8, ""]
    page = worksheet(content)
    text = ET.tostring(page, encoding="unicode")
    assert 'state="frozen"' in text
    assert 'ref="A1:F3"' in text  # the filter leaves the total in sight
    with ZipFile(io.BytesIO(content)) as book:
        styles, outline = book.read("xl/styles.xml").decode(), book.read("xl/workbook.xml").decode()
    assert "0.0%" in styles
    assert "月报  2026 3" in outline


def test_csv_shows_percentages_to_people_and_numbers_to_programs() -> None:
    table = Sheet(
        "t", ["a", "b", "c"], [["甲", Share(0.983), DecimalHours(100 / 60)]], [("x", "y")], ["合计", None, None]
    )
    printed, data = io.BytesIO(), io.BytesIO()
    write(table, Format.CSV, printed)
    write(table, Format.CSV, data, data_only=True)
    assert read_csv(printed.getvalue())[4] == ["甲", "98.3%", "1.67"]
    assert read_csv(data.getvalue()) == [["a", "b", "c"], ["甲", "0.983", "1.67"]]


def test_each_column_of_parquet_has_a_type_even_without_a_value() -> None:
    file = io.BytesIO()
    write(Sheet("t", ["a", "b", "c"], [["甲", None, None]], total=["合计", 0, None]), Format.PARQUET, file)
    file.seek(0)
    assert [str(kind) for kind in parquet.read_table(file).schema.types] == ["string", "double", "string"]


def test_rows_are_read_once_and_may_be_a_stream() -> None:
    for form in Format:
        file = io.BytesIO()
        stream = ([f"单位{n}", n, None, None] for n in range(1000))
        assert write(Sheet("t", ["a", "b", "c", "d"], stream), form, file) == 1000
