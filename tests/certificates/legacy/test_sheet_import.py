"""Import of legacy certificates: encodings, refused rows with line and reason, limits, and undoing."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from certificates.legacy import holders, legacy
from certificates.legacy.models import LegacyCertificate, Match
from certificates.legacy.sheet_import import LEGACY_CERTIFICATES
from certificates.models import Certificate
from courses.imports import corrections, files, kinds, runs
from courses.models.imports import ImportState
from courses.models.trainees import IdType
from lms.core import spreadsheets
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Scope
from tests.certificates.legacy_files import GOOD, HEAD, ID_NUMBER, LIFELONG, load, take_in, work
from tests.certificates.legacy_people import OTHER_ID_NUMBER, person
from tests.factories import Make


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    def written(*rows: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
        path = tmp_path / "old.csv"
        path.write_bytes("\r\n".join((head, *rows)).encode(encoding))
        return path

    return written


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_file_is_read_in_the_encodings_of_offices(db: Session, sheet: Callable[..., Path], encoding: str) -> None:
    assert load(db, sheet(GOOD, LIFELONG, encoding=encoding)) == (2, [])
    row = db.scalars(select(LegacyCertificate).order_by(LegacyCertificate.id)).first()
    assert row is not None
    assert (row.name, row.programme_code, row.course, row.unit) == (
        "张三丰", "FIRST_RESPONDER", "救护员证", "北京市红十字会",
    )  # fmt: skip
    assert (row.issued_on.isoformat(), row.valid_until and row.valid_until.isoformat()) == ("2015-06-01", "2099-06-01")
    assert row.source == "old.csv:2"
    assert ID_NUMBER.encode() not in (row.id_number_sealed or b"")


def test_a_spreadsheet_is_read_too(db: Session, tmp_path: Path) -> None:
    workbook_file = io.BytesIO()
    with xlsxwriter.Workbook(workbook_file) as book:
        page = book.add_worksheet()
        for at, line in enumerate((HEAD, GOOD)):
            page.write_row(at, 0, line.split(","))
    path = tmp_path / "old.xlsx"
    path.write_bytes(workbook_file.getvalue())
    assert load(db, path) == (1, [])


def bad(**changes: str) -> str:
    names = ("number", "name", "id_type", "id_number", "programme", "course", "issued_on", "valid_until", "unit")
    return ",".join((dict(zip(names, GOOD.split(","), strict=True)) | changes).values())


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (bad(number=""), "The cell “number” is empty."),
        (bad(number="无号"), "The number contains no digits."),
        (bad(name=""), "The cell “name” is empty."),
        (bad(name="123"), "The name contains no letters."),
        (bad(id_number="110101199003071091"), "This is not a resident ID number"),
        (bad(id_type="驾驶证"), "There is no ID type “驾驶证”."),
        (bad(programme="游泳"), "There is no programme “游泳”."),
        (bad(issued_on="去年"), "“去年” is not a date."),
        (bad(issued_on="2015-13-01"), "“2015-13-01” is not a date."),
        (bad(issued_on="2999-01-01"), "The certificate cannot have been issued on “2999-01-01”."),
        (bad(valid_until="2014-01-01"), "The last valid day is before the issue date."),
        (bad(unit=""), "The cell “unit” is empty."),
        (bad(unit="-"), "The cell “unit” is empty."),
        (bad(unit="#N/A"), "The cell holds the error “#N/A”."),
        (bad(number="2.01611E+18"), "Excel has shortened this number."),
        (bad(number="0.5"), "“0.5” is not a certificate number."),
        (bad(issued_on="42156"), "“42156” is the number by which Excel counts days."),
        (bad(issued_on="15/6/1"), "“15/6/1” is not a date."),
        (bad(valid_until="三年"), "“三年” is not a date."),
        (bad(id_number="1.10101E+17"), "Excel has shortened this number."),
        (bad(name="长" * 300), "A cell contains more than 200 characters."),
    ],
)
def test_a_bad_row_is_named_by_line_and_reason(db: Session, sheet: Callable[..., Path], row: str, reason: str) -> None:
    imported, found = load(db, sheet(LIFELONG, "", row))
    assert imported == 1
    [(line, message)] = found
    assert line == 4
    assert message.startswith(reason)


@pytest.mark.parametrize("text", ["无", "/", "-", "—", "NULL", r"\N", "永久有效", "长期", "永久", "终身有效"])
def test_no_expiry_is_written_in_several_ways(db: Session, sheet: Callable[..., Path], text: str) -> None:
    assert load(db, sheet(bad(valid_until=text, id_number="无", id_type="/"))) == (1, [])
    row = db.scalars(select(LegacyCertificate)).one()
    assert (row.valid_until, row.id_type, row.id_number_sealed) == (None, None, None)


def test_days_of_databases_are_days(db: Session, sheet: Callable[..., Path]) -> None:
    assert load(db, sheet(bad(issued_on="2015-06-01 14:33:10", valid_until="2099年6月1号"))) == (1, [])
    row = db.scalars(select(LegacyCertificate)).one()
    assert (row.issued_on.isoformat(), row.valid_until and row.valid_until.isoformat()) == ("2015-06-01", "2099-06-01")


def test_an_id_number_of_15_digits_is_converted_with_a_remark(db: Session, sheet: Callable[..., Path]) -> None:
    run = take_in(db, sheet(bad(id_number="110105491231002"), LIFELONG))
    assert run.tally["new"] == 2
    remarks = [(line, message) for line, message, _params in corrections.remarked_rows(db, run)]
    assert remarks == [(2, LEGACY_CERTIFICATES.remarks["id_number_converted"])]
    found = legacy.find(db, "京红救(2015)第00123号", "31002X", today=date(2026, 5, 1))
    assert found is not None


def test_a_number_goes_in_once(db: Session, sheet: Callable[..., Path], issue: Callable[..., Certificate]) -> None:
    ours = issue().number
    path = sheet(GOOD, bad(number="京红救 2015 第00123号", name="别人"), LIFELONG, bad(number=ours.lower()))
    assert load(db, path) == (
        2, [(3, "The number is already in line 2."), (5, "This number belongs to a certificate issued by this system.")],
    )  # fmt: skip
    again = take_in(db, path)
    assert [again.tally[name] for name in ("new", "known", "double", "refused")] == [0, 2, 1, 1]


def test_a_number_of_somebody_else_is_refused(db: Session, sheet: Callable[..., Path]) -> None:
    assert load(db, sheet(GOOD))[0] == 1
    assert load(db, sheet(bad(name="李四"))) == (
        0, [(2, "This number already belongs to another person's certificate.")],
    )  # fmt: skip


def test_a_file_without_the_columns_is_refused(db: Session, sheet: Callable[..., Path]) -> None:
    with pytest.raises(DomainError) as refused:
        load(db, sheet("张三,2015-01-01,某区", head="姓名,发证日期,发证单位"))
    assert refused.value.code == "columns_missing"


def test_they_are_the_citys_to_bring_in(db: Session, sheet: Callable[..., Path]) -> None:
    kind = kinds.kind_of("legacy_certificates")
    with sheet(GOOD).open("rb") as file, pytest.raises(DomainError) as refused:
        runs.receive(db, kind, file=file, file_name="a.csv", scope=Scope(district_ids=frozenset({1})))
    assert refused.value.code == "city_only"


def test_an_undo_keeps_what_was_revoked_since(db: Session, sheet: Callable[..., Path]) -> None:
    number = "京红救(2015)第00123号"
    run = take_in(db, sheet(GOOD, LIFELONG, bad(number="旧3")))
    legacy.revoke(db, number, "伪造档案")
    runs.undo(db, run, "错误的文件")
    work(db, run)
    assert run.state is ImportState.UNDONE
    [left] = db.scalars(select(LegacyCertificate)).all()
    assert (left.number, run.notes, run.tally["undone_rows"]) == (number, [f"#{left.id} {number}"], 2)


def test_an_undo_removes_what_was_matched_and_keeps_what_somebody_decided_or_renewed(
    db: Session, make: Make, sheet: Callable[..., Path], issue: Callable[..., Certificate]
) -> None:
    renewal = issue("张三丰", course=make.new_course(refresher=True, certificate_type=1))
    renewal.enrolment.trainee.set_id_number(IdType.RESIDENT, ID_NUMBER)
    person(make, "李四", id_number=OTHER_ID_NUMBER)
    decided = make.trainee("李四光")
    db.commit()
    run = take_in(db, sheet(GOOD, LIFELONG, bad(number="旧3", name="李四", id_number=OTHER_ID_NUMBER)))
    rows = {row.name: row for row in db.scalars(select(LegacyCertificate))}
    assert rows["张三丰"].superseded_by_id == renewal.id
    assert rows["李四"].matched_how is Match.ID_NUMBER
    holders.link(db, rows["李四光"], decided, EVERYTHING)
    runs.undo(db, run, "错误的文件")
    work(db, run)
    assert run.state is ImportState.UNDONE
    assert set(db.scalars(select(LegacyCertificate.name))) == {"张三丰", "李四光"}
    assert (run.tally["undone_rows"], len(run.notes)) == (1, 2)


def workbook(path: Path, rows: int) -> Path:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEAD.split(","))
    for line in range(1, rows + 1):
        sheet.write_row(line, 0, [f"旧{line:06d}", "张三丰", "", "", "救护员培训", "", "2015-06-01", "长期", "东城区"])
    book.close()
    return path


def test_a_workbook_may_hold_more_rows_than_an_upload(db: Session, tmp_path: Path) -> None:
    rows = spreadsheets.UPLOAD.rows + 1
    path = workbook(tmp_path / "old.xlsx", rows)
    assert load(db, path, chunk=rows - 1) == (rows, [])
    last = db.scalars(select(LegacyCertificate).where(LegacyCertificate.number == f"旧{rows:06d}")).one()
    assert last.source == f"old.xlsx:{rows + 1}"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (spreadsheets.Limits(rows=5), "file_too_long"),
        (spreadsheets.Limits(unpacked_bytes=2000), "file_bomb"),
        (spreadsheets.Limits(file_megabytes=0), "file_too_large"),
    ],
)
def test_a_workbook_beyond_the_limits_is_refused_before_it_is_read(
    db: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: spreadsheets.Limits, code: str
) -> None:
    monkeypatch.setattr(files, "WORKBOOK_LIMITS", limits)
    with pytest.raises(DomainError) as refused:
        load(db, workbook(tmp_path / "old.xlsx", 6))
    assert refused.value.code == code
    assert db.scalar(select(func.count()).select_from(LegacyCertificate)) == 0
