"""Names, phones, ID numbers and addresses as they are shown to others."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.core.masks import mask_all, mask_email, mask_id, mask_name, mask_phone


@pytest.mark.parametrize(
    ("mask", "value", "masked"),
    [
        (mask_phone, "+8613812345678", "138****5678"),
        (mask_phone, "+4915112345678", "+49****5678"),
        (mask_phone, "110", "***"),
        (mask_id, "110101199003071234", "110***********1234"),
        (mask_id, "E1234567", "E*****67"),
        (mask_email, "zhang@example.org", "z***@example.org"),
        *((mask, None, "") for mask in (mask_phone, mask_id, mask_email)),
    ],
)
def test_mask_of_a_number_or_an_address(mask: Callable[[str | None], str], value: str | None, masked: str) -> None:
    assert mask(value) == masked


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("张 小 三", "张*三"),
        ("欧阳小三", "欧**三"),
        ("䶮㛃𠅤", "䶮*𠅤"),
        ("张", "*"),
        ("阿凡提·买买提", "阿**·**提"),
        ("葛\U000e0100小明", "葛\U000e0100*明"),
        ("John Smith", "J*** S***"),
        ("Maria de los Ángeles", "M*** d*** l*** Á***"),
        ("A\u030ake Ø", "Å*** Ø***"),
        ("Suharto", "S***"),
        ("O", "*"),
        ("·", "*"),
    ],
)
def test_mask(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@settings(deadline=None)
@given(st.text(st.sampled_from("张王李欧阳小三四䶮𠅤"), min_size=2, max_size=8))
def test_a_mask_shows_at_most_two_characters(name: str) -> None:
    shown = mask_name(name)
    assert len(shown) == len(name)
    assert len(shown) - shown.count("*") <= 2
    assert "*" in shown


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请打13812345678或+86 138-1234-5678", "请打138****5678或138****5678"),
        ("邮箱：Li.Ming+a@mail.example.org。", "邮箱：L***@mail.example.org。"),
        ("证件11010519491231002X，父13912345678", "证件110***********002X，父139****5678"),
        ("z***@example.org 138****5678 110***********002X", "z***@example.org 138****5678 110***********002X"),
        ("BJ-2026-13812345678-7 ab13812345678 138123456789", "BJ-2026-13812345678-7 ab13812345678 138123456789"),
        ("3f2504e0-4f89-11d3-9a0c-138123456785", "3f2504e0-4f89-11d3-9a0c-138123456785"),
        ("2026-11-30T01:18:14+08:00 at noon @ home", "2026-11-30T01:18:14+08:00 at noon @ home"),
    ],
)
def test_contacts_within_a_text_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask_all({"a": [text, 13812345678, None], "b": {"c": text}}) == {
        "a": [masked, 13812345678, None],
        "b": {"c": masked},
    }
    assert mask_all(masked) == masked
