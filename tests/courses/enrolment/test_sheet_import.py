"""Lists of people from spreadsheets: what offices send is read, what cannot be is named with its line and reason."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date

import pytest
import xlsxwriter
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.enrolment import places, sheet, sheet_import, trainees
from courses.enrolment.id_numbers import check_character
from courses.enrolment.sheet_import import Preview, Verdict
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import Enrolment, EnrolmentImport, EnrolmentSource
from courses.models.offerings import Offering
from courses.models.trainees import IdType
from lms.core import exports, spreadsheets
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.exports import Format
from lms.core.scope import Role
from tests.factories import Make

HEAD = "姓名,手机,证件类型,证件号码,出生年份,邮箱,监护人,监护人电话"
ID = "11010519491231002X"


def csv_of(*rows: str, head: str = HEAD) -> bytes:
    return "\r\n".join([head, *rows]).encode()


def xlsx_of(*rows: Sequence[object]) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    page, days = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, date):
                page.write_datetime(line, column, value, days)
            else:
                page.write(line, column, value)
    book.close()
    return file.getvalue()


def receive(db: Session, make: Make, content: bytes, offering: Offering | None = None) -> EnrolmentImport:
    offering = offering or make.offering()
    return sheet_import.receive(db, offering, make.user(Role.CITY_ADMINISTRATOR).id, "名单.csv", content)


def previewed(db: Session, make: Make, content: bytes) -> Preview:
    return sheet_import.preview(db, receive(db, make, content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_encodings_of_chinese_offices(encoding: str, db: Session, make: Make) -> None:
    content = f"{HEAD}\r\n张三,13812345678,,,1990,,,\r\n".encode(encoding)
    [line] = previewed(db, make, content).lines
    assert line.facts == TraineeFacts("张三", phone="+8613812345678", birth_year=1990)
    assert line.number == 2


def test_english_headings_a_title_above_and_columns_of_ones_own(db: Session, make: Make) -> None:
    content = csv_of(
        "Company list;;", "No.;Name *;Mobile (required);ID number;Remarks", "1;Ann Lee;13812345678;;x", head=""
    )
    [line] = previewed(db, make, content).lines
    assert line.facts == TraineeFacts("Ann Lee", phone="+8613812345678")
    assert line.number == 4


def test_habits_of_excel(db: Session, make: Make) -> None:
    content = xlsx_of(
        ["姓名", "手机号码", "身份证号", "出生日期"],
        ["张三", 13812345678, ID, date(1949, 12, 31)],
        ["李四", "'13812345679", "", 1990.0],
        ["王五", "１３８１２３４５６７０", "", "1991年5月"],
        ["赵六", "138-1234-5671", "", "19920315"],
        ["孙七", 13812345672, 110105194912310021.0, ""],
    )
    lines = previewed(db, make, content).lines
    assert [line.facts.birth_year for line in lines if line.facts] == [1949, 1990, 1991, 1992]
    assert [line.facts.phone for line in lines if line.facts] == [f"+8613812345{n}" for n in (678, 679, 670, 671)]
    assert lines[4].verdict is Verdict.BAD
    assert lines[4].problem is not None
    assert "Excel has shortened" in lines[4].problem.message


def test_each_bad_row_has_its_line_and_reason(db: Session, make: Make) -> None:
    content = csv_of(
        "张三,13812345678,,,1990,,,",
        ",13812345670,,,1990,,,",
        "",
        "李四,123,,,1990,,,",
        "王五,13812345671,身份证,110105194912310021,,,,",
        "赵六,13812345672,学生证,123456,,,,",
        "孙七,13812345673,,,，,不是邮箱,,",
        "小明,13812345674,,,2020,,,",
        "小红,13812345675,,,2020,,红妈,13812345676",
    )
    lines = previewed(db, make, content).lines
    found = {line.number: line.problem.column for line in lines if line.problem}
    assert found == {3: "name", 5: "phone", 6: "id_number", 7: "id_type", 8: "email", 9: "guardian_name"}
    assert [line.number for line in lines if line.good] == [2, 10]


def test_known_doubled_and_enrolled_rows(db: Session, make: Make) -> None:
    offering = make.offering(capacity=2)
    inside = trainees.register(db, TraineeFacts("甲", phone="+8613900000001"))
    places.enrol(db, offering.id, inside, source=EnrolmentSource.STAFF)
    trainees.register(db, TraineeFacts("乙", phone="+8613900000002", birth_year=1980))
    body = "110101199003070"
    first, second = (f"{body}{n}{check_character(f'{body}{n}')}" for n in ("01", "02"))
    content = csv_of(
        "甲,13900000001,,,,,,",
        "乙,13900000002,,,1981,,,",
        "丙,13900000003,,,,,,",
        "丙,13900000003,,,,,,",
        f"丁,13900000004,,{first},,,,",
        f"丁,13900000004,,{second},,,,",
        "丁,13900000004,,,,,,",
        f"戊,,,{first},,,,",
    )
    waiting = receive(db, make, content, offering)
    preview = sheet_import.preview(db, waiting)
    assert [line.verdict.value for line in preview.lines] == [
        "enrolled", "known", "new", "double", "new", "new", "double", "double",
    ]  # fmt: skip
    assert preview.lines[1].differs == ("birth_year",)
    assert [line.problem.params["row"] for line in preview.lines if line.verdict is Verdict.DOUBLE and line.problem] == [
        4, 6, 6,
    ]  # fmt: skip
    assert preview.waiting == 3
    done = sheet_import.apply(db, waiting)
    assert (done.enrolled, done.waitlisted, done.left_out) == (1, 3, 4)


def test_applied_once_and_wiped(db: Session, make: Make) -> None:
    offering = make.offering()
    waiting = receive(db, make, csv_of("张三,13812345678,,,1990,,,", "李四,1,,,,,,"), offering)
    assert b"13812345678" not in (waiting.content or b"")
    assert sheet_import.apply(db, waiting).enrolled == 1
    assert waiting.content is None
    assert sheet_import.apply(db, waiting) == sheet_import.Applied()
    rows = db.scalars(select(Enrolment).where(Enrolment.offering_id == offering.id)).all()
    assert [(row.trainee.name, row.source) for row in rows] == [("张三", EnrolmentSource.IMPORT)]
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "enrolment.import")).one()
    assert entry.after == {"enrolled": 1, "waitlisted": 0, "left_out": 1}


def test_the_same_file_twice_enrols_nobody_twice(db: Session, make: Make) -> None:
    offering = make.offering()
    content = csv_of("张三,13812345678,,,1990,,,")
    for expected in (1, 0):
        assert sheet_import.apply(db, receive(db, make, content, offering)).enrolled == expected


def test_sealed_rows_of_one_import_do_not_open_in_another(db: Session, make: Make) -> None:
    one, other = (receive(db, make, csv_of("张三,13812345678,,,,,,")) for _ in range(2))
    other.content = one.content
    with pytest.raises(InvalidTag):
        sheet_import.preview(db, other)


def test_a_thousand_rows_at_most_and_few_statements(db: Session, make: Make, statements: list[str]) -> None:
    rows = [f"学员{n},1380000{n:04d},,,1990,,," for n in range(1000)]
    waiting = receive(db, make, csv_of(*rows))
    del statements[:]
    assert len(sheet_import.preview(db, waiting).good) == 1000
    assert len(statements) <= 6
    assert sheet_import.apply(db, waiting).enrolled == 30
    assert len(statements) <= 40
    with pytest.raises(DomainError, match="1,000"):
        receive(db, make, csv_of(*rows, "多一人,13900000000,,,,,,"))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_headings"),
        (b"\xff\xfe\xfd\x00\x01", "file_broken"),
        (b"PK\x03\x04 not a zip", "file_broken"),
        (b"\xd0\xcf\x11\xe0 old", "file_old"),
        (b"x" * ((spreadsheets.UPLOAD.file_megabytes << 20) + 1), "file_too_large"),
        ("姓名,年龄\r\n张三,3".encode(), "no_headings"),
        (HEAD.encode(), "no_rows"),
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
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_of(["姓名", "手机"]))) as old, zipfile.ZipFile(made, "w", 8) as new:
        for member in old.infolist():
            new.writestr(member.filename, content if member.filename == name else old.read(member))
    return made.getvalue()


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
)


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("xl/theme/theme1.xml", " " * (spreadsheets.UPLOAD.unpacked_bytes + 1), "file_bomb"),
        ("xl/worksheets/sheet1.xml", SHEET % '<row r="1"><c r="XFD1048576" t="n"><v>1</v></c></row>', "file_too_long"),
        (
            "xl/worksheets/sheet1.xml",
            SHEET % '<row r="1"><c t="n" r = \'A9999999\'><v>1</v></c></row>',
            "file_too_long",
        ),
        ("xl/worksheets/sheet1.xml", SHEET % '<row r="1"><c r="A&#49;048576"><v>1</v></c></row>', "file_broken"),
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData><row", "no_headings"),
    ],
)
def test_files_made_to_hurt(name: str, body: str, code: str, db: Session, make: Make) -> None:
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


@settings(max_examples=40)
@given(
    people=st.lists(PEOPLE, min_size=1, max_size=6),
    form=st.sampled_from((Format.CSV, Format.XLSX)),
    chinese=st.booleans(),
)
def test_what_is_written_under_the_template_is_read_back(
    people: list[TraineeFacts], form: Format, chinese: bool
) -> None:
    cells = []
    for facts in people:
        texts = {name: getattr(facts, name) for name in sheet.HEADINGS}
        cells.append([None if value is None else str(value) for value in texts.values()])
    empty = sheet.template("名单", [("必填", "姓名")], chinese=chinese)
    file = io.BytesIO()
    exports.write(exports.Sheet(empty.title, empty.headings, cells, preamble=empty.preamble), form, file)
    rows = sheet.people(file.getvalue())
    assert [sheet.facts_of(texts) for _number, texts in rows] == people


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
def test_rejected_rows_can_be_mended_and_sent_again_and_hold_no_formula(form: Format, db: Session, make: Make) -> None:
    line = previewed(db, make, csv_of('=cmd|calc,13812345678,,,1066,"@sum(1)",,')).rejected[0]
    rows = [(line.number, "原因", line.cells)]
    file = io.BytesIO()
    exports.write(sheet.rejected("未报名", ("行", "原因"), rows, chinese=True), form, file)
    if form is Format.CSV:
        assert "'=cmd" in file.getvalue().decode()
    [(_number, texts)] = sheet.people(file.getvalue())
    assert texts["name"] == "=cmd|calc"
    assert texts["birth_year"] == "1066"


def test_old_rows_are_wiped(db: Session, make: Make) -> None:
    old = receive(db, make, csv_of("张三,13812345678,,,,,,"))
    old.created_at = old.created_at - sheet_import.KEPT * 2
    db.flush()
    receive(db, make, csv_of("李四,13812345679,,,,,,"))
    db.refresh(old)
    assert old.content is None
    assert db.scalar(select(func.count()).select_from(EnrolmentImport).where(EnrolmentImport.content.is_not(None))) == 1
