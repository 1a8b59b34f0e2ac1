"""Searches in tables that are listed by name: by the beginning of a name, of its pinyin or of its initials.

`张`, `张伟`, `zhang`, `zhangwei`, `ZHANG Wei`, `zw` and `ZW` find 张伟, and `张伟 1985` the one who was born in 1985. Exact
matches come first, as a key comes before the keys that begin with it. Each way of reading the typed text is a part of the
list, with the order of the index that serves it.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, literal_column

from lms.core.name_order import INITIALS_SQL, PINYIN_SQL, beginnings, by_sound
from lms.core.names import clean

_YEAR = re.compile(r"(?:^|\s)((?:19|20)[0-9]{2})(?:\s|$|年)")
_HAN_FIRST = re.compile("[^\\x00-\\x7f]+")
_LETTERS = re.compile("[A-Za-zÀ-ɏ]")
_LAST = "\U0010ffff"  # after every character
MOST_INITIALS = 6  # letters; a longer text is no initials
LONGEST = 40


@dataclass(frozen=True)
class TypedName:
    """A typed text, taken apart: a name or its beginning, and a year of birth."""

    name: str
    year: int | None

    @classmethod
    def of(cls, text: str) -> "TypedName":
        """The parts of a text. A year alone is a name that nobody has, so that it lists nobody."""
        text = clean(text)
        year = _YEAR.search(text)
        name = clean(_YEAR.sub(" ", text)) if year else text
        return cls(name[:LONGEST], int(year[1])) if year and name else cls(text[:LONGEST], None)


@dataclass(frozen=True)
class Reading:
    """A way to read a typed name: the condition under which it is found, and the column whose index serves it."""

    condition: ColumnElement[bool]
    key: Any


def readings(name: str, sound: Any, table: str) -> list[Reading]:
    """The ways to read a typed name, the likeliest first, for the table of that name, whose column `name_sound` is given."""
    pinyin, initials = (
        literal_column(re.sub(r"\bname(_sound)?\b", rf"{table}.\g<0>", expression), Text(collation="C"))
        for expression in (PINYIN_SQL, INITIALS_SQL)
    )
    found = [Reading(begins(sound, key), sound) for key in beginnings(name)]
    if _LETTERS.search(name) is None:
        return found
    if (han := _HAN_FIRST.match(name)) is not None and by_sound(han[0])[:1] not in {"!", ""}:
        return [Reading(and_(begins(pinyin, typed_pinyin(name)), begins(sound, by_sound(han[0]))), pinyin)]
    by_pinyin = [Reading(begins(pinyin, letters), pinyin) for letters in _umlauts(typed_pinyin(name))]
    letters = "".join(letter for letter in name if letter.isalpha()).upper()
    # One letter is the beginning of the pinyin of whomever it is the first initial of.
    may_be_initials = 1 < len(letters) <= MOST_INITIALS
    by_initials = [Reading(begins(initials, letters), initials)] if may_be_initials else []
    return [*by_initials, *by_pinyin] if name.isupper() and " " not in name else [*by_pinyin, *by_initials]


def typed_pinyin(name: str) -> str:
    """The letters of a typed name as the index of pinyin has them: "zhangwei" for "Zhāng Wěi", "lvbu" for "Lü Bu"."""
    key = by_sound(re.sub("[üǖǘǚǜÜǕǗǙǛ]", "v", name))
    return re.sub("[^A-Za-z:]+", "", key).replace("u:", "v").replace(":", "").lower()


def _umlauts(letters: str) -> list[str]:
    """The ways to read lu, lyu and lv, which all are lü on somebody's keyboard; a text without them has one."""
    passport = re.sub("([ln])yu", r"\1v", letters)
    return list(dict.fromkeys((passport, re.sub("^([ln])u(?![ao])", r"\1v", passport))))


def begins(column: Any, key: str) -> ColumnElement[bool]:
    """The condition that a column of code points begins with a key, as a range that an index of it serves."""
    return and_(column >= key, column < key + _LAST)
