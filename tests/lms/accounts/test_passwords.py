"""Which passwords are refused, and that what is kept opens with the right one only."""

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zxcvbn import feedback

from lms.accounts import passwords
from lms.config import ROOT
from lms.core.errors import DomainError
from lms.core.languages import translated

FACTS = ("王小芳", "wang.xiaofang@example.org", "+8613800138000")


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_short"),
        ("九个字符的口令呀呀", "password_short"),
        ("x" * 201, "password_long"),
        ("1234567890", "password_common"),
        ("Password 123", "password_common"),
        ("P@ssw0rd2024", "password_common"),
        ("redcross2024", "password_common"),
        ("Hongshizihui1", "password_common"),
        ("woaini5201314", "password_common"),
        ("xiaofang2024!", "password_common"),
        ("Example2024!", "password_common"),
        ("onlylowercase", "password_common"),
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
    [
        "correct horse battery",
        "海内存知己天涯若比邻",
        "only lowercase letters",
        "2 4 8 16 32 64",
        "王小芳爱吃火锅和冰糖葫芦",
    ],
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


@pytest.mark.parametrize(
    ("password", "begins"),
    [
        ("P@ssw0rd2024", "This is a common password in disguise"),
        ("qwertyuiop[]", "Rows of keys"),
        ("abcabcabcabc", "Repeated characters"),
        ("abcdefghijkl", "Sequences such as"),
    ],
)
def test_the_reason_is_told_in_words_of_our_own_and_in_both_languages(password: str, begins: str) -> None:
    with pytest.raises(DomainError) as refusal:
        passwords.demand(password, facts=FACTS)
    assert refusal.value.message.startswith(begins)
    assert translated(refusal.value.message, "zh") != refusal.value.message


def test_every_warning_of_the_library_is_one_that_is_known() -> None:
    source = Path(feedback.__file__).read_text(encoding="utf-8")
    warnings = re.findall(r"'?warning'?\]?(?:'\])?\s*[:=]\s*_\(['\"](.+?)['\"]", source)
    assert len(warnings) >= 8
    known = [beginning for beginnings, _text in passwords._WARNINGS for beginning in beginnings]
    unknown = [warning for warning in warnings if not warning.startswith(tuple(known))]
    assert [warning for warning in unknown if "common password" not in warning] == []


def test_the_longest_password_is_judged_quickly() -> None:
    """An estimate of all 200 characters would take as long as somebody likes who sends many."""
    for password in ("@4$5!1|0o3e" * 18, "a1B$" * 50, "password1" * 22):
        started = time.process_time()
        with contextlib.suppress(DomainError):
            passwords.demand(password[: passwords.MAXIMUM], facts=FACTS)
        assert time.process_time() - started < 1


def test_the_word_lists_are_loaded_when_a_password_is_chosen_and_not_at_the_start() -> None:
    program = "import sys, lms.accounts.passwords; print('zxcvbn' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "False"
