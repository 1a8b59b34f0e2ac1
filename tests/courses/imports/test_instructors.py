"""Instructors and their qualifications from a file: once, by number, and back again as long as nobody has taught."""

from datetime import date
from itertools import pairwise

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from courses.imports import corrections, runs
from courses.models.imports import ImportLine, ImportState
from instructors import register
from instructors.models import Instructor, Level, Qualification
from lms.config import Settings
from lms.core.audit import AuditEntry
from lms.core.scope import Scope
from tests.courses.imports.files_of import Importer, outcome
from tests.factories import Make

ROW = {
    "registration_number": "SZ-01", "name": "王小明", "district": "东城区", "level": "中级", "phone": "13800138000",
    "programme": "救护员培训", "valid_from": "2024-01-01", "valid_until": "2099-12-31",
}  # fmt: skip
BARE = {**ROW, "programme": "", "valid_from": "", "valid_until": ""}


@pytest.fixture
def importer(db: Session, settings: Settings, app: Flask) -> Importer:
    return Importer(db, settings, "instructors")


def instructor_of(db: Session, number: str = "SZ-01") -> Instructor:
    return db.scalars(select(Instructor).where(Instructor.registration_number == number)).one()


def test_an_instructor_with_two_qualifications_over_two_chunks(importer: Importer, db: Session) -> None:
    other = {**BARE, "registration_number": "SZ-02", "name": "李红", "level": "", "phone": ""}
    rows = [
        ROW,
        other,
        {**ROW, "programme": "RESCUE", "level": ""},
        {**ROW, "valid_from": "2020-1-1", "valid_until": "2023年12月31日"},
    ]
    run = importer.done(rows, encoding="gb18030")
    assert (run.state, outcome(run)) == (ImportState.DONE, (4, 0, 0, 0))
    instructor = instructor_of(db)
    assert (instructor.name, instructor.district_id, instructor.level, instructor.phone, instructor.user_id, instructor.active) == (
        "王小明", 1, Level.INTERMEDIATE, "+8613800138000", None, True,
    )  # fmt: skip
    assert {(row.programme_code, row.valid_from.year) for row in instructor.qualifications} == {
        ("FIRST_RESPONDER", 2024), ("RESCUE", 2024), ("FIRST_RESPONDER", 2020),
    }  # fmt: skip
    assert (instructor_of(db, "SZ-02").level, instructor_of(db, "SZ-02").qualifications) == (Level.JUNIOR, [])
    assert register.may_lead(db, instructor.id, "RESCUE", date(2030, 1, 1))
    told = db.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"instructor:{instructor.id}")).all()
    assert sorted(told) == ["instructor.enlist", *["qualification.add"] * 3]
    lines = db.scalars(select(ImportLine.facts).where(ImportLine.run_id == run.id)).all()
    assert not any("13800138000" in str(facts) for facts in lines), "phones are sealed while they wait"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"registration_number": "()"}, "“()” is not a registration number."),
        ({"registration_number": "无"}, "The cell “registration_number” is empty."),
        (
            {"registration_number": "2.01611E+18"},
            "Excel has shortened this number. Format the column as text and enter the number again.",
        ),
        ({"level": "□中级"}, "There is no level “□中级”: write junior, intermediate or senior."),
        (
            {"valid_until": "46022"},
            "“46022” is the number by which Excel counts days. Format the column as a date, and send the file again.",
        ),
        ({"phone": "#N/A"}, "The cell holds the error “#N/A”. Correct the formula or enter the value."),
        ({"name": "··"}, "The name contains no letters."),
        (
            {"name": "李红、王芳"},
            "The cell holds more than one name. Give each person a row, with a phone of their own.",
        ),
        ({"name": "李红"}, "An earlier row has this number with another name, district or level."),
        ({"district": "西城"}, "An earlier row has this number with another name, district or level."),
        ({"level": "高级"}, "An earlier row has this number with another name, district or level."),
        ({"level": "特级"}, "There is no level “特级”: write junior, intermediate or senior."),
        ({"district": "天津"}, "There is no district “天津”."),
        (
            {"phone": "123"},
            "This is not a phone number. Enter 11 digits, or + and the country code for a foreign number.",
        ),
        ({"programme": "潜水"}, "There is no programme “潜水”."),
        ({"programme": ""}, "Enter the programme and the last day of the qualification."),
        ({"valid_until": ""}, "Enter the programme and the last day of the qualification."),
        ({"valid_until": "2023-12-31"}, "The last day must not come before the first."),
        ({"valid_until": "去年"}, "“去年” is not a date. Write it as 2015-03-08."),
        ({"valid_from": "2025-01-01"}, "The periods of two qualifications for one programme must not overlap."),
        ({}, "Line 2 is the same."),
        ({"programme": "", "valid_from": "", "valid_until": ""}, "Line 2 is the same."),
    ],
)
def test_a_row_at_fault_is_named_with_its_reason(importer: Importer, change: dict[str, str], reason: str) -> None:
    run = importer.checked([ROW, {**ROW, **change}])
    assert importer.refusals(run) == [(3, reason)]
    assert run.tally["new"] == 1


