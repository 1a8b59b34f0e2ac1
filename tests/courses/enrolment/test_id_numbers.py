"""ID numbers: the mistakes that are found, and the normal form of each document's number."""

from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from courses.enrolment import id_numbers
from courses.enrolment.id_numbers import MESSAGES, birth_date, check_character, normalise
from courses.models.trainees import IdType
from lms.core.errors import DomainError

TODAY = date(2026, 11, 23)


@st.composite
def residents(draw: st.DrawFn) -> str:
    """A resident's number whose region code may be in no table."""
    born = draw(st.dates(date(1900, 1, 1), TODAY))
    body = f"{draw(st.integers(0, 999999)):06d}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return body + check_character(body)


def accepted(number: str, id_type: IdType = IdType.RESIDENT) -> bool:
    try:
        normalise(id_type, number, TODAY)
    except DomainError:
        return False
    return True


@given(residents())
def test_every_way_of_typing_a_valid_number_has_one_normal_form(number: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in number)
    for typed in (number, number.lower(), f" {number[:6]} {number[6:14]}-{number[14:]} ", wide):
        assert normalise(IdType.RESIDENT, typed, TODAY) == number
    born = birth_date(IdType.RESIDENT, number)
    assert born is not None
    assert f"{born:%Y%m%d}" == number[6:14]


@given(residents(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_character_is_caught(number: str, place: int, wrong: str) -> None:
    assume(number[place] != wrong)
    assert not accepted(number[:place] + wrong + number[place + 1 :])


@given(residents(), st.integers(0, 16))
def test_any_two_neighbours_swapped_are_caught(number: str, place: int) -> None:
    assume(number[place] != number[place + 1])
    assert not accepted(number[:place] + number[place + 1] + number[place] + number[place + 2 :])


@given(st.text("0123456789", min_size=17, max_size=17))
def test_the_check_character_is_that_of_iso_7064(digits: str) -> None:
    """MOD 11-2 in its recursive form, which needs no table of weights: with the check character the sum is 1."""
    total = 0
    for value in (*map(int, digits), "0123456789X".index(check_character(digits))):
        total = (total * 2 + value) % 11
    assert total == 1


@pytest.mark.parametrize("length", [16, 18])
def test_a_check_character_is_of_17_digits(length: int) -> None:
    with pytest.raises(ValueError, match="zip"):
        check_character("1" * length)


def test_a_child_may_be_registered_on_the_day_of_its_birth() -> None:
    body = f"110101{TODAY:%Y%m%d}001"
    assert accepted(body + check_character(body))


@pytest.mark.parametrize(("born", "known"), [(date(1899, 12, 31), False), (date(1900, 1, 1), True)])
def test_nobody_alive_was_born_before_1900(born: date, known: bool) -> None:
    body = f"110101{born:%Y%m%d}001"
    assert accepted(body + check_character(body)) == known


@pytest.mark.parametrize(
    ("id_type", "number"),
    [
        (IdType.RESIDENT, None),
        (None, "11010519491231002X"),
        (IdType.PASSPORT, "11010519491231002X"),
        (IdType.FOREIGN_PERMANENT, "USA110199001017"),  # its digits look like 1 January 1990, and are no date
        (IdType.FOREIGN_PERMANENT, ""),
    ],
)
def test_other_numbers_tell_no_date_of_birth(id_type: IdType | None, number: str | None) -> None:
    assert birth_date(id_type, number) is None


def test_the_foreigners_card_of_2023_tells_the_date_of_birth() -> None:
    assert birth_date(IdType.FOREIGN_PERMANENT, "911840199001310015") == date(1990, 1, 31)


@given(st.dates(TODAY + timedelta(days=1), date(2099, 12, 31)))
def test_nobody_is_born_tomorrow(born: date) -> None:
    body = f"110101{born:%Y%m%d}001"
    assert not accepted(body + check_character(body))


def test_a_day_that_is_not_in_the_calendar() -> None:
    assert not accepted("11010119900230001" + check_character("11010119900230001"))


def test_a_known_number() -> None:
    assert accepted("11010519491231002X")


@pytest.mark.parametrize(
    ("id_type", "typed", "normalised"),
    [
        (IdType.PASSPORT, "e 1234 5678", "E12345678"),
        (IdType.HK_MACAU_PERMIT, "H1234567801", "H12345678"),
        (IdType.HK_MACAU_PERMIT, "m12345678", "M12345678"),
        (IdType.TAIWAN_PERMIT, "0123456701B", "01234567"),
        (IdType.TAIWAN_PERMIT, "01234567", "01234567"),
        (IdType.FOREIGN_PERMANENT, "usa110012345678", "USA110012345678"),
    ],
)
def test_other_documents(id_type: IdType, typed: str, normalised: str) -> None:
    assert normalise(id_type, typed, TODAY) == normalised


def test_the_foreigners_card_of_2023_has_the_residents_check() -> None:
    body = "91184019900101001"
    assert accepted(body + check_character(body), IdType.FOREIGN_PERMANENT)
    wrong = "0" if check_character(body) != "0" else "1"
    assert not accepted(body + wrong, IdType.FOREIGN_PERMANENT)


@pytest.mark.parametrize(
    ("id_type", "typed"),
    [
        (IdType.PASSPORT, "ABCDEFG"),
        (IdType.PASSPORT, "E1"),
        (IdType.HK_MACAU_PERMIT, "X12345678"),
        (IdType.TAIWAN_PERMIT, "1234567"),
        (IdType.FOREIGN_PERMANENT, "11010519491231002X"),
        (IdType.RESIDENT, "110105491231002"),
    ],
)
def test_a_refusal_names_its_field(id_type: IdType, typed: str) -> None:
    with pytest.raises(DomainError) as refused:
        normalise(id_type, typed, TODAY)
    error = refused.value
    assert (error.code, error.message, error.status) == ("id_number_wrong", MESSAGES[id_type], 422)
    assert error.field == "id_number"


@pytest.mark.parametrize(
    ("number", "converted"),
    [
        ("110105491231002", "11010519491231002X"),
        ("１１０１０５ 491231 002", "11010519491231002X"),
        ("110105490231002", None),
        ("11010519491231002X", None),
        ("11010549123100", None),
        ("", None),
    ],
)
def test_a_number_of_15_digits_becomes_one_of_18(number: str, converted: str | None) -> None:
    assert id_numbers.converted(number, date(2026, 5, 1)) == converted
