"""The heading row of a table: how headings are compared, and which of the first rows holds them."""

import pytest

from lms.core import headings
from lms.core.headings import Headings, find, normalised

KNOWN = frozenset({"姓名", "手机", "证件类型", "证件号码", "身份证", "监护人姓名", "监护人电话"})


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        (" 手机（必填） *", "手机"),
        ("ID-Type [optional]", "idtype"),
        ("ＩＤ　号码", "id号码"),
        ("姓\n名", "姓名"),
        ("（姓名）", "姓名"),
        ("【必填】姓名", "姓名"),
        ("—", ""),
    ],
)
def test_a_heading_is_compared_by_its_letters_outside_brackets(text: str, compared: str) -> None:
    assert normalised(text) == compared


def test_titles_and_remarks_above_are_passed_over() -> None:
    rows = [
        (1, ["学员报名表，姓名在左"]),
        (4, ["", "填表人：王", "手机"]),
        (5, ["姓名", "单位", "手机"]),
        (6, ["张三", "", "138"]),
    ]
    assert find(rows, KNOWN) == Headings(["姓名", "单位", "手机"], 5, 2)
    assert find(rows[:1], KNOWN) is None


def test_headings_over_two_rows_are_the_lower_ones_with_the_group_where_that_is_known() -> None:
    rows = [
        (1, ["报名表"]),
        (2, ["姓名", "手机", "证件", "", "监护人", "", "备注"]),
        (3, ["", "", "证件类型", "证件号码", "姓名", "电话"]),
        (4, ["张三", "13800138000", "身份证", "", "", ""]),
    ]
    texts = ["姓名", "手机", "证件类型", "证件号码", "监护人姓名", "监护人电话", "备注"]
    assert find(rows, KNOWN) == Headings(texts, 3, 6)


def test_a_row_of_data_below_the_headings_is_no_second_row_of_them() -> None:
    rows = [(1, ["姓名", "手机", "备注"]), (2, ["张三", "138", "身份证"])]
    assert find(rows, KNOWN) == Headings(["姓名", "手机", "备注"], 1, 2)


def test_headings_stand_in_the_first_rows() -> None:
    rows = [(line, ["x"]) for line in range(1, headings.ROWS + 1)]
    assert find([*rows, (99, ["姓名", "手机"])], KNOWN) is None
    assert find([*rows[1:], (99, ["姓名", "手机"])], KNOWN) == Headings(["姓名", "手机"], 99, 2)


def test_a_stray_cell_far_away_is_no_heading() -> None:
    found = find([(1, ["姓名", "手机", *[""] * 16_000, "x"])], KNOWN)
    assert found is not None
    assert (len(found.texts), found.number) == (100, 2)


def test_columns_are_named_as_spreadsheets_name_them() -> None:
    assert [headings.letter_of(column) for column in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip


@pytest.mark.parametrize(("letters", "column"), [("A", 0), ("z", 25), ("AA", 26), ("XFD", 16_383)])
def test_the_letters_of_a_column_lead_to_it_and_back(letters: str, column: int) -> None:
    assert headings.position_of(letters) == column
    assert headings.letter_of(column) == letters.upper()


@pytest.mark.parametrize("text", ["", "1", "A1", "AAAA", "甲"])
def test_what_is_no_letters_is_no_column(text: str) -> None:
    assert headings.position_of(text) is None
