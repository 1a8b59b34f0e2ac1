"""Past trainings from a file: checked, found again, written whole, counted, stopped and resumed, and taken back."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from courses.counting import person_time, recount
from courses.imports import corrections, kinds, past, runs
from courses.imports.kinds import Context
from courses.imports.past_undo import NOBODYS_NAME
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceMethod
from courses.models.enrolment import Enrolment
from courses.models.imports import ImportRun, ImportState
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from courses.models.trainees import IdType, Trainee
from instructors.models import Instructor
from lms.config import Settings
from lms.core.errors import DomainError
from lms.core.scope import EVERYTHING, Scope
from lms.organisations.models import Organisation
from tests.factories import Make

HEADINGS = (
    "课程", "区", "主办单位", "日期", "开始时间", "结束时间", "主讲师资编号", "地点",
    "姓名", "手机", "证件类型", "证件号码", "出生年份",
    "出勤课次", "签到时间", "离开时间", "结果", "证书编号", "发证日期",
)  # fmt: skip
FIELDS = tuple(column.name for column in past.PAST.columns)
ROW: Mapping[str, str] = {
    "course": "FR", "district": "东城区", "host": "一号社区", "days": "2015-03-07;2015-03-08", "starts": "09:00", "ends": "12:00",
    "place": "礼堂", "name": "王小明", "phone": "13800138000",
}  # fmt: skip


class World:
    """A host, a course and an instructor that files name."""

    def __init__(self, db: Session, make: Make, settings: Settings) -> None:
        self.db = db
        self.context = Context(settings.zone, chunk=3)
        self.course = make.new_course(code="FR-OLD", name_zh="救护员旧班", sessions_needed=2, pass_mark=None)
        self.host: Organisation = make.organisation(1, name_zh="一号社区")
        self.lead: Instructor = make.instructor()

    def row(self, **cells: str) -> dict[str, str]:
        return {**ROW, "course": "FR-OLD", "lead": self.lead.registration_number, **cells}

    def receive(
        self, rows: Sequence[Mapping[str, str]], *, encoding: str = "utf-8-sig", scope: Scope = EVERYTHING
    ) -> ImportRun:
        content = io.StringIO(newline="")
        out = csv.writer(content)
        out.writerow(HEADINGS)
        out.writerows([row.get(name, "") for name in FIELDS] for row in rows)
        file = io.BytesIO(content.getvalue().encode(encoding))
        return runs.receive(self.db, kinds.kind_of("past"), file=file, file_name="old.csv", scope=scope)

    def work(self, run: ImportRun, context: Context | None = None) -> None:
        for _progress in runs.work(self.db, run.id, context or self.context):
            self.db.commit()

    def checked(self, rows: Sequence[Mapping[str, str]], **how: Any) -> ImportRun:
        run = self.receive(rows, **how)
        runs.check(self.db, run)
        self.work(run)
        return run

    def done(self, rows: Sequence[Mapping[str, str]], **how: Any) -> ImportRun:
        run = self.checked(rows, **how)
        runs.start(self.db, run)
        self.work(run)
        return run

    def differences(self) -> list[object]:
        found: list[object] = [one for part in recount.ranges(self.db) for one in recount.check(self.db, part)]
        return found + [one for stale in recount.check_rollups(self.db) for one in stale]

    def state(self) -> dict[str, Any]:
        """What the register says, without ids: for comparing two ways to it."""
        people = self.db.execute(
            text(
                "SELECT trainee.name, course.code, offering.place, offering.counted_on, enrolment.state,"
                " enrolment.sessions_attended, enrolment.minutes_attended"
                " FROM enrolment JOIN trainee ON trainee.id = trainee_id JOIN offering ON offering.id = offering_id"
                " JOIN course ON course.id = course_id WHERE enrolment.state <> 'cancelled' ORDER BY 1, 2, 3, 4, 5, 6, 7"
            )
        ).all()
        counts = self.db.execute(
            text(
                "SELECT programme_code, district_id, period, people FROM people_count WHERE people <> 0 ORDER BY 1, 2, 3"
            )
        ).all()
        lines = self.db.execute(
            text(
                "SELECT dated_on, sum(enrolled), sum(named), sum(minutes), sum(passed), sum(certificates)"
                " FROM person_time_entry GROUP BY 1 HAVING sum(enrolled) <> 0 ORDER BY 1"
            )
        ).all()
        trainees = self.db.scalar(select(func.count()).select_from(Trainee))
        return {"people": list(people), "counts": list(counts), "lines": list(lines), "trainees": trainees}


@pytest.fixture
def world(db: Session, make: Make, settings: Settings) -> World:
    return World(db, make, settings)


def refusals(world: World, run: ImportRun) -> list[tuple[int, str]]:
    return [
        (line, message % params if params else message) for line, message, params in corrections.refused(world.db, run)
    ]


def test_a_file_becomes_a_closed_offering_that_the_recount_agrees_with(world: World, db: Session) -> None:
    rows = [
        world.row(),
        world.row(name="李红", phone="13800138001", present="1", arrived="09:30", departed="11:00"),
        world.row(name="赵刚", phone="13800138002", present="0"),
        world.row(name="孙芳", phone="13800138003", certificate="BJ-2015-001", issued_on="2015-04-01", result="合格"),
    ]
    run = world.done(rows)
    assert (run.state, run.tally["new"], run.tally["offerings"], run.tally["enrolments"]) == (ImportState.DONE, 4, 1, 4)
    offering = db.scalars(select(Offering)).one()
    assert (offering.state, offering.counted_on) == (OfferingState.CLOSED, date(2015, 3, 8))
    assert len(offering.sessions) == 2
    assert db.scalar(select(func.count()).select_from(SessionInstructor)) == 2
    states = dict(db.execute(select(Trainee.name, Enrolment.state).join(Enrolment.trainee)).all())
    assert states == {"王小明": "completed", "李红": "incomplete", "赵刚": "incomplete", "孙芳": "completed"}
    minutes = dict(db.execute(select(Trainee.name, Enrolment.minutes_attended).join(Enrolment.trainee)).all())
    assert minutes == {"王小明": 360, "李红": 90, "赵刚": 0, "孙芳": 360}
    assert person_time.ledger_total(db, offering.id) == person_time.total(db, offering.id)
    assert set(db.scalars(select(AttendanceEvent.method))) == {AttendanceMethod.IMPORT}
    assert world.differences() == []


def test_the_same_file_twice_changes_nothing(world: World) -> None:
    rows = [world.row(), world.row(name="李红", phone="13800138001")]
    world.done(rows)
    before = world.state()
    again = world.checked(rows)
    assert (again.tally["new"], again.tally["known"]) == (0, 2)
    with pytest.raises(DomainError) as refused:
        runs.start(world.db, again)
    assert refused.value.code == "nothing_new"
    assert world.state() == before


def test_two_imports_of_one_file_that_were_both_checked_make_it_once(world: World) -> None:
    rows = [world.row(), world.row(name="李红", phone="13800138001")]
    first, second = world.checked(rows), world.checked(rows)
    for run in (first, second):
        runs.start(world.db, run)
        world.work(run)
    assert (first.tally["new"], second.tally["new"], second.tally["refused"]) == (2, 0, 2)
    assert world.db.scalar(select(func.count()).select_from(Offering)) == 1
    assert world.db.scalar(select(func.count()).select_from(Trainee)) == 2
    assert world.differences() == []


def test_somebody_known_is_found_by_phone_and_name_or_by_number_and_not_altered(
    world: World, db: Session, make: Make
) -> None:
    by_phone = make.trainee(name="王小明", phone="+8613800138000")
    by_number = make.trainee(name="李红", phone=None)
    by_number.set_id_number(IdType.RESIDENT, "11010519491231002X")
    db.commit()
    run = world.done([world.row(), world.row(name="李 红", phone="13800138009", id_number="11010519491231002x")])
    assert set(db.scalars(select(Enrolment.trainee_id))) == {by_phone.id, by_number.id}
    assert run.tally["new"] == 2
    db.refresh(by_number)
    assert by_number.phone is None


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"course": "XX"}, "There is no course"),
        ({"course": ""}, "The cell “course” is empty"),
        ({"host": ""}, "The cell “host” is empty"),
        ({"days": ""}, "The cell “days” is empty"),
        ({"district": "纽约"}, "There is no district"),
        ({"host": "没有"}, "There is no organisation"),
        ({"lead": "X-1"}, "There is no instructor"),
        ({"days": "2015-13-07"}, "is not a date"),
        ({"days": "2099-01-01"}, "not in the past"),
        ({"starts": "25:00"}, "is not a time"),
        ({"ends": "08:00"}, "must end after"),
        ({"name": ""}, "Give the name"),
        ({"phone": "12"}, "not a phone number"),
        ({"phone": ""}, "Give a phone number or an ID number"),
        ({"id_number": "110105194912310021"}, "not a resident ID number"),
        ({"id_number": "1.1E+17"}, "Excel has shortened"),
        ({"id_number": "11010519491231002X", "birth_year": "1950"}, "do not agree"),
        ({"id_type": "借书证", "id_number": "1"}, "There is no ID type"),
        ({"birth_year": "abc"}, "year of birth"),
        ({"present": "3"}, "does not name sessions"),
        ({"arrived": "12:30"}, "be after the end"),
        ({"departed": "08:00"}, "be before the check-in"),
        ({"result": "也许"}, "There is no result"),
        ({"present": "0", "result": "合格"}, "Nobody passes"),
        ({"certificate": "abc"}, "no certificate number"),
        ({"certificate": "A1", "result": "不合格"}, "Nobody who failed"),
        ({"certificate": "A1", "issued_on": "2014-01-01"}, "cannot have been issued"),
        ({"ends": "13:00"}, "An earlier row names the same offering"),
    ],
)
def test_each_reason_names_its_line(world: World, cells: dict[str, str], words: str) -> None:
    run = world.checked(
        [world.row(name="甲", phone="13800138001", place="三楼"), world.row(place="礼堂"), world.row(**cells)]
    )
    *waiting, (line, message) = refusals(world, run)
    assert run.tally["refused"] == len(waiting) + 1
    assert line == 4
    assert words in message
    *_rows, (line, sent, _message, _params) = corrections.to_correct(world.db, run)
    assert sent[8] == cells.get("name", "王小明")
    assert waiting in ([], [(3, waits_for(4))])  # where the row names an offering at all


def waits_for(line: int) -> str:
    return past.PAST.reasons["offering_waits"] % {"line": line}


WRONG = ({"phone": "12"}, {"name": ""}, {"result": "也许"}, {"ends": "11:00"})


@pytest.mark.parametrize("wrong", WRONG, ids=lambda cells: next(iter(cells)))
def test_an_offering_waits_whole_for_a_wrong_row_and_the_rows_to_correct_hold_all_of_it(
    world: World, wrong: dict[str, str]
) -> None:
    """Mended and sent as a file of their own, they make what the right file would have made at once."""
    people = [world.row(name=name, phone=f"1380013800{n}") for n, name in enumerate("甲乙丙")]
    others = [world.row(name=name, phone=f"1380013800{n}", place="三楼") for n, name in enumerate("甲丁")]
    run = world.done([people[0], {**people[1], **wrong}, people[2], *others])
    faults = dict(refusals(world, run))
    assert set(faults) == {2, 3, 4}
    assert faults[2] == faults[4] == waits_for(3) != faults[3]
    assert [line for line, *_rest in corrections.refused(world.db, run, 1)] == [3]  # what is wrong is shown first
    assert (run.tally["new"], run.tally["refused"]) == (2, 3)
    assert world.differences() == []

    sent = [dict(zip(FIELDS, cells, strict=False)) for _line, cells, *_reason in corrections.to_correct(world.db, run)]
    assert [row["name"] or "乙" for row in sent] == ["甲", "乙", "丙"]
    sent[1] |= {name: people[1].get(name, "") for name in wrong}
    again = world.done(sent)
    assert (again.tally["new"], again.tally.get("refused", 0)) == (3, 0)
    mended = world.state()
    assert world.differences() == []
    for one in (again, run):
        runs.undo(world.db, one, "重来")
        world.work(one)
    world.done([*people, *others])
    nobody = 1  # whom the places of undone offerings point to
    assert world.state() == {**mended, "trainees": mended["trainees"] + nobody}


def test_gbk_and_cells_that_look_like_formulas_are_read_as_text(world: World, db: Session) -> None:
    run = world.done([world.row(name="=1+1", place="+礼堂")], encoding="gb18030")
    assert run.encoding == "gb18030"
    assert db.scalars(select(Trainee.name)).one() == "=1+1"
    assert db.scalars(select(Offering.place)).one() == "+礼堂"


def test_another_districts_rows_are_refused_one_by_one(world: World, make: Make) -> None:
    make.organisation(2, name_zh="二号社区")
    rows = [world.row(), world.row(district="西城区", host="二号社区", name="李红", phone="13800138001")]
    run = world.checked(rows, scope=Scope(district_ids=frozenset({1})))
    assert run.tally["new"] == 1
    assert [(line, "not your district" in message) for line, message in refusals(world, run)] == [(3, True)]


def test_doubles_within_a_file_go_in_once(world: World) -> None:
    run = world.done([world.row(), world.row(name="王 小明"), world.row(id_number="11010519491231002X")])
    assert (run.tally["new"], run.tally["double"]) == (1, 2)
    assert world.db.scalar(select(func.count()).select_from(Trainee)) == 1


def test_undo_brings_every_figure_and_everybody_back(world: World, db: Session, make: Make) -> None:
    make.trainee(name="王小明", phone="+8613800138000")
    db.commit()
    before = world.state()
    run = world.done(
        [
            world.row(certificate="BJ-1"),
            world.row(name="李红", phone="13800138001"),
            world.row(name="李红", phone="13800138001", place="操场", days="2016-05-05"),
        ]
    )
    assert world.state() != before
    runs.undo(db, run, "wrong file")
    world.work(run)
    after = world.state()
    assert run.state is ImportState.UNDONE
    assert (after["people"], after["counts"], after["lines"]) == (before["people"], before["counts"], before["lines"])
    assert sorted(db.scalars(select(Trainee.name))) == sorted(["王小明", NOBODYS_NAME])
    assert db.scalar(select(func.count()).select_from(Attendance)) == 0
    assert world.differences() == []


def test_what_was_corrected_since_is_named_and_stays(world: World, db: Session, settings: Settings) -> None:
    run = world.done([world.row(), world.row(name="李红", phone="13800138001", place="操场")])
    touched = db.scalars(select(Offering).where(Offering.place == "礼堂")).one()
    db.execute(update(CourseSession).where(CourseSession.offering_id == touched.id).values(headcount=5))
    person_time.record_correction(db, touched, "counted again", settings.zone)
    runs.undo(db, run, "wrong file")
    world.work(run)
    assert (run.tally["kept_offerings"], run.tally["undone_offerings"]) == (1, 1)
    assert len(run.notes) == 1
    assert db.scalars(select(Trainee.name).where(Trainee.name == "王小明")).one()
    assert world.differences() == []


@settings_of(max_examples=12)
@given(
    people=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from(["", "0", "1"]), st.booleans()),
        min_size=1,
        max_size=14,
    ),
    chunk=st.integers(1, 7),
    stops=st.lists(st.integers(0, 6), max_size=3),
)
def test_the_result_depends_neither_on_chunks_nor_on_stops(
    app: Flask, people: list[tuple[int, int, str, bool]], chunk: int, stops: list[int]
) -> None:
    """Each way in a savepoint of its own, rolled back: two ways from the same beginning."""
    zone = app.config["SETTINGS"].zone
    with app.extensions["sessions"]() as db:
        world = World(db, Make(db), app.config["SETTINGS"])
        rows = [
            world.row(
                name=f"人{person}",
                phone=f"1380013800{person}",
                place=f"第{place}室",
                present=present,
                **({"id_number": "11010519491231002X"} if numbered and person == 0 else {}),
            )
            for person, place, present, numbered in people
        ]
        found = []
        for size, halts in ((1000, []), (chunk, stops)):
            way = db.begin_nested()
            run = world.receive(rows)
            runs.check(db, run)
            through(world, run, Context(zone, size), halts)
            if run.tally["new"]:
                runs.start(db, run)
                through(world, run, Context(zone, size), halts)
            found.append(world.state())
            assert world.differences() == []
            db.expire_all()
            way.rollback()
        db.rollback()
    assert found[0] == found[1]


def through(world: World, run: ImportRun, context: Context, halts: Sequence[int]) -> None:
    """Work an import through, stopped after so many chunks each time."""
    for halt in halts:
        work = runs.work(world.db, run.id, context)
        for _number in range(halt):
            if next(work, None) is None:
                break
        del work
        world.db.flush()
        if run.state in runs.BUSY:
            runs.stop(world.db, run)
            world.db.flush()
            world.db.expire(run)
            for _progress in runs.work(world.db, run.id, context):
                world.db.flush()
            runs.resume(world.db, run)
    for _progress in runs.work(world.db, run.id, context):
        world.db.flush()
