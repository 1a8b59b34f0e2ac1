"""The heading row of a table that somebody sends: how headings are compared, and which row holds them."""

import functools
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lms.core.sheet_cells import COLUMNS

ROWS = 15  # the headings stand in one of the first so many rows that hold something

_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|\{[^{}]*\}")
_COMPARED_LENGTH = 100  # a longer text is no heading


@dataclass(frozen=True, slots=True)
class Headings:
    """The headings of a table: their texts by column, the row number of their last row, the number of known names."""

    texts: list[str]
    line: int
    number: int


@lru_cache(4096)
def normalised(text: str) -> str:
    """A heading as it is compared: NFKC, lower case, without text in brackets, letters and digits only.

    "手机号码（必填）*" and "手机号码" are equal, "ID Type" and "id-type" too. A heading that stands in brackets is its text.
    """
    text = unicodedata.normalize("NFKC", text[:_COMPARED_LENGTH]).lower()
    return _letters(_BRACKETED.sub("", text)) or _letters(text)


def find(rows: Sequence[tuple[int, Sequence[str]]], known: Collection[str]) -> Headings | None:
    """The headings among the first rows of a table: those with the most known names, the first of equal ones.

    known: names as `normalised`. Headings may stand over two rows, as where 监护人 stands over 姓名 and 电话: then each text
    is the lower one, with the upper one before it where that is a known name ("监护人姓名").
    """
    best: Headings | None = None
    least = 0
    for index, (line, cells) in enumerate(rows[:ROWS]):
        single = _headings(list(cells), line, known)
        candidates = [single]
        if index:
            upper = _headings(list(rows[index - 1][1]), line, known)
            both = _over_two_rows(upper.texts, single.texts, line, known)
            if both is not None and both.number > max(upper.number, single.number):
                candidates.append(both)
        for headings in candidates:
            if headings.number > least:
                best, least = headings, headings.number
    return best


def letter_of(column: int) -> str:
    """The letters of a column as a spreadsheet shows them: 0 is A, 26 is AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def position_of(letters: str) -> int | None:
    """The position of a column from the letters that a spreadsheet shows: A is 0, AA is 26. None for other texts."""
    if not re.fullmatch("[A-Za-z]{1,3}", letters):
        return None
    return functools.reduce(lambda sum_, letter: sum_ * 26 + ord(letter) - ord("A") + 1, letters.upper(), 0) - 1


def _over_two_rows(upper: list[str], lower: list[str], line: int, known: Collection[str]) -> Headings | None:
    """The headings over two rows; None where the lower row is none of headings: something else is below a known name."""
    texts: list[str] = []
    group = ""
    for column in range(max(len(upper), len(lower))):
        above = upper[column] if column < len(upper) else ""
        below = lower[column] if column < len(lower) else ""
        group = above or group
        if below and normalised(group + below) in known:
            texts.append(group + below)
        elif below and normalised(below) in known:
            texts.append(below)
        elif below and normalised(above) in known:
            return None
        else:
            texts.append(above or below)
    return _headings(texts, line, known)


def _headings(texts: list[str], line: int, known: Collection[str]) -> Headings:
    texts = texts[:COLUMNS]  # a stray cell far away is no heading
    return Headings(texts, line, len({name for text in texts if (name := normalised(text)) in known}))


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())