def test_who_is_on_the_register_gets_the_qualification_and_is_not_altered(
    importer: Importer, db: Session, make: Make
) -> None:
    known = make.instructor("RESCUE", name="王小明")
    rows = [
        {**ROW, "registration_number": known.registration_number.lower(), "level": "高级", **change}
        for change in (
            {},
            {"programme": "RESCUE", "valid_from": "2021-01-01", "valid_until": "2022-01-01"},
            {"programme": "RESCUE", "valid_from": "2019-01-01"},
        )
    ]
    run = importer.done(rows)
    assert outcome(run) == (1, 1, 0, 1)
    assert importer.refusals(run) == [(4, "The periods of two qualifications for one programme must not overlap.")]
    db.expire_all()
    assert (known.level, known.phone, len(known.qualifications)) == (Level.JUNIOR, None, 2)
    assert outcome(importer.checked(rows[:2])) == (0, 2, 0, 0)
    other = importer.checked([{**ROW, "registration_number": known.registration_number, "name": "李红"}])
    assert importer.refusals(other) == [(2, "Another instructor has this registration number.")]


OTHER = {**BARE, "registration_number": "SZ-09"}


def test_one_person_under_two_numbers_is_found_by_name_and_phone(importer: Importer, db: Session) -> None:
    """In the file by the earlier row, on the register by what is sealed there; a namesake has another phone, or none."""
    again = {**OTHER, "name": "王 小明", "phone": "+86 138 0013 8000"}
    namesakes = [
        {**OTHER, "registration_number": f"SZ-1{at}", "phone": phone} for at, phone in enumerate(("13900139000", ""))
    ]
    run = importer.done(
        [ROW, again, *namesakes, {**again, "programme": "RESCUE", "valid_until": "2099-12-31", "phone": ""}]
    )
    assert importer.refusals(run) == [
        (line, "Line 2 has this name and phone with another registration number.") for line in (3, 6)
    ]
    assert outcome(run) == (3, 0, 0, 2)
    late = importer.checked(
        [again, {**ROW, "programme": "RESCUE"}, {**OTHER, "registration_number": "SZ-07", "name": "李红"}]
    )
    assert importer.refusals(late) == [
        (2, "A person with this name and phone is on the register with another registration number.")
    ]
    assert outcome(late) == (2, 0, 0, 1)


def test_one_who_is_registered_under_another_number_after_the_check_is_refused(importer: Importer, db: Session) -> None:
    slow = importer.checked([OTHER])
    importer.done([BARE])
    runs.start(db, slow)
    importer.work(slow)
    assert (outcome(slow), len(importer.refusals(slow))) == ((0, 0, 0, 1), 1)
    assert db.scalar(select(func.count()).select_from(Instructor).where(Instructor.name == "王小明")) == 1


def test_a_district_has_its_own_register(importer: Importer, make: Make) -> None:
    far = make.instructor("RESCUE", district_id=2, name="王小明")
    rows = [
        ROW,
        {**ROW, "registration_number": "SZ-9", "district": "西城"},
        {**ROW, "registration_number": far.registration_number},
    ]
    run = importer.checked(rows, scope=Scope(district_ids=frozenset({1})))
    assert importer.refusals(run) == [
        (3, "“西城” is not your district."), (4, "This instructor is registered with another district."),
    ]  # fmt: skip


