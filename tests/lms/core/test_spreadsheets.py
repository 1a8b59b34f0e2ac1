"""Spreadsheets that people send: encodings, Excel's habits, and files that are refused."""

import csv
import io
import random
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from datetime import time as dt_time

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.core import sheet_parser, spreadsheets
from lms.core.bounded_process import Bounds
from lms.core.errors import DomainError
from lms.core.sheet_formats import general
from lms.core.spreadsheets import Limits, clean


def xlsx(*rows: list[object]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return file.getvalue()


def code_of(content: bytes, limits: Limits = spreadsheets.UPLOAD) -> str:
    with pytest.raises(DomainError) as refused:
        spreadsheets.read(content, limits)
    assert (refused.value.field, refused.value.status) == ("file", 422)
    return refused.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_the_encodings_of_chinese_offices(encoding: str, delimiter: str) -> None:
    content = f"姓名{delimiter}电话\r\n\r\n 张三 {delimiter}'13812345678\r\n".encode(encoding)
    assert spreadsheets.read(content) == [(1, ["姓名", "电话"]), (3, ["张三", "13812345678"])]


def test_a_number_of_excel_is_read_as_it_was_typed() -> None:
    rows = spreadsheets.read(xlsx(["电话", "得分"], [13812345678, 7.5]))
    assert rows == [(1, ["电话", "得分"]), (2, ["13812345678", "7.5"])]


def test_a_number_whose_last_digits_excel_lost_is_no_number() -> None:
    assert spreadsheets.read(xlsx([110101199003071234])) == [(1, ["1.10101E+17"])]


def test_full_width_digits_are_made_narrow() -> None:
    assert spreadsheets.digits(" '１３８ 1234 ") == "1381234"


def test_what_cannot_be_read_is_refused() -> None:
    assert code_of(b"PK\x03\x04broken") == "file_broken"
    assert code_of(b"\xd0\xcf\x11\xe0") == "file_old"
    assert code_of(b"a\x00b") == "file_broken"


def test_what_is_too_large_is_refused() -> None:
    assert code_of(b"a,b\n" * 10, Limits(rows=5)) == "file_too_long"
    assert code_of(xlsx(*([number] for number in range(10))), Limits(rows=5)) == "file_too_long"
    assert code_of(b"x" * (2 << 20), Limits(file_megabytes=1)) == "file_too_large"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (2 << 20))
    assert code_of(file.getvalue(), Limits(unpacked_bytes=1 << 20)) == "file_bomb"


def with_sheet(sheet: bytes) -> bytes:
    """A workbook whose first sheet has this XML."""
    made, file = io.BytesIO(xlsx([1])), io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member, sheet if member.filename.endswith("sheet1.xml") else old.read(member))
    return file.getvalue()


HEAD, FOOT = b"<worksheet><sheetData>", b"</sheetData></worksheet>"


