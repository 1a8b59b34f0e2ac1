"""Past trainings in workbooks, whose cells are dates, times, booleans and numbers: read as one sees them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.legacy.models import LegacyCertificate
from courses.imports import corrections
from courses.models.attendance import Attendance
from courses.models.offerings import CourseSession
from courses.models.trainees import Trainee
from tests.courses.imports.past_files import PastWorld, refusals
from tests.courses.imports.test_past_values import attended, imported, refused_lines


def test_booleans_and_numbers_of_a_workbook(world: PastWorld, db: Session) -> None:
    cells = {"真": True, "假": False, "零": 0, "二": 2, "百": (1, "0%")}
    imported(world, *({"姓名": name, "出勤课次": cell} for name, cell in cells.items()), form="xlsx")
    assert attended(db) == {"真": 2, "假": 0, "零": 0, "二": 1, "百": 2}


def dated(day: int, form: str = "yyyy-mm-dd") -> tuple[float, str]:
    return (day, form)


@pytest.mark.usefixtures("app")  # it registers the keeper of certificates
def test_cells_of_dates_times_and_durations_are_read_as_one_sees_them(world: PastWorld, db: Session) -> None:
    nine, five = (0.375, "hh:mm"), (17 / 24, "hh:mm")
    run = imported(
        world,
        {
            "日期": dated(43267),
            "开始时间": nine,
            "结束时间": five,
            "签到时间": (43267 + 560 / 1440, "yyyy-mm-dd hh:mm"),
        },
        {"日期": dated(43268), "开始时间": (0.375, "[h]:mm"), "结束时间": (11.5 / 24, "[h]:mm")},
        {"日期": dated(43269, "yyyy-mm-dd hh:mm"), "开始时间": 0.375, "结束时间": 17 / 24},
        {"日期": dated(43270), "出生年份": 20123},
        {"日期": dated(43270), "出生年份": dated(20123)},
        {"日期": 43270},
        {"日期": dated(43271), "证书编号": (123, "000000")},
        {"日期": dated(43272), "证书编号": (201806210000012400, "0")},
        form="xlsx",
    )
    assert refused_lines(world, run) == [7, 9]
    assert "shortened" in dict(refusals(world, run))[9]
    sessions = db.execute(select(CourseSession.starts_at, CourseSession.ends_at).order_by(CourseSession.starts_at))
    local = [tuple(f"{moment.astimezone(world.context.zone):%d %H:%M}" for moment in period) for period in sessions]
    assert local == [
        ("16 09:00", "16 17:00"), ("17 09:00", "17 11:30"), ("18 09:00", "18 17:00"), ("19 09:00", "19 17:00"),
        ("20 09:00", "20 17:00"),
    ]  # fmt: skip
    assert datetime(2018, 6, 16, 1, 20, tzinfo=UTC) in set(db.scalars(select(Attendance.arrived_at)))
    years = dict(db.execute(select(Trainee.name, Trainee.birth_year)).all())
    assert (years["人3"], years["人4"]) == (None, 1955)
    assert [line for line, *_message in corrections.remarked_rows(db, run)] == [5]
    assert list(db.scalars(select(LegacyCertificate.number))) == ["000123"]
