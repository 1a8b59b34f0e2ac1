"""The form of a name that is compared."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.core.names import norm

LETTERS = st.text(st.sampled_from("张三欧阳䶮㛃𠅤abcXYZéØ９Ａｂ"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("张三", "张三"),
        (" 张 三\u3000", "张三"),
        ("阿凡提·买买提", "阿凡提买买提"),
        ("阿凡提•买买提", "阿凡提买买提"),
        ("阿凡提・买买提", "阿凡提买买提"),
        ("阿凡提･买买提", "阿凡提买买提"),
        ("John  Smith", "JOHNSMITH"),
        ("Ｊｏｈｎ\u00a0Smith", "JOHNSMITH"),
        ("Jose\u0301", "JOSÉ"),
        ("Groß", "GROSS"),
        ("O’Neill-d'Arcy", "O’NEILL-D'ARCY"),
        ("䶮㛃𠅤", "䶮㛃𠅤"),
    ],
)
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
