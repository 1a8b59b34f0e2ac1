"""The meanings of cells in the attendance column."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.imports import presence
from lms.core.errors import DomainError


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("√", "all"), ("✔️", "all"), ("☑", "all"), ("TRUE", "all"), ("到", "all"), ("100%", "all"), ("", "all"), ("NULL", "all"),
        ("×", "none"), ("✗", "none"), ("✘", "none"), ("☐", "none"), ("-", "none"), ("—", "none"), ("／", "none"), ("缺勤", "none"),
        ("FALSE", "none"), ("0", "none"), ("0.0", "none"), ("0/2", "none"), ("Not  attended", "none"),
        ("1", "1"), ("1.0", "1"), ("３", "3"), ("1;2", "1;2"), ("2、1", "1;2"), ("1-3", "1;2;3"), ("第1、2次", "1;2"),
        ("1 2", "1;2"),
        ("2次", "count:2"), ("共2次", "count:2"), ("2/2", "count:2"),
        ("迟到", None), ("○", None), ("●", None), ("无", None), ("0.5", None), ("1/2", None), ("50%", None), ("0;1", None),
        ("#N/A", None),
    ],
)  # fmt: skip
def test_a_cell_is_understood_or_not(text: str, meaning: str | None) -> None:
    assert presence.meaning(text) == meaning


def test_the_table_for_the_page_is_what_is_understood() -> None:
    for meaning, texts in presence.KNOWN.items():
        assert {presence.meaning(text) for text in texts} == {meaning}


@pytest.mark.parametrize(
    ("text", "bits"),
    [("√", 0b111), ("×", 0), ("2", 0b10), ("1;3", 0b101), ("3次", 0b111), ("", 0b111 | presence.EMPTY_CELL)],
)
def test_the_sessions_of_a_cell(text: str, bits: int) -> None:
    assert presence.bits(text, 3, {}) == bits


def test_a_user_decides() -> None:
    assert presence.bits("迟到", 2, {"迟到": "all"}) == 0b11
    assert presence.bits("", 2, {"": "none"}) == 0
    assert presence.bits("NULL", 2, {"": "all"}) == 0b11
    assert presence.bits("√", 2, {"√": "none"}) == 0


@pytest.mark.parametrize(
    ("text", "code"), [("迟到", "presence"), ("4", "sessions"), ("2次", "presence_count"), ("3/4", "presence")]
)
def test_what_is_not_understood_is_refused(text: str, code: str) -> None:
    with pytest.raises(DomainError) as caught:
        presence.bits(text, 3, {})
    assert caught.value.code == code


@given(st.text(max_size=4), st.integers(1, 30))
def test_a_text_that_is_in_no_table_is_never_present(text: str, sessions: int) -> None:
    known = presence.meaning(text)
    if known is None:
        with pytest.raises(DomainError):
            presence.bits(text, sessions, {})
    elif not any(letter.isdigit() or letter == "%" for letter in presence.key(text)) and presence.key(text):
        assert any(presence.key(text) == presence.key(value) for value in presence.KNOWN[known])


def test_a_meaning_has_a_description() -> None:
    texts = [message % params for message, params in map(presence.described, ("all", "none", "1;2", "count:2"))]
    assert texts == [
        "present at every session", "absent", "present at the sessions with the numbers 1, 2", "number of sessions attended: 2",
    ]  # fmt: skip
