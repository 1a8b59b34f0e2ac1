"""Days, times, months and years of birth in cells: what is understood, and what is refused."""

from datetime import date, time

import pytest

from lms.core import cell_dates
from tests.lms.core.refusals import refusal

TODAY = date(2026, 5, 1)
JUNE = [date(2018, 6, 2), date(2018, 6, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "2018-06-02", "2018/6/2", "2018.6.2", "2018年6月2日", "2018年6月2号", "20180602", "20180602.0", "2018-06-02 00:00:00",
        "2018/6/2 0:00", "2018-06-02T00:00:00", "２０１８－０６－０２", "2018–06–02", "2018-06-02（周六）", "2018年6月2日 星期六",
    ],
)  # fmt: skip
def test_a_day_is_written_in_several_ways(text: str) -> None:
    assert cell_dates.parse_day(text) == JUNE[0]
    assert cell_dates.parse_days(text) == JUNE[:1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("18/6/2", "day"), ("6/2/2018", "day"), ("2018-02-29", "day"), ("2018-06-02（周日）", "day"), ("2018-6/2", "day"),
        ("43253", "day_serial"), ("2018-06-02T00:00:00Z", "day"), ("6月2日", "day"), ("#VALUE!", "day"),
    ],
)  # fmt: skip
def test_what_may_be_another_day_is_refused(text: str, code: str) -> None:
    assert refusal(cell_dates.parse_day, text) == refusal(cell_dates.parse_days, text) == code


@pytest.mark.parametrize(
    "text",
    [
        "2018-06-02;2018-06-03", "2018-06-03，2018-06-02", "2018-06-02 2018-06-03", "2018-06-02~03", "2018-6-2~2018-6-3",
        "2018.6.2-3",
        "2018-06-02至2018-06-03", "2018年6月2日—3日", "2018-06-02到06-03", "2018-06-02 - 2018-06-03", "20180602-20180603",
        "2018-06-02 00:00:00、2018-06-03 00:00:00",
    ],
)  # fmt: skip
def test_several_days_and_ranges(text: str) -> None:
    assert cell_dates.parse_days(text) == JUNE


@pytest.mark.parametrize(
    "text", ["2018-6-2-3", "2018-06-03~02", "2018-06-01~30", "2018-06-02 09:20", "2018-06-02;09:20", "2018-06-02;?"]
)
def test_days_that_are_not_clear_are_refused(text: str) -> None:
    assert refusal(cell_dates.parse_days, text) == "day"


def test_the_time_of_a_moment_in_a_column_of_days_is_dropped() -> None:
    assert cell_dates.parse_day("2018-06-02 14:33:10") == JUNE[0]


@pytest.mark.parametrize(
    ("text", "day", "at"),
    [
        ("9:00", None, time(9)), ("09:05:30", None, time(9, 5, 30)), ("9时", None, time(9)), ("9点半", None, time(9, 30)),
        ("下午2:00", None, time(14)), ("下午 2:00", None, time(14)), ("2:00 PM", None, time(14)), ("12:00 AM", None, time(0)),
        ("0.375", None, time(9)), ("0.388888889", None, time(9, 20)), ("1899-12-30 09:00:00", None, time(9)),
        ("1900-01-00 09:00", None, time(9)), ("2018-06-02 09:20", JUNE[0], time(9, 20)),
    ],
)  # fmt: skip
def test_a_time_of_day_may_name_its_day(text: str, day: date | None, at: time) -> None:
    moment = cell_dates.parse_moment(text)
    assert moment == (day, at, False)
    if day is None:
        assert cell_dates.parse_time(text) == at
    else:
        assert refusal(cell_dates.parse_time, text) == "hour"


def test_24_is_the_end_of_the_day() -> None:
    assert cell_dates.parse_moment("24:00") == (None, time(0), True)
    assert cell_dates.parse_moment("0:00") == (None, time(0), False)


@pytest.mark.parametrize(
    "text", ["25:00", "24:01", "26:30", "9:60", "0.38", "0", "1", "9.30", "13:00 PM", "2018-06-02", "早"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert refusal(cell_dates.parse_moment, text) == "hour"


@pytest.mark.parametrize(
    "text", ["1990", "1990.0", "1990年", "199005", "1990-05", "1990.05", "1990年5月", "1990-05-01", "19900501"]
)
def test_a_year_of_birth(text: str) -> None:
    assert cell_dates.parse_birth_year(text, TODAY) == 1990


@pytest.mark.parametrize(
    ("text", "code"),
    [("20123", "day_serial"), ("1990.1", "month_ambiguous"), ("90", "birth_year"), ("1066", "birth_year"), ("2027", "birth_year"),
     ("201299", "birth_year"), ("1990后", "birth_year")],
)  # fmt: skip
def test_what_is_no_year_of_birth_is_refused(text: str, code: str) -> None:
    assert refusal(cell_dates.parse_birth_year, text, TODAY) == code


@pytest.mark.parametrize(
    "text", ["2012-10", "2012/10", "2012.10", "2012年10月", "201210", "201210.0", "2012-10-31", "2012-10-01 00:00:00"]
)
def test_a_month(text: str) -> None:
    assert cell_dates.parse_month(text) == date(2012, 10, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2012.1", "month_ambiguous"),
        ("2012", "month"),
        ("2012.0", "month"),
        ("12-05", "month"),
        ("41030", "day_serial"),
    ],
)
def test_what_may_be_another_month_is_refused(text: str, code: str) -> None:
    assert refusal(cell_dates.parse_month, text) == code
