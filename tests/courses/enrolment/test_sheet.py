"""Reading and writing spreadsheets of people: the files that offices send, and the files that are refused."""

import io
import zipfile
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from courses.enrolment import sheet, sheet_facts
from courses.enrolment.sheet_import import RowVerdict
from courses.enrolment.trainees import TraineeFacts
from courses.models.trainees import IdType
from lms.core import clock, exports, spreadsheets
from lms.core.cell_values import is_empty
from lms.core.errors import DomainError
from lms.core.exports import Format
from tests.courses.enrolment.sheets import HEADINGS, ID, csv_of, previewed, receive, xlsx_of
from tests.factories import Make


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_reads_the_encodings_of_chinese_offices(encoding: str, db: Session, make: Make) -> None:
    content = f"{HEADINGS}\r\n张三,13812345678,,,1990,,,\r\n".encode(encoding)
    [row] = previewed(db, make, content).rows
    assert row.facts == TraineeFacts("张三", phone="+8613812345678", birth_year=1990)
    assert row.number == 2


def test_reads_english_headings_below_a_title_among_other_columns(db: Session, make: Make) -> None:
    content = csv_of(
        "Company list;;", "No.;Name *;Mobile (required);ID number;Remarks", "1;Ann Lee;13812345678;;x", headings=""
    )
    [row] = previewed(db, make, content).rows
    assert row.facts == TraineeFacts("Ann Lee", phone="+8613812345678")
    assert row.number == 4


def test_reads_numbers_dates_and_full_width_digits_as_excel_saves_them(db: Session, make: Make) -> None:
    content = xlsx_of(
        ["姓名", "手机号码", "身份证号", "出生日期"],
        ["张三", 13812345678, ID, date(1949, 12, 31)],
        ["李四", "'13812345679", "", 1990.0],
        ["王五", "１３８１２３４５６７０", "", "1991年5月"],
        ["赵六", "138-1234-5671", "", "19920315"],
        ["孙七", 13812345672, 110105194912310021.0, ""],
    )
    rows = previewed(db, make, content).rows
    assert [row.facts.birth_year for row in rows if row.facts] == [1949, 1990, 1991, 1992]
    assert [row.facts.phone for row in rows if row.facts] == [f"+8613812345{n}" for n in (678, 679, 670, 671)]
    assert rows[4].verdict is RowVerdict.BAD
    assert rows[4].problem is not None
    assert "Excel has shortened" in rows[4].problem.message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_headings"),
        (b"\xff\xfe\xfd\x00\x01", "file_broken"),
        (b"PK\x03\x04 not a zip", "file_broken"),
        (b"\xd0\xcf\x11\xe0 old", "file_old"),
        (b"x" * ((spreadsheets.UPLOAD.file_megabytes << 20) + 1), "file_too_large"),
        ("姓名,年龄\r\n张三,3".encode(), "no_headings"),
        (HEADINGS.encode(), "no_rows"),
        ("姓名,手机\r\n".encode() + b"a,b\r\n" * 6000, "file_too_long"),
        (("姓名," * 200).encode(), "file_too_long"),
        (b"\x00" * 100, "file_broken"),
    ],
)
def test_files_that_are_refused(content: bytes, code: str, db: Session, make: Make) -> None:
    with pytest.raises(DomainError) as refused:
        receive(db, make, content)
    assert refused.value.code == code


def altered(name: str, content: bytes) -> bytes:
    """An XLSX with one member replaced."""
    altered_file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_of(["姓名", "手机"]))) as old, zipfile.ZipFile(altered_file, "w", 8) as new:
        for member in old.infolist():
            new.writestr(member.filename, content if member.filename == name else old.read(member))
    return altered_file.getvalue()


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("xl/theme/theme1.xml", " " * (spreadsheets.UPLOAD.unpacked_bytes + 1), "file_bomb"),
        ("xl/worksheets/sheet1.xml", SHEET % '<row r="1"><c r="XFE1" t="n"><v>1</v></c></row>', "file_too_long"),
        (
            "xl/worksheets/sheet1.xml",
            SHEET % '<row r="1"><c t="n" r = \'A9999999\'><v>1</v></c></row>',
            "file_too_long",
        ),
        ("xl/worksheets/sheet1.xml", SHEET % '<row r="1"><c r="A&#49;048577"><v>1</v></c></row>', "file_too_long"),
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row", "no_headings"),
    ],
    ids=["bomb", "beyond the last column", "beyond the last row", "beyond it by a reference", "broken off"],
)
def test_malicious_files_are_refused(name: str, body: str, code: str, db: Session, make: Make) -> None:
    with pytest.raises(DomainError) as refused:
        receive(db, make, altered(name, body.encode()))
    assert refused.value.code in {code, "file_broken"}


