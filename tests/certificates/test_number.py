"""The readable number: what is caught and what is forgiven."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from certificates.number import ALPHABET, NumberScheme, check_character
from lms.core.errors import DomainError

SCHEME = NumberScheme()
NUMBERS = st.builds(
    SCHEME.compose,
    programme=st.sampled_from(["FR", "RESCUE", "INS", "R"]),
    year=st.integers(2000, 9999),
    serial=st.integers(0, 2**32 - 1),
)


SAYS = {
    "certificate_number_malformed": "This is not a certificate number.",
    "certificate_number_mistyped": "The certificate number contains a typing error. Compare it with the certificate.",
}


def refusal(text: str, scheme: NumberScheme = SCHEME) -> str:
    with pytest.raises(DomainError) as caught:
        scheme.parse(text)
    assert caught.value.message == SAYS[caught.value.code]
    return caught.value.code


def test_the_number_looks_as_the_branch_writes_it() -> None:
    number = SCHEME.compose("FR", 2026, 123)
    assert number.startswith("BJ-FR-2026-0000123-")
    parsed = SCHEME.parse(number)
    assert (parsed.programme, parsed.year, parsed.serial, parsed.text) == ("FR", 2026, 123, number)


def test_check_character_against_a_published_example() -> None:
    """A1-2425G-ABC1234002-M is the example of the Global Release Identifier, which uses the same standard."""
    assert check_character("A12425GABC1234002") == "M"


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda number: number.replace("-", ""),
        lambda number: number.replace("-", " "),
        lambda number: number.replace("-", "—"),
        lambda number: number.replace("-", "－"),
        lambda number: f"  {number}\n",
        *(
            lambda number, separator=separator: number.replace("-", separator)
            for separator in (
                *map(chr, range(0x2010, 0x2016)),
                "\u2212",
                "ー",
                "_",
                ".",
                "·",
                "/",
                "\t",
                "\u3000",
                "- /",
            )
        ),
        lambda number: "".join(chr(ord(character) + 0xFEE0) for character in number),
    ],
)
def test_what_people_type_is_forgiven(change) -> None:  # type: ignore[no-untyped-def]
    number = SCHEME.compose("FR", 2026, 123)
    assert SCHEME.normalise(change(number)) == number


@settings(deadline=None)
@given(NUMBERS)
def test_round_trip(number: str) -> None:
    parsed = SCHEME.parse(number)
    assert SCHEME.compose(parsed.programme, parsed.year, parsed.serial) == number == parsed.text


@settings(deadline=None)
@given(NUMBERS, st.data())
def test_each_wrong_character_is_caught(number: str, data: st.DataObject) -> None:
    plain = number.replace("-", "")
    place = data.draw(st.integers(0, len(plain) - 1))
    wrong = data.draw(st.sampled_from(ALPHABET.replace(plain[place], "")))
    refusal(plain[:place] + wrong + plain[place + 1 :])


@settings(deadline=None)
@given(NUMBERS, st.data())
def test_swapped_neighbours_are_caught_as_the_standard_promises(number: str, data: st.DataObject) -> None:
    plain = number.replace("-", "")
    place = data.draw(st.integers(0, len(plain) - 2))
    first, second = plain[place], plain[place + 1]
    distance = (ALPHABET.index(first) - ALPHABET.index(second)) % len(ALPHABET)
    assume(distance not in (0, 1, len(ALPHABET) - 1))
    refusal(plain[:place] + second + first + plain[place + 2 :])


@pytest.mark.parametrize(
    "text", ["", "BJ", "BJ-FR-2026-123-C", "SH-FR-2026-0000123-C", "BJ-FR-2026-0000123", "😀", "张三"]
)
def test_other_text_is_not_a_number(text: str) -> None:
    assert refusal(text) == "certificate_number_malformed"


def test_a_mistyped_number_is_told_from_a_malformed_one() -> None:
    number = SCHEME.compose("FR", 2026, 123)
    assert refusal(number.replace("0000123", "0000124")) == "certificate_number_mistyped"


def test_one_serial_has_one_number() -> None:
    stem = "BJFR20260000000123"
    assert refusal(stem + check_character(stem)) == "certificate_number_malformed"


def test_a_serial_of_more_than_32_bits_is_not_a_number_of_ours() -> None:
    for serial, expected in ((2**32 - 1, None), (2**32, "certificate_number_malformed")):
        stem = f"BJFR2026{serial}"
        if expected is None:
            assert SCHEME.parse(stem + check_character(stem)).serial == serial
        else:
            assert refusal(stem + check_character(stem)) == expected


def test_the_branch_of_beijing_writes_seven_digits_unless_told() -> None:
    assert NumberScheme() == NumberScheme(branch="BJ", width=7)


@pytest.mark.parametrize(("branch", "programme"), [("A", "Z"), ("ABCDEFGH", "STUVWXYZ")])
@pytest.mark.parametrize("year", [2000, 9999])
@pytest.mark.parametrize("width", [1, 10])
@pytest.mark.parametrize("serial", [0, 2**32 - 1])
def test_a_number_at_the_edges_is_written_and_read_back(
    branch: str, programme: str, year: int, width: int, serial: int
) -> None:
    scheme = NumberScheme(branch, width)
    number = scheme.compose(programme, year, serial)
    assert number.rpartition("-")[0] == f"{branch}-{programme}-{year}-{str(serial).rjust(width, '0')}"
    parsed = scheme.parse(number)
    assert (parsed.programme, parsed.year, parsed.serial, parsed.text) == (programme, year, serial, number)


def test_a_year_before_2000_is_not_a_number_of_ours() -> None:
    stem = "BJFR19990000123"
    assert refusal(stem + check_character(stem)) == "certificate_number_malformed"


def test_the_scheme_is_a_setting() -> None:
    scheme = NumberScheme(branch="SHRC", width=5)
    number = scheme.compose("FR", 2026, 123)
    assert number.startswith("SHRC-FR-2026-00123-")
    assert scheme.normalise(number.lower().replace("-", "")) == number
    assert refusal(number) == "certificate_number_malformed"


def test_a_serial_wider_than_the_scheme_is_written_in_full() -> None:
    scheme = NumberScheme(width=2)
    number = scheme.compose("FR", 2026, 4_294_967_295)
    assert scheme.parse(number).serial == 4_294_967_295


@pytest.mark.parametrize(
    "facts",
    [
        ("fr", 2026, 1),
        ("", 2026, 1),
        ("F1", 2026, 1),
        ("STUVWXYZA", 2026, 1),
        ("FR", 1999, 1),
        ("FR", 10000, 1),
        ("FR", 2026, -1),
        ("FR", 2026, 2**32),
    ],
)
def test_a_number_that_could_not_be_read_back_is_not_written(facts: tuple[str, int, int]) -> None:
    with pytest.raises(ValueError, match=r"must be|out of range"):
        SCHEME.compose(*facts)


@pytest.mark.parametrize(
    "settings", [{"branch": "bj"}, {"branch": ""}, {"branch": "ABCDEFGHI"}, {"width": 0}, {"width": 11}]
)
def test_a_scheme_that_cannot_work_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        NumberScheme(**settings)  # type: ignore[arg-type]
