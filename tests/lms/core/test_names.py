"""The compared form and the shown form of a name."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.core.masks import mask_name
from lms.core.names import norm

LETTERS = st.text(st.sampled_from("张三欧阳䶮㛃𠅤abcXYZéØ９Ａｂ"), min_size=1, max_size=12)


# Pairs of a name as it is written and as it is compared. tests/lms/static/names.test.js holds lms/static/names.js to the
# same pairs.
EXAMPLES = json.loads(Path(__file__).with_name("names.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("written", "compared"), EXAMPLES)
def test_norm(written: str, compared: str) -> None:
    assert norm(written) == compared


@settings(deadline=None)
@given(LETTERS, st.text(st.sampled_from(" \t\u3000·•・"), max_size=3), st.integers(0, 12))
def test_spaces_and_dots_never_change_the_compared_form(name: str, noise: str, place: int) -> None:
    assert norm(name[:place] + noise + name[place:]) == norm(name)


@settings(deadline=None)
@given(LETTERS)
def test_norm_is_stable(name: str) -> None:
    assert norm(norm(name)) == norm(name)
    assert norm(name.lower()) == norm(name.upper())


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
