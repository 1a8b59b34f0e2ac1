"""CSV files: what parts their columns, and row numbers as Excel shows them."""

import io

import pytest

from lms.core import sheet_csv
from lms.core.errors import DomainError
from lms.core.sheet_cells import COLUMNS, Limits
from lms.core.sheet_csv import delimiter_of

KNOWN = frozenset({"课程", "姓名", "手机", "备注"})


@pytest.mark.parametrize(
    ("text", "known", "delimiter"),
    [
        ("台账，海淀区，清河街道，2018年，共一人\n课程,姓名,手机\nFR,张三,138\n", KNOWN, ","),
        ("注：甲，乙；丙，丁\n甲，乙，丙，丁\n姓名\t手机\n张三\t138\n", KNOWN, "\t"),
        ('姓名;"备注\n(可写多行，用,分开,,,)";手机\n张三;"a,b,c\nd,e,f";138\n', KNOWN, ";"),
        ("姓名，手机\n张三，138\n", KNOWN, "，"),
        ("姓名；手机\n张三；138\n", frozenset(), "；"),
        ("名单，甲，乙\n编号,姓名\nA-1,张三，李四\nA-2,王五\n", frozenset(), ","),
        ("A-1 张三\nA-2 李四，男\n", frozenset(), ","),
        ("sep=;\n姓名,手机;x\n", KNOWN, ";"),
        ('"sep=\t"\r\n姓名,手机\n', KNOWN, "\t"),
        ("", KNOWN, ","),
    ],
    ids=[
        "title",
        "remarks",
        "quotes",
        "full width",
        "full width, unknown",
        "list",
        "one column",
        "sep",
        "sep tab",
        "empty",
    ],
)
def test_the_heading_row_tells_what_parts_columns(text: str, known: frozenset[str], delimiter: str) -> None:
    assert delimiter_of(text, known) == delimiter


def numbered(text: str) -> list[sheet_csv.Row]:
    whole = list(sheet_csv.rows(text, ",", Limits()))
    assert list(sheet_csv.streamed(io.BytesIO(text.encode()), "utf-8-sig", ",", 0)) == whole
    return whole


def test_rows_are_counted_as_excel_counts_them() -> None:
    text = '\n"姓名\r\n(必填)",手机\r\n\r\n张三,138\r\n,,\r\n李四,139'
    rows = list(sheet_csv.rows(text, ",", Limits()))
    assert rows == [(2, ["姓名 (必填)", "手机"]), (4, ["张三", "138"]), (6, ["李四", "139"])]
    assert [number for number, _ in sheet_csv.streamed(io.BytesIO(text.encode()), "utf-8", ",", 2)] == [4, 6]


def test_the_line_of_excel_that_names_the_delimiter_is_no_row() -> None:
    assert numbered("\ufeffsep=,\r\na,b\r\nc,d\r\n") == [(1, ["a", "b"]), (2, ["c", "d"])]
    assert numbered("sep,b\r\n") == [(1, ["sep", "b"])]


def test_empty_cells_and_a_stray_one_far_away_cost_nothing() -> None:
    far = "," * 16_383
    rows = numbered(f"a,b\n{far}\n" + ",\n" * 9000 + f"c{far}x\n")
    assert [(number, len(cells)) for number, cells in rows] == [(1, 2), (9003, 16_384)]
    assert COLUMNS < 16_384


@pytest.mark.parametrize(
    "text", ['姓名,备注\n张三,"右手\n李四,x\n王五,y\n', '姓名,备注\n张三,"右手\n李四,x\n王五,"左手"\n']
)
def test_a_quotation_mark_without_a_partner_swallows_no_rows(text: str) -> None:
    for read in (
        lambda: list(sheet_csv.rows(text, ",", Limits())),
        lambda: list(sheet_csv.streamed(io.BytesIO(text.encode()), "utf-8", ",", 0)),
    ):
        with pytest.raises(DomainError) as refused:
            read()
        assert refused.value.code == "file_quote"


def test_quotation_marks_within_a_line_are_read_as_excel_reads_them() -> None:
    assert numbered('5" 管,"a"b,"d""e"\n') == [(1, ['5" 管', "ab", 'd"e'])]
    assert list(sheet_csv.rows('\ufeff"姓\n名",x\n', ",", Limits())) == [(1, ["姓 名", "x"])]


@pytest.mark.parametrize(
    "text", ["<html><table><tr><td>姓名", '<?xml version="1.0"?>\n<Workbook>', "  <TABLE border=1>"]
)
def test_a_page_that_a_program_calls_a_sheet_of_excel_is_refused_in_words(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        list(sheet_csv.rows(text, ",", Limits()))
    assert refused.value.code == "file_old"
