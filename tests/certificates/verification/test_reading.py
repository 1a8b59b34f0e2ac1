"""Tests of reading: what scanners, spreadsheets, chats and people make of a code, and what is none.

`tests/lms/static/reading.test.js` reads the same examples.
"""

import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from certificates.verification.reading import digits_in

WRITINGS: dict[str, Any] = json.loads(Path(__file__).with_name("writings.json").read_text(encoding="utf-8"))
EXAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "lms" / "static" / "certificate.json").read_text(encoding="utf-8")
)
CODE: str = EXAMPLE["digits"]
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def written(writing: str) -> str:
    """The writing with the digits of the code in the places of its tokens."""

    def digits(token: re.Match[str]) -> str:
        part = CODE[int(token[2]) : int(token[3])]
        return part.translate(WIDE) if token[1] else part

    return re.sub(r"\{(w?)(\d+):(\d+)\}", digits, writing)


def test_every_spoilt_writing_of_a_code_is_read() -> None:
    writings = WRITINGS["readable"]
    assert len(set(writings)) >= 120
    assert [writing for writing in writings if digits_in(written(writing)) != CODE] == []


def test_nothing_else_is_read_as_a_code() -> None:
    writings = WRITINGS["unreadable"]
    assert len(set(writings)) >= 40
    assert [writing for writing in writings if digits_in(written(writing)) is not None] == []


NO_DIGITS = st.text(st.characters(exclude_categories=("Nd", "Nl", "No", "Cs"), exclude_characters="%="))


@given(NO_DIGITS, st.text(" \n\u200b\u3000", max_size=3), st.integers(1, 197))
def test_whatever_stands_around_a_code_and_whatever_blank_within_it_changes_nothing(
    around: str, blank: str, place: int
) -> None:
    assert digits_in(f"{around}{CODE[:place]}{blank}{CODE[place:]}{around}") == CODE
