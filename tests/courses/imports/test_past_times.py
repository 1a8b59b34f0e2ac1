"""Periods of sessions of the past, also over midnight, and when people came and left."""

from datetime import date, time

import pytest

from courses.imports import past_times
from courses.imports.past_times import SessionPeriod
from lms.core.errors import DomainError

DAY = date(2018, 7, 21)


@pytest.mark.parametrize(
    ("starts", "ends", "period"),
    [
        ("", "", (time(9), time(13))),
        ("22:00", "", (time(22), time(23, 59))),
        ("09:00", "17:00", (time(9), time(17))),
        ("22:00", "01:00", (time(22), time(1))),
        ("19:00", "24:00", (time(19), time(0))),
        ("2018-07-21 09:00", "2018-07-21 11:30", (time(9), time(11, 30))),
        ("2018-07-21 20:00", "2018-07-22 08:00", (time(20), time(8))),
    ],
)
def test_a_period_is_read(starts: str, ends: str, period: tuple[time, time]) -> None:
    read = past_times.read_period(starts, ends, [DAY], 4)
    assert (read.starts, read.ends) == period


@pytest.mark.parametrize(
    ("starts", "ends", "code"),
    [
        ("14:00", "5:00", "period"), ("09:00", "09:00", "period"), ("00:00", "24:00", "period"), ("24:00", "01:00", "other_day"),
        ("2018-07-20 09:00", "17:00", "other_day"), ("09:00", "2018-07-22 17:00", "other_day"),
        ("22:00", "2018-07-21 01:00", "other_day"),
    ],
)  # fmt: skip
def test_a_period_that_may_be_another_is_refused(starts: str, ends: str, code: str) -> None:
    with pytest.raises(DomainError) as caught:
        past_times.read_period(starts, ends, [DAY], 4)
    assert caught.value.code == code


def test_an_afternoon_on_the_clock_of_twelve_hours_is_never_a_night() -> None:
    """Whatever afternoon somebody writes with the hour of its end less 12, it would last longer than 12 hours."""
    for starts in range(12, 24):
        for ends in range(starts + 1, 24):
            with pytest.raises(DomainError):
                past_times.read_period(f"{starts}:00", f"{ends - 12}:00", [DAY], 4)


def test_the_night_turns_between_the_end_and_the_start() -> None:
    night = SessionPeriod(time(22), time(1))
    assert (night.overnight, night.turn) == (True, time(11, 30))
    assert SessionPeriod(time(9), time(17)).turn is None
    assert past_times.ends_before(night, DAY, date(2018, 7, 23))
    assert not past_times.ends_before(night, DAY, date(2018, 7, 22))
    assert past_times.ends_before(SessionPeriod(time(19), time(0)), DAY, date(2018, 7, 22))


def test_a_stay_is_stored_as_times_of_day() -> None:
    night, day = SessionPeriod(time(22), time(1)), SessionPeriod(time(9), time(17))
    assert past_times.read_stay("23:00", "24:00", night, [DAY]) == ("23:00:00", "00:00:00")
    assert past_times.read_stay("2018-07-22 00:30", "", night, [DAY]) == ("00:30:00", None)
    assert past_times.read_stay("", "24:00", day, [DAY]) == (None, "24:00")
    with pytest.raises(DomainError):
        past_times.read_stay("2018-07-21 00:30", "", night, [DAY])
