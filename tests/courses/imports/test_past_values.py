"""Past trainings as people and other systems write them, through the whole import: stored as they are meant, or refused."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy.models import LegacyCertificate
from courses.closing import judging
from courses.counting import person_time
from courses.imports import corrections, presence, runs
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment
from courses.models.imports import ImportRun
from courses.models.offerings import CourseSession, Offering
from courses.models.trainees import ID_NUMBER_COLUMN, IdType, Trainee
from lms.core import crypto
from tests.courses.imports.past_files import PastWorld, refusals, waits_for
from tests.factories import Make
from tests.ten_names import TEN_NAMES

HEADINGS = (
    "课程", "区", "主办单位", "日期", "开始时间", "结束时间", "姓名", "手机", "证件号码", "出生年份", "出勤课次", "签到时间",
    "离开时间", "结果", "证书编号", "发证日期",
)  # fmt: skip
FORMS = ("utf-8-sig", "xlsx")


def rows_of(world: PastWorld, *people: Mapping[str, Any]) -> list[list[Any]]:
    """Return the rows of people, heading → cell; names and phones that are not given are made up."""
    common = {
        "课程": world.course.code, "区": "东城区", "主办单位": "一号社区", "日期": "2018-04-21;2018-04-22", "开始时间": "09:00",
        "结束时间": "17:00",
    }  # fmt: skip
    return [
        [
            {**common, "姓名": f"人{number}", "手机": f"138001502{number:02}", **cells}.get(heading, "")
            for heading in HEADINGS
        ]
        for number, cells in enumerate(people)
    ]


def imported(
    world: PastWorld,
    *people: Mapping[str, Any],
    form: str = "utf-8-sig",
    headings: Sequence[str] = HEADINGS,
    **meanings: str,
) -> ImportRun:
    """Check a file and import the rows that can go in; every figure is checked afterwards."""
    rows = [
        [cell for cell, name in zip(row, HEADINGS, strict=True) if name in headings] for row in rows_of(world, *people)
    ]
    run = world.receive_table([name for name in HEADINGS if name in headings], rows, encoding=form)
    if meanings:
        run.meanings = {presence.key(text): meaning for text, meaning in meanings.items()}
    runs.check(world.db, run)
    world.work(run)
    if run.tally["new"]:
        runs.start(world.db, run)
        world.work(run)
    assert world.differences() == []
    return run


def attended(db: Session) -> dict[str, int]:
    return dict(db.execute(select(Trainee.name, Enrolment.sessions_attended).join(Enrolment.trainee)).all())


def refused_lines(world: PastWorld, run: ImportRun, code: str = "") -> list[int]:
    waits = waits_for(0).partition("0")[0]
    return [line for line, message in refusals(world, run) if not message.startswith(waits) and code in message]


@pytest.mark.parametrize("form", FORMS)
def test_ticks_and_crosses_are_what_they_show(world: PastWorld, db: Session, form: str) -> None:
    cells = {
        "√": 2, "×": 0, "✗": 0, "✘": 0, "☐": 0, "☑": 2, "-": 0, "/": 0, "缺勤": 0, "1": 1, "2": 1, "1;2": 2, "1-2": 2, "2次": 2,
        "FALSE": 0, "TRUE": 2, "第2次": 1,
    }  # fmt: skip
    imported(world, *({"姓名": f"某{text}", "出勤课次": text} for text in cells), form=form)
    assert attended(db) == {f"某{text}": number for text, number in cells.items()}


@pytest.mark.parametrize("cell", ["迟到", "○", "3", "1次", "0.5", "#N/A", "无", "50%", "2026-01-02", "一"])
def test_attendance_that_is_not_understood_refuses_its_row(world: PastWorld, db: Session, cell: str) -> None:
    run = imported(world, {"出勤课次": cell}, {"出勤课次": "√"})
    assert refused_lines(world, run) == [2]
    assert attended(db) == {}
    assert refusals(world, run)[1] == (3, waits_for(2))


def test_a_user_says_what_a_value_means(world: PastWorld, db: Session) -> None:
    cells = ("迟到", " 迟 到", "√", "")
    imported(world, *({"出勤课次": cell} for cell in cells), 迟到="all", **{"迟 到": "none", "": "none"})
    assert attended(db) == {"人0": 2, "人1": 0, "人2": 2, "人3": 0}


def test_an_empty_cell_is_every_session_unless_others_hold_a_mark(world: PastWorld, db: Session) -> None:
    run = imported(world, {"出勤课次": ""}, {"出勤课次": "√"}, {"出勤课次": "NULL", "日期": "2018-05-01"})
    assert refused_lines(world, run, "is empty") == [2, 4]
    assert refusals(world, run)[1] == (3, waits_for(2))
    imported(world, {"出勤课次": ""}, {"出勤课次": "1"}, {"出勤课次": r"\N"})
    assert attended(db) == {"人0": 2, "人1": 1, "人2": 2}
    assert presence.is_open({"", "√"}, {})
    assert not presence.is_open({"", "√"}, {"": "none"})
    assert not presence.is_open({"", "1", "×"}, {})


def test_days_as_people_and_databases_write_them(world: PastWorld, db: Session) -> None:
    one = (
        "2018-06-02", "2018/6/2", "2018.6.2", "2018年6月2日", "2018年6月2号", "20180602", "2018-06-02 00:00:00", "2018/6/2 0:00",
        "2018-06-02T00:00:00", "２０１８－０６－０２", "2018–06–02", "2018-06-02（周六）",
    )  # fmt: skip
    two = ("2018-6-2~2018-6-3", "2018.6.2-3", "2018-06-02至2018-06-03", "2018-06-02~03")
    wrong = ("43253", "18/6/2", "6/2/2018", "2018-02-29", "2018-06-02 10:30")
    run = imported(
        world, *({"日期": text, "开始时间": f"8:{number:02}"} for number, text in enumerate((*one, *two, *wrong)))
    )
    assert refused_lines(world, run) == [line for line, _text in enumerate(wrong, 2 + len(one) + len(two))]
    assert "number by which Excel counts days" in dict(refusals(world, run))[18]
    starts = select(CourseSession.starts_at).where(CourseSession.starts_at < datetime(2018, 6, 2, 16, tzinfo=UTC))
    assert len(set(db.scalars(starts))) == len(one) + len(two)
    assert db.query(CourseSession).count() == len(one) + 2 * len(two)
    assert set(db.scalars(select(Offering.counted_on))) == {date(2018, 6, 2), date(2018, 6, 3)}


def test_sessions_over_midnight_end_on_the_next_day(world: PastWorld, db: Session) -> None:
    for skill in world.course.skills:  # an import knows no skills
        skill.active = False
    run = imported(
        world,
        {"日期": "2018-07-21;2018-07-22", "开始时间": "22:00", "结束时间": "01:00", "姓名": "全程"},
        {
            "日期": "2018-07-21;2018-07-22",
            "开始时间": "22:00",
            "结束时间": "01:00",
            "姓名": "迟",
            "签到时间": "00:30",
            "离开时间": "00:50",
        },
        {
            "日期": "2018-07-21;2018-07-22",
            "开始时间": "22:00",
            "结束时间": "01:00",
            "姓名": "早",
            "签到时间": "21:45",
            "离开时间": "24:00",
        },
        {"日期": "2018-07-22", "开始时间": "19:00", "结束时间": "24:00", "姓名": "末"},
        {"日期": "2018-07-23", "开始时间": "19:00", "结束时间": "00:00", "姓名": "零", "签到时间": "2018-07-23 19:30"},
    )
    assert run.tally["new"] == 5
    periods = db.execute(select(CourseSession.starts_at, CourseSession.ends_at).order_by(CourseSession.starts_at))
    hours = [
        (starts.astimezone(world.context.zone), (ends - starts).total_seconds() / 3600) for starts, ends in periods
    ]
    assert [(f"{starts:%d %H:%M}", length) for starts, length in hours] == [
        ("21 22:00", 3), ("22 19:00", 5), ("22 22:00", 3), ("23 19:00", 5),
    ]  # fmt: skip
    minutes = dict(db.execute(select(Trainee.name, Enrolment.minutes_attended).join(Enrolment.trainee)).all())
    assert minutes == {"全程": 360, "迟": 40, "早": 240, "末": 300, "零": 270}
    came = dict(
        db.execute(
            select(Trainee.name, Attendance.arrived_at)
            .join(Enrolment, Enrolment.trainee_id == Trainee.id)
            .join(Attendance, Attendance.enrolment_id == Enrolment.id)
            .where(Trainee.name.in_(["迟", "早"]))
            .order_by(Attendance.arrived_at.desc())
        ).all()
    )
    assert came["迟"] == datetime(2018, 7, 21, 16, 30, tzinfo=UTC)
    assert came["早"] == datetime(2018, 7, 21, 13, 45, tzinfo=UTC)
    for offering in db.scalars(select(Offering)):
        assert person_time.ledger_total(db, offering.id) == person_time.total(db, offering.id)
        before = {row.id: (row.state, row.minutes_attended) for row in db.scalars(select(Enrolment))}
        judging.write(db, judging.judgements(db, offering.id))
        db.expire_all()
        assert {row.id: (row.state, row.minutes_attended) for row in db.scalars(select(Enrolment))} == before
    runs.undo(db, run, "错误的文件")
    world.work(run)
    assert world.differences() == []
    assert set(db.scalars(select(Offering.state))) == {"cancelled"}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"开始时间": "14:00", "结束时间": "5:00"}, "within 12 hours"),
        ({"开始时间": "09:00", "结束时间": "09:00"}, "within 12 hours"),
        ({"开始时间": "24:00", "结束时间": "01:00"}, "does not fit the day"),
        ({"开始时间": "22:00", "结束时间": "01:00", "签到时间": "01:30"}, "after the end"),
        ({"开始时间": "22:00", "结束时间": "01:00", "签到时间": "00:30", "离开时间": "23:00"}, "before the check-in"),
        ({"签到时间": "2018-04-20 09:20"}, "does not fit the day"),
        ({"签到时间": "2018-04-21 09:20"}, "does not fit the day"),  # at both sessions, on one day
        ({"签到时间": "26:30"}, "is not a time"),
        ({"签到时间": "09:20", "出勤课次": "×"}, "has no time of check-in"),
        ({"开始时间": "2018-04-21 09:00"}, "does not fit the day"),
        ({"签到时间": "0.38"}, "is not a time"),
    ],
)
def test_times_that_may_mean_something_else_are_refused(world: PastWorld, cells: dict[str, str], reason: str) -> None:
    run = imported(world, cells)
    assert [(line, reason in message) for line, message in refusals(world, run)] == [(2, True)]


@pytest.mark.parametrize("form", FORMS)
def test_a_time_of_one_day_is_of_the_session_attended(world: PastWorld, db: Session, form: str) -> None:
    imported(
        world, {"签到时间": "2018-04-22 09:20", "出勤课次": "2"}, {"日期": "2018-05-05", "离开时间": "24:00"}, form=form
    )
    assert set(db.scalars(select(Attendance.arrived_at))) == {
        datetime(2018, 4, 22, 1, 20, tzinfo=UTC), datetime(2018, 5, 5, 1, tzinfo=UTC),
    }  # fmt: skip
    assert set(db.scalars(select(Attendance.left_at))) == {None, datetime(2018, 5, 5, 16, tzinfo=UTC)}


def test_what_other_systems_write_for_nothing(world: PastWorld, db: Session) -> None:
    one_day = {"日期": "2018-08-04"}
    run = imported(
        world,
        one_day
        | {
            "证件号码": "NULL",
            "出生年份": "NULL",
            "出勤课次": "NULL",
            "结果": "NULL",
            "证书编号": "NULL",
            "发证日期": "-",
        },
        one_day | {"证件号码": r"\N", "出生年份": r"\N", "结果": "合格", "签到时间": "/"},
        one_day | {"手机": "13800151003.0", "出生年份": "1990.0", "出勤课次": "1.0", "结果": "合格"},
        one_day | {"证件号码": "无", "出生年份": "无", "结果": "合格", "证书编号": "无"},
        one_day
        | {"姓名": "Nan", "证件号码": "nan", "出生年份": "nan", "结果": "合格", "证书编号": "nan", "离开时间": "—"},
    )
    assert (run.tally["new"], refusals(world, run)) == (5, [])
    assert set(attended(db).values()) == {1}
    assert [row.name for row in db.scalars(select(Trainee).where(Trainee.birth_year == 1990))] == ["人2"]
    assert {"Nan"} < set(attended(db))
    assert [row.phone for row in db.scalars(select(Trainee)) if row.name == "人2"] == ["+8613800151003"]
    assert set(db.scalars(select(Trainee.id_number_index))) == {None}
    assert db.scalars(select(LegacyCertificate)).all() == []


@pytest.mark.parametrize("cell", ["2.01611E+18", "0.5", "-3", "85%", "#REF!"])
def test_what_is_no_number_of_a_certificate_is_refused(world: PastWorld, cell: str) -> None:
    assert imported(world, {"证书编号": cell}).tally == {"new": 0, "known": 0, "double": 0, "refused": 1}


RIGHT = "11010519491231002X"


@pytest.mark.parametrize(
    ("cells", "missing"),
    [
        ({"证件号码": "110105194912310021"}, "id_number"),
        ({"证件号码": "1.10105E+17"}, "id_number"),
        ({"证件号码": "110105194912310000"}, "id_number"),
        ({"证件号码": "#N/A"}, "id_number"),
        ({"出生年份": "20123"}, "birth_year"),
        ({"出生年份": "2007.1"}, "birth_year"),
        ({"证件号码": RIGHT, "手机": "12"}, "phone"),
        ({"证件号码": RIGHT, "出生年份": "1950"}, "both"),
    ],
)
def test_a_wrong_cell_does_not_hold_a_class_back_where_another_identifies_the_person(
    world: PastWorld, db: Session, cells: dict[str, str], missing: str
) -> None:
    run = imported(world, {"姓名": "甲"}, {"姓名": "乙", **cells}, {"姓名": "丙"})
    assert (run.tally["new"], run.tally["refused"]) == (3, 0)
    assert attended(db) == {"甲": 2, "乙": 2, "丙": 2}
    trainee = db.scalars(select(Trainee).where(Trainee.name == "乙")).one()
    attributes = {"id_number": "id_number_index", "birth_year": "birth_year", "phone": "phone"}
    wrong = {
        "id_number": ["id_number"],
        "birth_year": ["birth_year"],
        "phone": ["phone"],
        "both": ["id_number", "birth_year"],
    }
    assert all(getattr(trainee, attributes[name]) is None for name in wrong[missing])
    remarks = list(corrections.remarked_rows(db, run, to_correct=True))
    assert [(line, sorted(params.values())) for line, _message, params in remarks] == [(3, sorted(wrong[missing]))]
    sent = [(line, row[6]) for line, row, *_reason in corrections.rows_to_correct(db, run)]
    assert sent == [(3, "乙")]


def test_a_wrong_row_of_somebody_absent_is_refused_alone(world: PastWorld, db: Session) -> None:
    run = imported(world, {"姓名": "甲", "出勤课次": "√"}, {"姓名": "乙", "出勤课次": "缺勤", "手机": "12"})
    assert [line for line, _message in refusals(world, run)] == [3]
    assert attended(db) == {"甲": 2}
    # Nobody can be added to the offering afterwards: the row that was left out is told the way to complete it.
    again = imported(world, {"姓名": "甲", "出勤课次": "√"}, {"姓名": "乙", "出勤课次": "缺勤", "手机": "13800139203"})
    assert [(line, "undo that import" in message) for line, message in refusals(world, again)] == [(3, True)]
    runs.undo(db, run, "补充漏掉的人")
    world.work(run)
    whole = imported(world, {"姓名": "甲", "出勤课次": "√"}, {"姓名": "乙", "出勤课次": "缺勤", "手机": "13800139203"})
    assert (refusals(world, whole), whole.tally["enrolments"]) == ([], 2)
    both = imported(
        world, {"日期": "2018-05-05", "出勤课次": "√"}, {"日期": "2018-05-05", "出勤课次": "缺勤", "结果": "合格"}
    )  # fmt: skip
    assert refusals(world, both)[0] == (2, waits_for(3))  # nobody knows whether the attendance or the result is wrong


def test_an_id_number_of_another_name_holds_a_class_back_only_for_somebody_who_came(
    world: PastWorld, db: Session, make: Make
) -> None:
    make.trainee("张三丰", phone=None).set_id_number(IdType.RESIDENT, RIGHT)
    db.commit()
    run = imported(world, {"姓名": "甲", "出勤课次": "√"}, {"姓名": "乙", "出勤课次": "×", "证件号码": RIGHT})
    assert [line for line, _message in refusals(world, run)] == [3]
    came = imported(world, {"日期": "2018-05-05"}, {"日期": "2018-05-05", "姓名": "乙", "证件号码": RIGHT})
    assert refusals(world, came)[0] == (2, waits_for(3))


def test_an_id_number_of_15_digits_is_stored_with_18_and_named(world: PastWorld, db: Session) -> None:
    run = imported(world, {"姓名": "甲", "证件号码": "110105491231002"}, {"姓名": "乙"})
    trainee = db.scalars(select(Trainee).where(Trainee.name == "甲")).one()
    number = crypto.cipher().decrypt(ID_NUMBER_COLUMN, trainee.ref, trainee.id_number_sealed or b"")
    assert (number, trainee.birth_year) == (RIGHT, 1949)
    assert [(line, "15 digits" in message) for line, message, _params in corrections.remarked_rows(db, run)] == [
        (2, True)
    ]
    assert list(corrections.rows_to_correct(db, run)) == []


@pytest.mark.parametrize("cell", ["13800139206/13800139207", "1.38E+10", "13800139206x12"])
def test_of_several_phones_none_is_taken(world: PastWorld, cell: str) -> None:
    assert imported(world, {"手机": cell}).tally["refused"] == 1


@pytest.mark.parametrize("cell", ["□合格", "×合格", "√", "0.9", "#VALUE!"])
def test_a_result_with_signs_that_are_not_understood_is_refused(world: PastWorld, cell: str) -> None:
    assert imported(world, {"结果": cell}).tally["refused"] == 1


def test_a_name_that_no_font_can_print_goes_in_with_a_remark(world: PastWorld, db: Session) -> None:
    run = imported(world, {"姓名": "王\ue5e5"}, {"姓名": "乙"})
    assert set(attended(db)) == {"王\ue5e5", "乙"}
    assert [(line, params["characters"]) for line, _message, params in corrections.remarked_rows(db, run)] == [
        (2, "U+E5E5 \ue5e5")
    ]
    assert list(corrections.rows_to_correct(db, run)) == []


def test_ten_names_of_everybody_are_stored_as_they_are_without_a_remark(world: PastWorld, db: Session) -> None:
    run = imported(world, *({"姓名": name} for name in TEN_NAMES))
    assert set(attended(db)) == set(TEN_NAMES)
    assert list(corrections.remarked_rows(db, run)) == []
