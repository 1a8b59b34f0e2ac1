"""Which passwords are refused, and that what is kept opens with the right one only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.accounts import passwords
from lms.core.errors import DomainError

FACTS = ("王小芳", "wang.xiaofang@example.org", "+8613800138000")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_short"),
        ("九个字符的口令呀呀", "password_short"),
        ("x" * 201, "password_long"),
        ("1234567890", "password_common"),
        ("Password 123", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("ＱＷＥＲＴＹＵＩＯＰ", "password_common"),
        ("13800138000", "password_personal"),
        ("13800138000ab", "password_personal"),
        ("wang.xiaofang@example.org", "password_personal"),
        ("Wang.Xiaofang1", "password_personal"),
    ],
)
def test_refused(password: str, code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        passwords.demand(password, facts=FACTS)
    assert refusal.value.code == code
    assert refusal.value.field == "password"


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "海内存知己天涯若比邻", "onlylowercase", "2 4 8 16 32 64", "王小芳爱吃火锅和冰糖葫芦"],
)
def test_accepted_without_rules_of_composition(password: str) -> None:
    passwords.demand(password, facts=FACTS)


@settings(max_examples=15)
@given(st.text(min_size=10, max_size=40), st.text(min_size=10, max_size=40))
def test_only_the_same_password_opens(chosen: str, other: str) -> None:
    sealed = passwords.seal(chosen)
    assert passwords.matches(sealed, chosen)
    assert not passwords.outdated(sealed)
    if passwords._normal(other) != passwords._normal(chosen):
        assert not passwords.matches(sealed, other)


def test_full_width_and_half_width_typing_is_one() -> None:
    assert passwords.matches(passwords.seal("ｃｏｒｒｅｃｔ　ｈｏｒｓｅ"), "correct horse")


def test_nobody_without_a_password_gets_in() -> None:
    assert not passwords.matches(None, "correct horse battery")
    assert not passwords.matches("not a hash", "correct horse battery")