def test_one_who_is_registered_after_the_check_is_not_registered_twice(importer: Importer, db: Session) -> None:
    rows = [ROW, {**BARE, "registration_number": "SZ-02", "name": "李红"}]
    slow = importer.checked(rows)
    importer.done(rows)
    before = db.scalar(select(func.count()).select_from(Instructor))
    runs.start(db, slow)
    importer.work(slow)
    assert (slow.state, outcome(slow)) == (ImportState.DONE, (0, 2, 0, 0))
    assert db.scalar(select(func.count()).select_from(Instructor)) == before


def test_an_undo_keeps_who_has_taught_or_was_changed(importer: Importer, db: Session, make: Make) -> None:
    known = make.instructor("RESCUE", name="老师")
    numbers = ["SZ-01", "SZ-02", "SZ-03", "SZ-04"]
    rows = [{**ROW, "registration_number": number, "phone": f"138001380{number[-2:]}"} for number in numbers]
    run = importer.done([*rows, {**ROW, "registration_number": known.registration_number, "name": "老师"}])
    taught, changed = instructor_of(db, "SZ-01"), instructor_of(db, "SZ-02")
    make.offering(course=make.new_course(programme_code="FIRST_RESPONDER"), assistants=[taught])
    changed.name = "王晓明"
    db.commit()
    importer.undone(run)
    assert run.state is ImportState.UNDONE
    assert run.notes == [
        f"#{taught.qualifications[0].id} 王小明 · FIRST_RESPONDER", f"#{taught.id} 王小明", f"#{changed.id} 王晓明",
    ]  # fmt: skip
    left = db.scalars(select(Instructor.registration_number).where(Instructor.registration_number.in_(numbers))).all()
    assert sorted(left) == ["SZ-01", "SZ-02"]
    db.expire_all()
    assert [row.programme_code for row in known.qualifications] == ["RESCUE"]


@pytest.mark.usefixtures("parsed_here")
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["SZ-1", "SZ-2"]),
            st.sampled_from(["", "RESCUE", "FIRST_RESPONDER"]),
            st.integers(2020, 2023),
        ),
        min_size=1,
        max_size=7,
    )
)
@settings_of(max_examples=20)
def test_stops_change_nothing_and_periods_never_overlap(
    importer: Importer, db: Session, connection: Connection, rows: list[tuple[str, str, int]]
) -> None:
    told = [
        {**BARE, "registration_number": number}
        if not programme
        else {
            **ROW,
            "registration_number": number,
            "programme": programme,
            "valid_from": f"{year}-01-01",
            "valid_until": f"{year + 1}-06-30",
        }
        for number, programme, year in rows
    ]
    results = []
    for way in (importer.done, importer.stopped_and_resumed):
        db.commit()
        with connection.begin_nested() as begun:
            run = way(told)
            made = db.execute(
                select(
                    Instructor.registration_number,
                    Qualification.programme_code,
                    Qualification.valid_from,
                    Qualification.valid_until,
                )
                .join(Instructor.qualifications, isouter=True)
                .order_by(Instructor.registration_number, Qualification.programme_code, Qualification.valid_from)
            ).all()
            results.append((outcome(run), made))
            for row, following in pairwise(made):
                assert row[:2] != following[:2] or row[3] < following[2]
            db.rollback()
            begun.rollback()
    assert results[0] == results[1]


def test_an_instructor_whose_name_no_font_can_print_is_registered_with_a_remark(
    importer: Importer, db: Session
) -> None:
    run = importer.done([{**ROW, "name": "王\ue5e5"}, {**BARE, "registration_number": "SZ-02", "name": "李红"}])
    assert (instructor_of(db).name, outcome(run)) == ("王\ue5e5", (2, 0, 0, 0))
    assert [(line, params) for line, _message, params in corrections.remarked_rows(db, run)] == [
        (2, {"characters": "U+E5E5 \ue5e5"})
    ]
