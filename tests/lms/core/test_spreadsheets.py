"""Spreadsheets that people send: encodings, Excel's habits, and files that are refused."""

import io
import random
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
import xlsxwriter

from lms.core import spreadsheets
from lms.core.errors import DomainError
from lms.core.spreadsheets import Limits


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
        (HEAD + b"<row>" + b"<c/>" * 101 + b"</row>" + FOOT, "file_too_long"),
        (HEAD + b"<row/>" * 5001 + FOOT, "file_too_long"),
        (
            HEAD + (b"<row>" + b"<c/>" * 90 + b"</row>") * 4900 + (b"<row>" + b"<c/>" * 100 + b"</row>") * 99 + FOOT,
            None,
        ),
        (HEAD + (b"<row>" + b"<c r='A1'/>" * 500_001) + b"</row>" + FOOT, "file_too_long"),
        (HEAD + b"<row><c " + b" " * 200_000 + b"r='XFD1048576'/></row>" + FOOT, "file_too_long"),
        (HEAD + b"<row><x:c xmlns:x='y' a='>' r='XFD1048576'/></row>" + FOOT, "file_too_long"),
        (HEAD + b"<row><c a='<' r='XFD1048576'/></row>" + FOOT, "file_broken"),
        (HEAD + b"<row><c r='A0000000000000000001'/></row>" + FOOT, "file_broken"),
        (b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]>" + HEAD + FOOT, "file_broken"),
        (HEAD + b"<a>" * 1_000_000, "file_broken"),
    ],
    ids=[
        "cells never closed",
        "too wide",
        "too many rows",
        "blank cells",
        "too many cells",
        "far away after blanks",
        "far away with a prefix",
        "no XML",
        "zeros in a place",
        "an entity",
        "deep",
    ],
)
def test_a_sheet_is_counted_before_room_is_made_for_its_cells(sheet: bytes, code: str | None) -> None:
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
