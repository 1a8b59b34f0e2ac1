"""Past trainings from a file: people and offerings are identified, written whole and counted, with and without stops."""

from collections.abc import Sequence
from datetime import date

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.closing import judging
from courses.counting import person_time
from courses.imports import corrections, past, runs
from courses.imports.kinds import ImportContext
from courses.models.attendance import AttendanceEvent, AttendanceMethod
from courses.models.catalogue import AttendanceRule
from courses.models.enrolment import Enrolment
from courses.models.imports import ImportRun, ImportState
from courses.models.offerings import Offering, OfferingState, SessionInstructor
from courses.models.trainees import IdType, Trainee
from lms.core.errors import DomainError
from tests.courses.imports.past_files import FIELDS, PastWorld, refusals, waits_for
from tests.factories import Make


def test_a_file_becomes_a_closed_offering_that_the_recount_agrees_with(world: PastWorld, db: Session) -> None:
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


def test_a_share_of_the_minutes_is_judged_as_closing_judges_it(world: PastWorld, db: Session) -> None:
    """Of two sessions of three hours, 60 % are 216 minutes."""
    world.course.attendance_rule, world.course.minutes_share = AttendanceRule.SHARE, 60
    for skill in world.course.skills:  # an import knows no skills
        skill.active = False
    people = {"全程": {}, "一次": {"present": "1"}, "迟到": {"arrived": "10:12"}, "太迟": {"arrived": "10:13"}}
    world.done(
        [world.row(name=name, phone=f"1380013800{n}", **cells) for n, (name, cells) in enumerate(people.items())]
    )
    rows = db.execute(select(Trainee.name, Enrolment.state, Enrolment.shortfalls).join(Enrolment.trainee)).all()
    assert {name: (state, shortfalls) for name, state, shortfalls in rows} == {
        "全程": ("completed", []),
        "一次": ("incomplete", ["minutes_missing"]),
        "迟到": ("completed", []),
        "太迟": ("incomplete", ["minutes_missing"]),
    }
    offering = db.scalars(select(Offering)).one()
    before = {name: (state, shortfalls) for name, state, shortfalls in rows}
    judging.write(db, judging.judgements(db, offering.id))
    again = db.execute(select(Trainee.name, Enrolment.state, Enrolment.shortfalls).join(Enrolment.trainee)).all()
    assert {name: (state, shortfalls) for name, state, shortfalls in again} == before


def test_the_same_file_twice_changes_nothing(world: PastWorld) -> None:
    rows = [world.row(), world.row(name="李红", phone="13800138001")]
    world.done(rows)
    before = world.state()
    again = world.checked(rows)
    assert (again.tally["new"], again.tally["known"]) == (0, 2)
    with pytest.raises(DomainError) as refused:
        runs.start(world.db, again)
    assert refused.value.code == "nothing_new"
    assert world.state() == before


def test_two_imports_of_one_file_that_were_both_checked_make_it_once(world: PastWorld) -> None:
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
    world: PastWorld, db: Session, make: Make
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


def test_an_id_number_with_another_name_is_refused_and_tells_nothing(world: PastWorld, db: Session, make: Make) -> None:
    known = make.trainee("张三丰", phone=None)
    known.set_id_number(IdType.RESIDENT, "11010119900307109X")
    db.commit()
    rows = [
        world.row(name="李四", phone="", id_type="居民身份证", id_number="11010119900307109X"),
        world.row(name="李红", phone="13800138001"),
    ]
    run = world.checked(rows)
    assert (run.tally["new"], run.tally["refused"]) == (0, 2)
    reason = past.PAST_TRAININGS.reasons["misnamed"]
    assert refusals(world, run) == [(2, reason), (3, waits_for(2))]
    assert "张三丰" not in reason
    right = [world.row(name="张三丰", phone="", id_type="居民身份证", id_number="11010119900307109X")]
    assert world.done(right).tally["new"] == 1
    assert db.scalar(select(func.count()).select_from(Trainee)) == 1


WRONG = ({"phone": "12"}, {"name": ""}, {"result": "也许"}, {"ends": "11:00"})


@pytest.mark.parametrize("wrong", WRONG, ids=lambda cells: next(iter(cells)))
def test_an_offering_waits_whole_for_a_wrong_row_and_the_rows_to_correct_hold_all_of_it(
    world: PastWorld, wrong: dict[str, str]
) -> None:
    """Mended and sent as a file of their own, they make what the right file would have made at once."""
    people = [world.row(name=name, phone=f"1380013800{n}") for n, name in enumerate("甲乙丙")]
    others = [world.row(name=name, phone=f"1380013800{n}", place="三楼") for n, name in enumerate("甲丁")]
    run = world.done([people[0], {**people[1], **wrong}, people[2], *others])
    faults = dict(refusals(world, run))
    assert set(faults) == {2, 3, 4}
    assert faults[2] == faults[4] == waits_for(3) != faults[3]
    assert [line for line, *_rest in corrections.refused_rows(world.db, run, 1)] == [3]  # what is wrong is shown first
    assert (run.tally["new"], run.tally["refused"]) == (2, 3)
    assert world.differences() == []

    sent = [
        dict(zip(FIELDS, cells, strict=False)) for _line, cells, *_reason in corrections.rows_to_correct(world.db, run)
    ]
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


def test_doubles_within_a_file_go_in_once(world: PastWorld) -> None:
    run = world.done([world.row(), world.row(name="王 小明"), world.row(id_number="11010519491231002X")])
    assert (run.tally["new"], run.tally["double"]) == (1, 2)
    assert world.db.scalar(select(func.count()).select_from(Trainee)) == 1


@pytest.mark.usefixtures("parsed_here")
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
        world = PastWorld(db, Make(db), app.config["SETTINGS"])
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
            through(world, run, ImportContext(zone, size), halts)
            if run.tally["new"]:
                runs.start(db, run)
                through(world, run, ImportContext(zone, size), halts)
            found.append(world.state())
            assert world.differences() == []
            db.expire_all()
            way.rollback()
        db.rollback()
    assert found[0] == found[1]


def through(world: PastWorld, run: ImportRun, context: ImportContext, halts: Sequence[int]) -> None:
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
