"""Values in cells: what is understood, what is empty, and what is refused."""

from datetime import date

import pytest

from lms.core import cell_values
from lms.core.errors import DomainError
from tests.lms.core.refusals import refusal

TODAY = date(2026, 5, 1)


@pytest.mark.parametrize(
    "text", ["", "NULL", "null", r"\N", "无", "nan", "NaN", "N/A", "none", "-", "/", "—", "／", "－", "——"]
)
def test_what_people_and_systems_write_for_nothing_is_empty(text: str) -> None:
    assert cell_values.is_empty(text)
    assert cell_values.unless_empty(text) == ""
    for parse in (cell_values.parse_day, cell_values.parse_moment, cell_values.parse_month, cell_values.parse_phone):
        assert parse(text) is None
    assert cell_values.parse_birth_year(text, TODAY) is None
    assert cell_values.parse_days(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "13800139208", "13800139208.0", "0086-13800139208", "86-13800139208", "+86 138 0013 9208", "138-0013-9208",
        "138.0013.9208", "１３８００１３９２０８", "'13800139208",
    ],
)  # fmt: skip
def test_a_phone_is_stored_as_e164(text: str) -> None:
    assert cell_values.parse_phone(text) == "+8613800139208"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.38E+10", "shortened"), ("13800139206/13800139207", "phones"), ("13800139206 13800139207", "phones"),
        ("13800139206、13800139207", "phones"), ("13800139206x12", "phone"), ("1380013ABCD", "phone"), ("13800139206.5", "phone"),
        ("010-65123456-801", "phone"), ("12", "phone"), ("#N/A", "cell_error"),
    ],
)  # fmt: skip
def test_a_phone_of_which_a_part_would_be_lost_is_refused(text: str, code: str) -> None:
    assert refusal(cell_values.parse_phone, text) == code


@pytest.mark.parametrize("text", ["1234", "1,234", "1234.0", "1,234.00", "１２３４"])
def test_a_count(text: str) -> None:
    assert cell_values.parse_count(text, 5000) == 1234


@pytest.mark.parametrize("text", ["12.5", "1.2E+3", "1,23", "-1", "5001", "85%", "约100", "1" * 400])
def test_what_is_no_count_is_refused(text: str) -> None:
    assert refusal(cell_values.parse_count, text, 5000) == "number"


@pytest.mark.parametrize("text", ["2.01611E+18", "1.1E17", "123456789012345000"])
def test_a_number_that_a_spreadsheet_has_shortened(text: str) -> None:
    assert cell_values.is_shortened(text)
    assert refusal(cell_values.certificate_number, text) == "shortened"
    assert refusal(cell_values.refuse_shortened, text) == "shortened"


@pytest.mark.parametrize("text", ["00160123", "京红救(2015)第00123号", "1234567890123456", "2016-0123", "E1234567"])
def test_the_number_of_a_certificate_stays_as_it_is(text: str) -> None:
    assert cell_values.certificate_number(text) == text
    assert not cell_values.is_shortened(text)


def test_a_number_of_a_certificate_that_a_program_wrote_as_a_decimal_is_whole() -> None:
    assert cell_values.certificate_number("160123.0") == "160123"
    assert cell_values.certificate_number(r"\N") == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.5", "certificate"),
        ("-5", "certificate"),
        ("85%", "certificate"),
        ("09:00", "certificate"),
        ("#REF!", "cell_error"),
    ],
)
def test_what_is_no_number_of_a_certificate_is_refused(text: str, code: str) -> None:
    assert refusal(cell_values.certificate_number, text) == code


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(DomainError) as caught:
        cell_values.parse_phone("12", "phone")
    assert caught.value.field == "phone"
    assert refusal(cell_values.refuse_error, "＃N/A") == refusal(cell_values.refuse_error, "#####") == "cell_error"
    cell_values.refuse_error("#1 Middle School")
    cell_values.refuse_shortened("13800138000")
