"""Texts of cells: what stands for nothing, and errors of formulas."""

import pytest

from lms.core import cell_text
from lms.core.errors import DomainError


@pytest.mark.parametrize("text", ["0", "无名", "#N/A", "FALSE", "×", "一"])
def test_other_texts_are_not_empty(text: str) -> None:
    assert not cell_text.is_empty(text)
    assert cell_text.unless_empty(text) == text


@pytest.mark.parametrize(("text", "plain"), [("'１３８  00", "138 00"), ("2018–06–02", "2018-06-02"), ("至～", "至~")])
def test_signs_and_digits_are_plain(text: str, plain: str) -> None:
    assert cell_text.plain_text(text) == plain


def test_an_error_of_a_formula_is_refused() -> None:
    cell_text.refuse_error("#1 Middle School")
    with pytest.raises(DomainError) as caught:
        cell_text.refuse_error("＃N/A", "phone")
    assert (caught.value.code, caught.value.field) == ("cell_error", "phone")


def test_a_bullet_between_the_parts_of_a_name_is_the_dot_that_is_meant() -> None:
    for typed in ("阿凡提●买买提", "阿凡提 ⚫\ufe0f 买买提", "阿凡提⦁买买提\u200b"):
        assert cell_text.person_name(typed) == "阿凡提·买买提"
    for typed in ("张○明", "阿凡提·买买提", "Ann Lee", "'t Hooft"):
        assert cell_text.person_name(typed) == typed


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("同上", "name_ditto"), ("〃", "name_ditto"), ("Ditto", "name_ditto"), ("●", "name_letters"), ("?", "name_letters"),
        ("123", "name_letters"), ("张三13812345678", "name_wrong"), ("姓名：张三", "name_wrong"), ("乙、丙", "names"),
        ("乙/丙", "names"), ("乙，丙", "names"), ("Ann; Bob", "names"), ("#REF!", "cell_error"), ("#=A1&B1", "cell_formula"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_persons_name_is_refused(typed: str, code: str) -> None:
    with pytest.raises(DomainError) as caught:
        cell_text.person_name(typed, "name")
    assert (caught.value.code, caught.value.field) == (code, "name")


@pytest.mark.parametrize(
    "name", ["无", "Nan", "Smith, John", "Ann Lee (née Wu)", "欧阳修", "D'Arcy-O’Brien", "张三（大）", "第一"]
)
def test_unusual_names_are_names(name: str) -> None:
    assert cell_text.person_name(name) == name


def test_where_other_systems_have_no_name_there_is_none() -> None:
    assert [cell_text.person_name(text) for text in ("NULL", "nan", "\\N", "")] == [""] * 4
