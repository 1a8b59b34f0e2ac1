"""The form of a name that is compared."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