PEOPLE = st.builds(
    TraineeFacts,
    name=st.text(st.sampled_from("张王李欧阳小红明ABc·"), min_size=1, max_size=6).filter(lambda text: text.strip("·")),
    phone=st.integers(0, 99_999_999).map(lambda n: f"+86138{n:08d}"),
    email=st.none() | st.just("a.b@example.org"),
    birth_year=st.none() | st.integers(1930, 2005),
    id_number=st.none(),
    guardian_name=st.none() | st.just("王芳"),
    guardian_phone=st.none() | st.just("+8613900000000"),
) | st.builds(
    TraineeFacts,
    name=st.just("Ann Lee"),
    id_type=st.just(IdType.PASSPORT),
    id_number=st.integers(0, 9_999_999).map(lambda n: f"E{n:08d}"),
)


@pytest.mark.usefixtures("parsed_here")
@settings(max_examples=40)
@given(
    people=st.lists(PEOPLE, min_size=1, max_size=6),
    form=st.sampled_from((Format.CSV, Format.XLSX)),
    chinese=st.booleans(),
)
def test_people_written_under_the_template_are_read_back(
    people: list[TraineeFacts], form: Format, chinese: bool
) -> None:
    cells = []
    for facts in people:
        texts = {name: getattr(facts, name) for name in sheet.HEADINGS}
        cells.append([None if value is None else str(value) for value in texts.values()])
    empty = sheet.make_template("名单", [("必填", "姓名")], chinese=chinese)
    file = io.BytesIO()
    exports.write(exports.Sheet(empty.title, empty.headings, cells, preamble=empty.preamble), form, file)
    rows = sheet.read_people(file.getvalue()).rows
    assert [sheet_facts.parse_facts(row.cells, clock.branch_today()) for row in rows] == people


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
def test_rejected_rows_can_be_corrected_and_sent_again_and_contain_no_formula(
    form: Format, db: Session, make: Make
) -> None:
    rejected = previewed(db, make, csv_of('=cmd|calc,13812345678,,,1066,"@sum(1)",,')).rejected[0]
    rows = [(rejected.number, "原因", rejected.cells)]
    file = io.BytesIO()
    exports.write(sheet.make_rejected("未报名", ("行", "原因"), rows, chinese=True), form, file)
    if form is Format.CSV:
        assert "'=cmd" in file.getvalue().decode()
    [row] = sheet.read_people(file.getvalue()).rows
    assert row.cells["name"] == "=cmd|calc"
    assert row.cells["birth_year"] == "1066"


def test_a_list_with_two_people_in_a_row_is_refused() -> None:
    headings = "姓名,手机,姓名,手机"
    with pytest.raises(DomainError) as caught:
        sheet.read_people(csv_of("甲,13812345671,,", "乙,13812345672,丙,13812345673", headings=headings))
    assert (caught.value.code, caught.value.params) == ("side_by_side", {"row": 3})
    lines = ("甲,13812345671,,", headings, "合计：1人,,制表人：乙,")
    assert len(sheet.read_people(csv_of(*lines, headings=headings)).rows) == 1


def test_the_second_phone_is_read_where_there_is_no_first_one() -> None:
    people = sheet.read_people(csv_of("甲,010-62345678,13812345671", "乙,-,13812345672", headings="姓名,电话,手机"))
    assert [row.cells["phone"] for row in people.rows] == ["010-62345678", "13812345672"]
    assert [column.letter for column in people.unkept] == ["C"]


CELLS = st.text(st.sampled_from("王李13 8合计：。,·-NULL签字\u200b"), max_size=12) | st.sampled_from(
    ("姓名", "手机", "13812345678", "以下空白", "NULL", "-", "1990", "\u3164")
)


@settings(max_examples=200)
@given(st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=6))
def test_no_row_with_a_text_vanishes(rows: list[list[str]]) -> None:
    """Each row is a person, a note, or holds nothing but what stands for nothing and prepared numbers."""
    lines: set[int] = set()
    table = [(line, [spreadsheets.clean(cell) for cell in cells]) for line, cells in enumerate(rows, 2)]
    with suppress(DomainError):  # nobody at all
        people = sheet.people_of([(1, ["姓名", "手机", "证件号码", "备注"]), *table])
        lines = {row.line for row in people.rows} | {note.line for note in people.notes}
    for line, cells in table:
        kept = [
            text for text in (cells[0], *filter(None, cells[1:3])) if text and (text == cells[0] or not is_empty(text))
        ]
        assert (line in lines) or not (kept or any(map(str.isalpha, cells[3]))), cells
