"""Parsing cells of an import."""

from collections.abc import Callable
from datetime import date, time

import pytest

from courses.imports import cells
from courses.models.trainees import IdType
from lms.core.errors import DomainError

TODAY = date(2026, 5, 1)


def refusal(parse: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(DomainError) as caught:
        parse(*arguments)
    assert caught.value.status == 422
    return caught.value.code


@pytest.mark.parametrize("text", ["2015-03-08", "2015/3/8", "2015年3月8日", "20150308", "2015.3.8", "２０１５-03-08"])
def test_a_day_is_written_in_several_ways(text: str) -> None:
    assert cells.parse_day(text) == date(2015, 3, 8)


@pytest.mark.parametrize("text", ["", "2015-02-29", "8.3.2015", "2015-3", "2015-13-01"])
def test_a_text_that_is_no_day_is_refused(text: str) -> None:
    assert refusal(cells.parse_day, text) == "day"


def test_past_days_are_sorted_and_each_counts_once() -> None:
    assert cells.parse_past_days("2016-03-06;2016-03-05，2016/3/5", TODAY) == [date(2016, 3, 5), date(2016, 3, 6)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" ; ", "day"),
        ("1979-12-31", "not_past"),
        ("2026-05-01", "not_past"),
        (";".join(f"2016-{month:02}-{day:02}" for month in (1, 3) for day in range(1, 17)), "days"),
    ],
)
def test_past_days_are_limited(text: str, code: str) -> None:
    assert refusal(cells.parse_past_days, text, TODAY) == code


@pytest.mark.parametrize(
    ("text", "parsed"), [("9:00", time(9)), ("09:05:00", time(9, 5)), ("9时", time(9)), ("", None)]
)
def test_a_time_of_day(text: str, parsed: time | None) -> None:
    assert cells.parse_time(text) == parsed


@pytest.mark.parametrize("text", ["25:00", "9:60", "morning"])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    assert refusal(cells.parse_time, text) == "hour"


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("13800138000", "+8613800138000"),
        ("138 0013 8000", "+8613800138000"),
        ("+49 30 901820", "+4930901820"),
        ("", None),
    ],
)
def test_a_phone_is_stored_as_e164(text: str, parsed: str | None) -> None:
    assert cells.parse_phone(text) == parsed


@pytest.mark.parametrize("text", ["12", "1380013800", "phone"])
def test_a_text_that_is_no_phone_is_refused(text: str) -> None:
    assert refusal(cells.parse_phone, text) == "phone"


def test_an_id_number_without_a_type_is_a_residents() -> None:
    assert cells.parse_id_number("", "11010519491231002x", TODAY) == (IdType.RESIDENT, "11010519491231002X")
    assert cells.parse_id_number("", "", TODAY) is None
    assert refusal(cells.parse_id_number, "", "1.1E+17", TODAY) == "shortened"
    assert refusal(cells.parse_id_number, "借书证", "1", TODAY) == "id_type"


@pytest.mark.parametrize(("text", "parsed"), [("1990", 1990), ("1990-05-01", 1990), ("", None)])
def test_a_year_of_birth(text: str, parsed: int | None) -> None:
    assert cells.parse_birth_year(text, TODAY) == parsed


@pytest.mark.parametrize("text", ["abc", "90", "1066", "2027"])
def test_a_text_that_is_no_year_of_birth_is_refused(text: str) -> None:
    assert refusal(cells.parse_birth_year, text, TODAY) == "birth_year"


def test_a_name_is_looked_up_by_letters_and_digits() -> None:
    table = cells.lookup_table({1: ("School ", "学校", ""), 2: ("office",)})
    assert table == {"school": 1, "学校": 1, "office": 2}
    assert cells.look_up("SCHOOL", table, "sector", "no %(text)s") == 1
    assert cells.look_up_or("", table, "sector", "no %(text)s", empty=0) == 0
    with pytest.raises(DomainError, match="no moon"):
        cells.look_up("moon", table, "sector", "no %(text)s")
