"""The facts in the cells of a list: what people and other systems write, and what Excel makes of it."""

from datetime import date

import pytest

from courses.enrolment import sheet_facts
from courses.enrolment.id_numbers import check_character
from courses.models.trainees import IdType
from lms.core.errors import DomainError

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize("empty", ["NULL", "\\N", "nan", "-", "/", "无", "—", "N/A"])
def test_what_stands_for_nothing_is_nothing(empty: str) -> None:
    others = ("phone", "id_type", "id_number", "birth_year", "email", "guardian_name", "guardian_phone")
    facts = sheet_facts.parse_facts({"name": "无"} | dict.fromkeys(others, empty), TODAY)
    assert facts.name == "无"
    assert (facts.phone, facts.id_type, facts.id_number, facts.birth_year) == (None, None, None, None)
    assert (facts.email, facts.guardian_name, facts.guardian_phone) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("199005", 1990),
        ("1990年5月", 1990),
        ("1990.05", 1990),
        ("1990-05-02", 1990),
        ("19900502", 1990),
        ("1990.0", 1990),
    ],
)
def test_a_month_or_day_of_birth_gives_its_year(text: str, year: int) -> None:
    assert sheet_facts.parse_facts({"name": "王", "birth_year": text}, TODAY).birth_year == year


@pytest.mark.parametrize(
    ("fact", "text", "code"),
    [
        ("birth_year", "20123", "day_serial"),
        ("birth_year", "2007.1", "month_ambiguous"),
        ("birth_year", "90", "birth_year"),
        ("phone", "1.3800139E+10", "shortened"),
        ("phone", "13800139206/13800139207", "phones"),
        ("phone", "1380013920", "phone"),
        ("id_number", "1.10101199003078E+17", "shortened"),
        ("id_number", "#N/A", "cell_error"),
        ("id_type", "学生证", "id_type_wrong"),
        ("email", "不是邮箱", "email_wrong"),
        ("name", "王小明13800138000", "name_wrong"),
        ("name", "#REF!", "cell_error"),
        ("name", "班长：王小明", "name_wrong"),
    ],
)
def test_what_is_not_certain_is_refused_with_its_column(fact: str, text: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        sheet_facts.parse_facts({"name": "王小明", "id_number": "E12345678"} | {fact: text}, TODAY)
    assert (refused.value.code, refused.value.field) == (code, fact)


@pytest.mark.parametrize("text", ["NULL", "\\N", "(null)", "nan"])
def test_what_other_systems_write_for_no_name_is_none(text: str) -> None:
    assert sheet_facts.parse_facts({"name": text}, TODAY).name == ""


def test_an_id_number_of_fifteen_digits_is_converted() -> None:
    cells = {"name": "王小明", "id_number": "130503 670401 001"}
    facts = sheet_facts.parse_facts(cells, TODAY)
    first = "13050319670401001"
    assert facts.id_number == first + check_character(first)
    assert sheet_facts.is_converted(cells, facts, TODAY)
    assert not sheet_facts.is_converted({"id_number": facts.id_number}, facts, TODAY)
    assert sheet_facts.parse_facts(cells | {"id_type": "护照"}, TODAY).id_number == cells["id_number"]


def test_an_id_type_is_known_by_its_names_in_both_languages() -> None:
    for text, id_type in (
        ("", IdType.RESIDENT),
        ("港澳通行证", IdType.HK_MACAU_PERMIT),
        ("hk_macau_permit", IdType.HK_MACAU_PERMIT),
    ):
        assert sheet_facts.id_type_of(text) == id_type
    assert sheet_facts.id_type_of("学生证") is None
