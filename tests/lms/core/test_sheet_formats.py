"""Number formats of workbooks: the text that a person sees for a number."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lms.core.errors import DomainError
from lms.core.sheet_formats import BUILT_IN, compiled, general, moment_of


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("00000000", "160123", "00160123"),
        ("0.00", "7.5", "7.50"),
        ("0", "7.5", "8"),
        ("#,##0", "1234567", "1,234,567"),
        ("#,##0.00;[Red]-#,##0.00", "-1234.5", "-1,234.50"),
        ("0.00_);(0.00)", "-5", "(5.00)"),
        ("0%", "0.85", "85%"),
        ("0.0%", "0.8555", "85.6%"),
        ('"No."0000', "12", "No.0012"),
        ("\\京0000号", "12", "京0012号"),
        ("000-0000-0000", "13800138000", "138-0013-8000"),
        ('General"人"', "5", "5人"),
        ("0.##", "5", "5."),
        ("0,", "1234567", "1235"),
        ("0.00E+00", "12345", "1.23E+04"),
        ("##0.0E+0", "12345", "12.3E+3"),
        ('[<60]"不及格";0', "59", "不及格"),
        ('[<60]"不及格";0', "61", "61"),
        ('[=1]"√";[=0]"×"', "1", "√"),
        ('[=1]"√";[=0]"×"', "2", "########"),
        ('"有";"缺";"无"', "0", "无"),
        ("0;-0;;@", "0", ""),
        (";;;", "5", ""),
        ("[$￥-804]#,##0.00", "5", "￥5.00"),
        ("@", "5", "5"),
        ("", "5", "5"),
    ],
)
def test_a_number_is_shown_by_its_format(code: str, number: str, shown: str) -> None:
    assert compiled(code).number(number) == shown


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ('yyyy"年"m"月"d"日"', "43267", "2018-06-16"),
        ("yyyy\\-mm\\-dd;@", "43267", "2018-06-16"),
        ("[$-804]yyyy年m月d日;@", "43267.7", "2018-06-16"),
        ("[DBNum1][$-804]yyyy年m月;@", "43267", "2018-06-16"),
        ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", "43267", "2018-06-16"),
        ("yyyymmdd", "43267", "2018-06-16"),
        ("mmm-yy", "43267", "2018-06-16"),
        ("yyyy/m/d h:mm", "43267.38888888889", "2018-06-16 09:20"),
        ("yyyy-mm-dd hh:mm:ss", "43267.388900463", "2018-06-16 09:20:01"),
        ("yyyy-mm-dd hh:mm:ss", "43267", "2018-06-16 00:00"),
        ("h:mm", "0.375", "09:00"),
        ("h:mm", "43267.38888888889", "09:20"),
        ("h:mm:ss", "0.0069", "00:09:56"),
        ('上午/下午h"时"mm"分"', "0.75", "18:00"),
        ("h:mm AM/PM", "0.75", "18:00"),
        ("mm:ss", "0.375", "09:00"),
        ("[h]:mm", "1.104166666666667", "26:30"),
        ("[h]:mm", "1", "24:00"),
        ("[mm]:ss", "0.0625", "01:30"),
        ("h:mm", "-0.5", "########"),
        ("yyyy-mm-dd", "0", "1900-01-00"),
        ("yyyy-mm-dd", "1", "1900-01-01"),
        ("yyyy-mm-dd", "60", "1900-02-29"),
        ("yyyy-mm-dd", "61", "1900-03-01"),
        ("yyyy-mm-dd", "2958466", "########"),
    ],
)
def test_days_and_times_have_one_form(code: str, number: str, shown: str) -> None:
    assert compiled(code).number(number) == shown


def test_days_counted_from_1904_are_four_years_later() -> None:
    assert compiled("yyyy-mm-dd", since_1904=True).number("41805") == "2018-06-16"
    assert compiled("h:mm", since_1904=True).number("0.375") == "09:00"


@pytest.mark.parametrize("code", ["# ?/?", "# ??/16", "[DBNum1]General", "[DBNum2][$-804]0", "0" * 300])
def test_a_format_that_is_not_rendered_gives_no_value(code: str) -> None:
    assert compiled(code).number("20123").startswith("#")


def test_the_formats_that_are_not_written_out_are_those_of_china() -> None:
    days = {number for number, code in BUILT_IN.items() if compiled(code).number("43267.5").startswith("2018-06-16")}
    assert days == {14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58}
    times = {number for number, code in BUILT_IN.items() if compiled(code).number("43267.5") == "12:00"}
    assert times == {18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56}
    assert compiled(BUILT_IN[46]).number("1.5") == "36:00"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800138000", "13800138000"),
        ("1.3800138E10", "13800138000"),
        ("201611010001", "201611010001"),
        ("0.30000000000000004", "0.3"),
        ("0.3333333333333333", "0.333333333"),
        ("66.66666666666667", "66.66666667"),
        ("2007.1", "2007.1"),
        ("-0.5", "-0.5"),
        ("007", "7"),
        ("0.0000123456", "1.23456E-05"),
        ("2.016110100012346E+18", "2.01611E+18"),
        ("1000000000000000", "1E+15"),
        ("999999999999999", "999999999999999"),
    ],
)
def test_a_number_without_a_format_is_shown_as_in_a_wide_cell(number: str, shown: str) -> None:
    assert general(number) == shown


@pytest.mark.parametrize("code", ["0", "00000000", "#,##0", "0.00", "0%", "@", "General"])
def test_a_number_whose_last_digits_are_lost_is_shortened_whatever_its_format(code: str) -> None:
    assert compiled(code).number("2016110100012345678") == "2.01611E+18"


def test_what_is_no_number_is_refused() -> None:
    for text in ("x", "nan", "1e999", "1_0", "0x10"):
        with pytest.raises(DomainError):
            compiled("0.00").number(text)


def test_a_text_has_the_words_of_its_format_around_it() -> None:
    shown = compiled('0;0;0;"京"@"号"').text
    assert shown is not None
    assert shown("123") == "京123号"
    assert compiled("yyyy-mm-dd;@").text is None
    hidden = compiled(";;;@").text
    assert hidden is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2018-06-16T00:00:00", "2018-06-16"),
        ("2018-06-16", "2018-06-16"),
        ("2018-06-16T09:20:00.000Z", "2018-06-16 09:20"),
        ("2018-06-16T09:20:01", "2018-06-16 09:20:01"),
    ],
)
def test_a_cell_with_a_day_as_text_has_the_same_form(text: str, shown: str) -> None:
    assert moment_of(text) == shown


@settings(max_examples=150)
@given(number=st.integers(-(10**14), 10**14), decimals=st.integers(0, 4), grouped=st.booleans())
def test_a_number_is_rounded_as_python_rounds_its_decimal(number: int, decimals: int, grouped: bool) -> None:
    value = Decimal(number) / 1000
    code = ("#,##0" if grouped else "0") + ("." + "0" * decimals if decimals else "")
    rounded = Decimal(f"{float(value):.15g}").quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    expected = f"{abs(rounded):,f}" if grouped else f"{abs(rounded):f}"
    assert compiled(code).number(repr(float(value))) == ("-" if number < 0 else "") + expected


@settings(max_examples=150)
@given(minutes=st.integers(61 * 1440, 2_958_000 * 1440))
def test_a_moment_of_any_minute_is_that_minute(minutes: int) -> None:
    days, rest = divmod(minutes, 1440)
    day = (date(1899, 12, 30) + timedelta(days)).isoformat()
    clock = f"{rest // 60:02}:{rest % 60:02}"
    assert compiled("yyyy/m/d h:mm").number(f"{minutes / 1440:.15g}") == f"{day} {clock}"
    assert compiled("h:mm").number(f"{rest / 1440:.15g}") == clock


@settings(max_examples=200)
@given(
    code=st.text(st.sampled_from('0#?.,%;@"\\_*[]$-8ymdhsEe+AP/年 G'), max_size=14) | st.text("0#.%", max_size=250),
    number=st.floats(allow_nan=False, allow_infinity=False),
)
@example(code="[h]:mm", number=1e308).via("a product beyond the largest number")
@example(code="E+0#", number=1.0).via("an exponent without a mantissa")
@example(code="0." + "0" * 250, number=99_999_999_999_999.0).via("more places than decimals have")
def test_any_format_gives_some_text(code: str, number: float) -> None:
    made = compiled(code)
    assert isinstance(made.number(repr(number)), str)
    assert made.text is None or isinstance(made.text("x"), str)
