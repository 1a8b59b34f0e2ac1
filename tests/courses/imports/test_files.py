"""The file of an import: files that are refused before they are parsed, and how the encoding is recognised."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import time

import pytest
import xlsxwriter
from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.imports import files, kinds, past, runs
from courses.models.imports import ImportPiece, ImportRun
from lms.core import sheet_archive, sheet_parser, spreadsheets
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING

HEADINGS = ("课程", "区", "主办单位", "日期", "姓名", "手机")
ROW = ("FR", "东城区", "一号社区", "2015-03-07", "王小明", "13800138000")


def receive(db: Session, content: bytes, *, largest: int = files.LARGEST_FILE) -> ImportRun:
    kind = kinds.kind_of(past.PAST_TRAININGS.name)
    return runs.receive(db, kind, file=io.BytesIO(content), file_name="old", scope=EVERYTHING, largest=largest)


def refusal(db: Session, content: bytes, *, largest: int = files.LARGEST_FILE) -> str:
    with pytest.raises(DomainError) as refused:
        receive(db, content, largest=largest)
    assert refused.value.field == "file"
    return refused.value.code


def lines(*rows: Sequence[str]) -> str:
    return "".join(",".join(row) + "\r\n" for row in rows)


def workbook(fill: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], None]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        fill(book, book.add_worksheet())
    return content.getvalue()


def archive(sheet: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", sheet)
    return content.getvalue()


def with_stray_cell(place: str) -> bytes:
    """A workbook of one row, and of a cell at a place that its writer would not write."""

    def fill(_book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ROW)

    content, row = io.BytesIO(), "".join(filter(str.isdigit, place))
    stray = f'<row r="{max(int(row), 3)}"><c r="{place}"><v>1</v></c></row></sheetData>'.encode()
    with zipfile.ZipFile(io.BytesIO(workbook(fill))) as made, zipfile.ZipFile(content, "w") as packed:
        for name in made.namelist():
            packed.writestr(name, made.read(name).replace(b"</sheetData>", stray))
    return content.getvalue()


@pytest.fixture
def unparsed(parsed_here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever parses a workbook fails the test: the parser runs in this process, without its reader of sheets."""
    monkeypatch.setattr(sheet_parser, "SheetReader", None)


@pytest.mark.parametrize(
    ("encoding", "recognised"),
    [
        ("utf-8", "utf-8-sig"),
        ("utf-8-sig", "utf-8-sig"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
@pytest.mark.parametrize("piece", [7, files.PIECE_BYTES])
def test_an_encoding_is_told_by_its_bytes_wherever_pieces_are_cut(
    db: Session, monkeypatch: pytest.MonkeyPatch, encoding: str, recognised: str, piece: int
) -> None:
    monkeypatch.setattr(files, "PIECE_BYTES", piece)
    content = lines(HEADINGS, ROW).encode(encoding)
    run = receive(db, content)
    assert (run.encoding, run.file_bytes) == (recognised, len(content))
    assert [cells for _line, cells in files.rows(db, run)] == [list(HEADINGS), list(ROW)]


@pytest.mark.parametrize("mark", [",", "\t", ";", "，"])
def test_columns_are_parted_by_what_the_head_is_parted_by(db: Session, mark: str) -> None:
    run = receive(db, lines(HEADINGS, ROW).replace(",", mark).encode())
    assert set(run.mapping) == {"course", "district", "host", "days", "name", "phone"}


def test_a_file_above_the_limit_is_refused(db: Session) -> None:
    content = lines(HEADINGS, *[ROW] * 30_000).encode()
    assert refusal(db, content, largest=1 << 20) == "file_too_large"
    assert receive(db, content, largest=2 << 20).file_bytes == len(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\r\n\r\n", "file_empty"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "file_old"),
        (bytes(range(256)) * 4, "file_broken"),
        (b"\0\0\0\0", "file_broken"),
        (b"PK\x03\x04" + b"\0" * 600, "file_broken"),
        ((",".join("x" * 101) + "\n").encode(), "file_too_wide"),
    ],
)
def test_what_is_no_table_is_refused_in_words(db: Session, content: bytes, code: str) -> None:
    assert refusal(db, content) == code


@pytest.mark.usefixtures("unparsed")
def test_a_zip_bomb_is_refused_before_it_is_parsed(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        files, "WORKBOOK_LIMITS", spreadsheets.Limits(file_megabytes=64, unpacked_bytes=4 << 20, rows=1000)
    )
    bomb = archive(b" " * (40 << 20))
    assert len(bomb) < 1 << 20
    assert refusal(db, bomb) == "file_bomb"


@pytest.mark.parametrize("place", ["XFE3", "A1048577", "ZZZ9999999"])
def test_a_cell_beyond_the_last_one_of_excel_is_refused(db: Session, place: str) -> None:
    assert refusal(db, with_stray_cell(place)) == "file_too_long"


@pytest.mark.parametrize("place", ["XFD1048576", "A1048576", "XFD3"])
def test_a_stray_cell_far_away_costs_nothing(db: Session, place: str) -> None:
    run = receive(db, with_stray_cell(place))
    assert next(cells[: len(ROW)] for _line, cells in files.rows(db, run, after=1)) == list(ROW)


@pytest.mark.usefixtures("unparsed")
def test_an_archive_of_thousands_of_members_is_refused(db: Session) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for number in range(sheet_archive.MEMBERS + 1):
            packed.writestr(str(number), b"")
    assert refusal(db, content.getvalue()) == "file_too_long"


def test_titles_merged_above_the_headings_are_passed_over(db: Session) -> None:
    def fill(_book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.merge_range(0, 0, 0, 5, "北京市红十字会应急救护培训学员登记表")
        sheet.merge_range(1, 0, 1, 5, "填表人：李老师")
        sheet.write_row(2, 0, HEADINGS)
        sheet.write_row(3, 0, ROW)

    run = receive(db, workbook(fill))
    assert (run.encoding, run.head_line) == (files.XLSX, 3)
    assert run.mapping == {"course": 0, "district": 1, "host": 2, "days": 3, "name": 4, "phone": 5}
    assert [cells for _line, cells in files.rows(db, run, after=run.head_line)] == [list(ROW)]


def test_formulas_give_what_was_calculated_and_numbers_stay_as_they_were_typed(db: Session) -> None:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row(0, 0, [*HEADINGS, "开始时间"])
        sheet.write_row(1, 0, ROW[:4])
        sheet.write_formula(1, 4, '="王"&"小明"', None, "王小明")
        sheet.write_number(1, 5, 13800138000)
        sheet.write_datetime(1, 6, time(8, 30), book.add_format({"num_format": "hh:mm"}))
        sheet.write_string(2, 4, "=1+1")

    run = receive(db, workbook(fill))
    assert [cells for _line, cells in files.rows(db, run, after=1)] == [
        [*ROW, "08:30"],
        ["", "", "", "", "=1+1", "", ""],
    ]


def test_the_pieces_are_sealed_each_for_its_place(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE_BYTES", 64)
    run = receive(db, lines(HEADINGS, ROW, ROW).encode())
    pieces = select(ImportPiece).where(ImportPiece.number >= 0).order_by(ImportPiece.number)
    first, second = db.scalars(pieces.limit(2))
    assert "王小明".encode() not in first.content + second.content
    first.content, second.content = second.content, first.content
    db.flush()
    with pytest.raises(Exception, match=r"^$"):  # cryptography's InvalidTag says nothing
        list(files.rows(db, run))
