"""Enrolling the people of a spreadsheet: the verdict on each row, and applying an import once."""

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.enrolment import places, sheet_import, trainees
from courses.enrolment.id_numbers import check_character
from courses.enrolment.sheet_import import RowVerdict, SheetImportResult
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import Enrolment, EnrolmentImport, EnrolmentSource
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Scope
from tests.courses.enrolment.sheets import csv_of, previewed, receive
from tests.factories import Make


def test_each_bad_row_names_its_number_and_the_fact_at_fault(db: Session, make: Make) -> None:
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
    preview = previewed(db, make, content)
    columns = {row.number: row.problem.column for row in preview.rows if row.problem}
    assert columns == {3: "name", 5: "phone", 6: "id_number", 7: "id_type", 8: "email", 9: "guardian_name"}
    assert [row.number for row in preview.accepted] == [2, 10]


def test_known_doubled_and_enrolled_rows(db: Session, make: Make) -> None:
    offering = make.offering(capacity=2)
    enrolled = trainees.register(db, TraineeFacts("甲", phone="+8613900000001"))
    places.enrol(db, offering.id, enrolled, source=EnrolmentSource.STAFF)
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
    pending = receive(db, make, content, offering)
    preview = sheet_import.preview(db, pending, EVERYTHING)
    assert [row.verdict.value for row in preview.rows] == [
        "enrolled", "known", "new", "double", "new", "new", "double", "double",
    ]  # fmt: skip
    assert preview.rows[1].differences == ("birth_year",)
    doubles = [row.problem for row in preview.rows if row.verdict is RowVerdict.DOUBLE and row.problem]
    assert [problem.params["row"] for problem in doubles] == [4, 6, 6]
    assert preview.waitlisted == 3
    with pytest.raises(sheet_import.ChangedElsewhere, match="stay together"):
        sheet_import.apply(db, pending, EVERYTHING)
    result = sheet_import.apply(db, pending, EVERYTHING, may_split=True)
    assert (result.enrolled, result.waitlisted, result.left_out) == (1, 3, 4)


def test_an_import_is_applied_once_and_its_rows_are_wiped(db: Session, make: Make) -> None:
    offering = make.offering()
    pending = receive(db, make, csv_of("张三,13812345678,,,1990,,,", "李四,1,,,,,,"), offering)
    assert b"13812345678" not in (pending.content or b"")
    assert sheet_import.apply(db, pending, EVERYTHING).enrolled == 1
    assert pending.content is None
    assert sheet_import.apply(db, pending, EVERYTHING) == SheetImportResult()
    rows = db.scalars(select(Enrolment).where(Enrolment.offering_id == offering.id)).all()
    assert [(row.trainee.name, row.source) for row in rows] == [("张三", EnrolmentSource.IMPORT)]
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "enrolment.import")).one()
    assert entry.after == {"enrolled": 1, "waitlisted": 0, "left_out": 1}


def test_the_same_file_twice_enrols_nobody_twice(db: Session, make: Make) -> None:
    offering = make.offering()
    content = csv_of("张三,13812345678,,,1990,,,")
    for expected in (1, 0):
        assert sheet_import.apply(db, receive(db, make, content, offering), EVERYTHING).enrolled == expected


def test_rows_encrypted_for_one_import_cannot_be_decrypted_in_another(db: Session, make: Make) -> None:
    first, second = (receive(db, make, csv_of("张三,13812345678,,,,,,")) for _ in range(2))
    second.content = first.content
    with pytest.raises(InvalidTag):
        sheet_import.preview(db, second, EVERYTHING)


def test_a_thousand_rows_at_most_and_few_statements(db: Session, make: Make, statements: list[str]) -> None:
    rows = [f"学员{n},1380000{n:04d},,,1990,,," for n in range(1000)]
    pending = receive(db, make, csv_of(*rows))
    del statements[:]
    assert len(sheet_import.preview(db, pending, EVERYTHING).accepted) == 1000
    assert len(statements) <= 6
    assert sheet_import.apply(db, pending, EVERYTHING, may_split=True).enrolled == 30
    assert len(statements) <= 40
    with pytest.raises(DomainError, match="1,000"):
        receive(db, make, csv_of(*rows, "多一人,13900000000,,,,,,"))


def test_old_rows_are_wiped(db: Session, make: Make) -> None:
    old = receive(db, make, csv_of("张三,13812345678,,,,,,"))
    old.created_at = old.created_at - sheet_import.KEPT_FOR * 2
    db.flush()
    receive(db, make, csv_of("李四,13812345679,,,,,,"))
    db.refresh(old)
    assert old.content is None
    assert db.scalar(select(func.count()).select_from(EnrolmentImport).where(EnrolmentImport.content.is_not(None))) == 1


def test_a_name_that_no_font_can_print_is_enrolled_and_said_in_the_preview(db: Session, make: Make) -> None:
    preview = previewed(db, make, csv_of("王\ue5e5,13812345678,,,1990,,,", "李四,13812345679,,,1990,,,", ",,,,,,,x"))
    assert [(row.number, row.lacking) for row in preview.accepted] == [(2, ("\ue5e5",)), (3, ())]


def test_a_row_tells_how_a_known_person_in_reach_stands_against_what_is_demanded(db: Session, make: Make) -> None:
    course = make.new_course(refresher=True)
    make.prerequisite(course)
    offering = make.offering(course=course)
    people = [make.trainee(name, district_id=district) for name, district in (("甲", 1), ("乙", 1), ("丙", 2))]
    make.legacy_certificate(people[0], None)
    make.legacy_certificate(people[2], None)
    content = csv_of(
        *(f"{row.name},{(row.phone or '').removeprefix('+86')},,,,,," for row in people), "丁,13900000009,,,,,,"
    )
    pending = receive(db, make, content, offering)
    rows = sheet_import.preview(db, pending, Scope(district_ids=frozenset({1}))).accepted
    standings = sheet_import.standings(db, pending, rows)
    outcomes = [standings[row.number].outcome if row.number in standings else None for row in rows]
    assert outcomes == ["held", "nothing", None, None]