@pytest.mark.parametrize(
    ("sheet", "code"),
    [
        (HEAD + b"<c " * 5_000_000, "file_broken"),  # a search that begins anew at each "<c" would take hours
        (HEAD + b"<row>" + b"<c><v>1</v></c>" * 101 + b"</row>" + FOOT, "file_too_long"),
        (HEAD + b"<row><c><v>1</v></c></row>" * 5001 + FOOT, "file_too_long"),
        (HEAD + b"<row>" + b"<c/>" * 101 + b"</row>" + b"<row/>" * 5001 + FOOT, None),
        (
            HEAD + (b"<row>" + b"<c/>" * 90 + b"</row>") * 4900 + (b"<row>" + b"<c/>" * 100 + b"</row>") * 99 + FOOT,
            None,
        ),
        (HEAD + b"<row>" + b"<c r='A1'><v> </v></c>" * 500_001 + b"</row>" + FOOT, "file_too_long"),
        (HEAD + (b"<row><c/><c r='XFD%d'><v>1</v></c></row>" * 31) % tuple(range(1, 32)) + FOOT, "file_too_long"),
        (HEAD + b"<row><c " + b" " * 200_000 + b"r='XFE1048576'/></row>" + FOOT, "file_too_long"),
        (HEAD + b"<row><x:c xmlns:x='y' a='>' r='XFD1048577'/></row>" + FOOT, "file_too_long"),
        (HEAD + b"<row><c " + b" " * 200_000 + b"r='XFD1048576'/></row>" + FOOT, None),
        (HEAD + b"<row><c a='<' r='XFD1048576'/></row>" + FOOT, "file_broken"),
        (HEAD + b"<row><c r='A0000000000000000001'/></row>" + FOOT, "file_broken"),
        (b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>" + HEAD + FOOT, "file_broken"),
        (HEAD + b"<a>" * 1_000_000, "file_broken"),
    ],
    ids=[
        "cells never closed",
        "too wide",
        "too many rows",
        "many empty ones",
        "blank cells",
        "too many cells",
        "a list far away",
        "beyond the last column",
        "beyond the last row",
        "far away after blanks",
        "no XML",
        "zeros in a place",
        "an entity",
        "deep",
    ],
)
def test_a_sheet_is_counted_by_the_cells_that_hold_something(sheet: bytes, code: str | None) -> None:
    content = with_sheet(sheet)
    if code is None:
        assert spreadsheets.read(content) == []
    else:
        assert code_of(content) == code


SHARED = b"<sst>" + b"<si><t>a</t></si>" * 1_000_000 + b"</sst>"


def with_member(name: str, content: bytes) -> bytes:
    made, file = io.BytesIO(xlsx(["a"])), io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        assert name in old.namelist()
        for member in old.infolist():
            new.writestr(member, content if member.filename == name else old.read(member))
    return file.getvalue()


@pytest.mark.parametrize(
    ("attack", "limits"),
    [
        (with_sheet(HEAD + b"<c " * 5_000_000), spreadsheets.UPLOAD),
        (with_sheet(HEAD + (b"<row>" + b"<c/>" * 100 + b"</row>") * 4_999 + FOOT), spreadsheets.UPLOAD),
        (with_member("xl/sharedStrings.xml", SHARED), spreadsheets.UPLOAD),
        (with_sheet(b" " * (60 << 20)), spreadsheets.UPLOAD),
        (b",\n" * 1_500_000, Limits(rows=10_000_000)),
    ],
    ids=["cells never closed", "cells without a place", "a million texts", "a bomb", "a long list"],
)
def test_nobody_waits_while_a_file_is_parsed(attack: bytes, limits: Limits) -> None:
    """A thread that only counts loses the GIL for no longer than threads usually do. All that this process does is waiting."""
    longest = 0.0
    with ThreadPoolExecutor(1) as other:
        began = last = time.perf_counter()
        parsing = other.submit(lambda: spreadsheets.read(attack, limits))
        while not parsing.done():
            time.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
        parsing.exception()
    sys.stdout.write(f"{len(attack):,} bytes, parsed in {last - began:.2f} s: others waited {longest * 1000:.0f} ms\n")
    assert longest < 1


def test_a_row_of_a_streamed_file_does_not_take_the_memory_of_all_its_commas() -> None:
    with pytest.raises(DomainError) as refused:
        list(spreadsheets.stream_csv([b"," * (1 << 20)] * 64, "utf-8", ","))
    assert refused.value.code == "file_too_slow"


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    good = xlsx(["姓名", "电话"], ["王小明", 13812345678])
    for _try in range(6):
        damaged = bytearray(good)
        for _byte in range(chance.choice([1, 5, 200])):
            damaged[chance.randrange(4, len(damaged))] = chance.randrange(256)
        damaged = damaged[: chance.choice([len(damaged), len(damaged) // 2])]
        refusal = None
        try:
            spreadsheets.read(bytes(damaged))
        except DomainError as error:
            refusal = error
        assert refusal is None or (refusal.field, refusal.status) == ("file", 422)


def test_sheets_that_may_be_the_list_are_those_with_known_headings() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        for name, heading in (
            ("说明", ["姓名", "怎样填写"]),
            ("一班", ["姓名", "手机"]),
            ("二班", ["姓名", "手机（必填）"]),
        ):
            book.add_worksheet(name).write_row(0, 0, heading)
        book.add_worksheet("旧").write_row(0, 0, ["姓名", "手机"])
        book.get_worksheet_by_name("旧").hide()
    sheets = spreadsheets.outlines(file.getvalue(), known=frozenset({"姓名", "手机"}))
    assert [(sheet.name, sheet.hidden) for sheet in sheets] == [(n, n == "旧") for n in ("说明", "一班", "二班", "旧")]
    names = [sheet.name for sheet in spreadsheets.candidates(sheets, {"姓名", "手机"})]
    assert names == ["一班", "二班"]
    assert (
        len(spreadsheets.candidates(sheets, {"姓名", "手机"}, required=1))
        == len(spreadsheets.candidates(sheets, ()))
        == 3
    )
    assert spreadsheets.read(file.getvalue(), sheet="二班") == [(1, ["姓名", "手机（必填）"])]


def test_a_million_empty_rows_are_read_in_seconds_and_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the process that parses uploads, with bounds of 5 s and 200 MB."""
    rows = "".join(f'<row r="{n}" spans="1:2"><c r="A{n}" s="1"/></row>' for n in range(2, 1_000_002)).encode()
    row = b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>x</t></is></c></row>'
    content = with_sheet(HEAD + row % (1, 1) + rows + row % (1_000_002, 1_000_002) + FOOT)
    bounds = Bounds(seconds=5, processor_seconds=5, memory_bytes=200 << 20)
    monkeypatch.setattr(spreadsheets, "_UPLOAD_BOUNDS", bounds)
    began = time.perf_counter()
    assert spreadsheets.read(content) == [(1, ["x"]), (1_000_002, ["x"])]
    sys.stdout.write(f"{len(content):,} bytes, a million empty rows: {time.perf_counter() - began:.2f} s\n")


CELL = st.one_of(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=8),
    st.integers(-(10**17), 10**17),
    st.floats(-1e6, 1e6).map(lambda number: round(number, 3)),
    st.booleans(),
    st.builds(datetime.combine, st.dates(date(1901, 1, 1), date(2100, 1, 1)), st.just(dt_time(9, 20))),
    st.dates(date(1901, 1, 1), date(2100, 1, 1)),
    st.times().map(lambda moment: moment.replace(microsecond=0)),
    st.timedeltas(timedelta(0), timedelta(50)).map(lambda length: timedelta(seconds=round(length.total_seconds()))),
)


def as_seen(value: object) -> str:
    """The text that Excel shows for a value that XlsxWriter wrote, days and times in the form of `sheet_formats`."""
    if isinstance(value, bool | int) and abs(value) < 10**15:
        return str(value).upper()
    if isinstance(value, int):
        return general(repr(float(value)))
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") if value else "0"
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}".removesuffix(":00")
    return clean(value) if isinstance(value, str) else str(value).removesuffix(":00")


@settings(max_examples=60)
@given(table=st.lists(st.lists(CELL, min_size=1, max_size=8), min_size=1, max_size=5))
def test_whatever_a_cell_holds_is_read_as_excel_shows_it(table: list[list[object]]) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        codes = {datetime: "yyyy/m/d h:mm:ss", date: "yyyy年m月d日", dt_time: "h:mm:ss", timedelta: "[h]:mm:ss"}
        forms = {kind: book.add_format({"num_format": code}) for kind, code in codes.items()}
        page = book.add_worksheet()
        for number, line in enumerate(table):
            for column, value in enumerate(line):
                page.write(number, column, value, forms.get(type(value)))
    rows = dict(sheet_parser.rows(file.getvalue(), spreadsheets.UPLOAD))
    for number, line in enumerate(table, 1):
        seen = [as_seen(value) for value in line]
        if any(seen):
            assert rows[number][: len(seen)] + [""] * (len(seen) - len(rows[number])) == seen
        else:
            assert number not in rows


TEXT = st.text(st.sampled_from("张三,;\t，；\"\n'a1 "), max_size=6)


@settings(max_examples=150)
@given(
    body=st.lists(st.lists(TEXT, min_size=2, max_size=4), max_size=6),
    title=st.text(st.sampled_from("台账，；年。"), max_size=30),
    delimiter=st.sampled_from(",\t;"),
    encoding=st.sampled_from(("utf-8-sig", "utf-16", "gb18030")),
)
def test_csv_gives_the_same_rows_whatever_parts_it(
    body: list[list[str]], title: str, delimiter: str, encoding: str
) -> None:
    table = [[title], ["姓名", "备注\n(一,二；三)", "手机"], *body]
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(table)
    known = frozenset({"姓名", "备注", "手机"})
    rows = dict(sheet_parser.rows(file.getvalue().encode(encoding), spreadsheets.UPLOAD, known=known))
    for number, line in enumerate(table, 1):
        cleaned = [clean(cell) for cell in line]
        assert [*rows.get(number, []), *[""] * 4][: len(cleaned)] == cleaned
