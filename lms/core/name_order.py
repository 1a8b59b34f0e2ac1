"""The order of lists of people: by the pinyin of their names, the same on each page, sheet, file and device.

Names are compared character by character, as the standard for Chinese lists says (GB/T 13418-1992): by the syllable
without its tone (lü after lu), then the tone, then the character. So people of one family name stay together: 章 and 张
sound alike, and no 张 stands between two 章. A family name has its own reading (单 is shàn, 曾 zēng, 尉迟 yùchí), any other
character the first reading with a tone that pypinyin gives. Characters without a reading follow all others, by code
point. Names in other scripts come before Chinese names, by code point, without accents; spaces, dots and invisible
characters count for nothing.

The key is text and is compared by code points: "zhang1张san1三" for 张三. It is kept beside the names of tables that are
listed by name in pages, in a column of the collation "C", whose order is the same. A new version of pypinyin may read a
character otherwise; the keys are then made anew by a migration.
"""

import os
import re
import unicodedata
from typing import Any

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column, validates

from lms.core.names import clean, norm

# Readings of characters that are read otherwise, or first otherwise, in a family name; the traditional form follows.
_SURNAMES = {
    "单單": "shan4", "曾": "zeng1", "仇": "qiu2", "解": "xie4", "查": "zha1", "朴": "piao2", "区區": "ou1", "任": "ren2",
    "华華": "hua4", "盖蓋": "ge3", "缪繆": "miao4", "员員": "yun4", "乐樂": "yue4", "召": "shao4", "种種": "chong2", "秘": "bi4",
    "洗": "xian3", "覃": "qin2", "折": "she2", "句": "gou1", "隗": "wei3", "繁": "po2", "那": "na1", "哈": "ha3",
    "翟": "zhai2", "祭": "zhai4", "燕": "yan1", "郇": "xun2", "纪紀": "ji3", "葛": "ge3", "薄": "bo2", "卜": "bu3", "都": "du1",
    "过過": "guo1", "干": "gan1", "甯": "ning4", "令": "ling2", "占": "zhan1", "相": "xiang4", "少": "shao4", "要": "yao1",
    "乜": "nie4", "撒": "sa3", "重": "chong2", "阚": "kan4", "观觀": "guan4", "佴": "nai4", "肖": "xiao1", "於": "yu1",
}  # fmt: skip
_COMPOUND_SURNAMES = {
    "尉迟尉遲": "yu4 chi2", "万俟萬俟": "mo4 qi2", "单于單于": "chan2 yu2", "澹台澹臺": "tan2 tai2", "宰父": "zai3 fu3",
    "子车子車": "zi3 ju1", "纥干紇干": "he2 gan1",
}  # fmt: skip
_TONES = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}
_UMLAUT = "\u0308"
_ACCENTS = re.compile("[\u0300-\u036f]")
_HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_NO_READING, _OTHER_SCRIPT = "{", "!"  # after and before the letters of the readings
_FIRST_LETTER = re.compile("([a-z])[a-z:]*[1-5]")
# SQL expressions over the columns of a table that is listed by name. Indexes are made of them, so searches must have
# exactly these texts: the pinyin of a name without tones ("zhangwei", "lv" for lü), and its initials ("ZW").
PINYIN_SQL = "lower(translate(replace(regexp_replace(name_sound, '[^A-Za-z:]+', '', 'g'), 'u:', 'v'), ':', ''))"
INITIALS_SQL = (
    "COALESCE(NULLIF(upper(regexp_replace(name_sound, '([a-z])[a-z:]*[1-5].|[!{].', '\\1', 'g')), ''),"
    " upper(regexp_replace(name COLLATE \"C\", '([^ ·.-])[^ ·.-]*[ ·.-]*', '\\1', 'g')))"
)
_WORD = re.compile("[^\\s·•‧∙⋅・･.。\\-\u2010-\u2015\u2212]+")


def _spelt(reading: str) -> str:
    """A reading with its tone as a figure after the letters: "lǜ" is "lu:4", so that it follows "lu"; no tone is 5."""
    letters, tone, umlaut = [], "5", ""
    for sign in unicodedata.normalize("NFD", reading):
        if sign in _TONES:
            tone = _TONES[sign]
        elif sign == _UMLAUT:
            umlaut = ":"
        elif sign.isascii():
            letters.append(sign)
    return "".join(letters) + umlaut + tone


class _Keys(dict[str, str]):
    """The part of the key for each character, filled with the characters that occur."""

    def __init__(self) -> None:
        super().__init__()
        self._readings: dict[int, str] = {}

    def __missing__(self, character: str) -> str:
        if not self._readings:
            self._readings = dictionary()
        self[character] = "".join(map(self._part, norm(character)))
        return self[character]

    def _part(self, character: str) -> str:
        if _HAN.fullmatch(character) is None:
            letters = _ACCENTS.sub("", unicodedata.normalize("NFD", character))
            return "".join(_OTHER_SCRIPT + letter for letter in letters)
        readings = [_spelt(reading) for reading in self._readings.get(ord(character), "").split(",") if reading]
        # A neutral tone is of particles and endings, not of names: 子 is zǐ.
        toned = (reading for reading in readings if not reading.endswith("5"))
        return next(toned, readings[0] if readings else _NO_READING) + character


def dictionary() -> dict[int, str]:
    """The readings of each character by its code point, as "zhāng,zhàng".

    The library's phrases, fifty megabytes that no name needs, stay unread.
    """
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")
    from pypinyin.pinyin_dict import pinyin_dict  # noqa: PLC0415  # read once it is needed, by whoever lists names

    return pinyin_dict


_KEYS = _Keys()
_FIRST = {character: reading + character for forms, reading in _SURNAMES.items() for character in forms}
_FIRST_TWO = {
    forms[start : start + 2]: "".join(
        reading + character for reading, character in zip(readings.split(), forms[start : start + 2], strict=True)
    )
    for forms, readings in _COMPOUND_SURNAMES.items()
    for start in range(0, len(forms), 2)
}


def by_sound(name: str) -> str:
    """The key that sorts a name: "shan4单xiong2雄xin4信" for 单雄信. Names that are compared as equal have one key.

    A compound family name has its reading where a given name follows: 单于 alone is a person 于 of the family 单.
    """
    if len(name) > 2 and (first := _FIRST_TWO.get(name[:2])) is not None:
        return first + "".join(map(_KEYS.__getitem__, name[2:]))
    if (first := _FIRST.get(name[:1])) is not None:
        return first + "".join(map(_KEYS.__getitem__, name[1:]))
    return "".join(map(_KEYS.__getitem__, name))


def beginnings(name: str) -> tuple[str, ...]:
    """The keys with which the keys of all names begin that begin with this text: "shan4单" for 单, of which 单雄信 is one.

    The first characters of a compound family name are read otherwise where the rest of the name follows: 尉 and 尉迟 are
    the beginning of 尉迟恭, too.
    """
    keys = [by_sound(name)]
    if len(name) == 2 and name in _FIRST_TWO:
        keys.append(_FIRST_TWO[name])
    if len(name) == 1:
        keys += [key[: key.index(name) + 1] for forms, key in _FIRST_TWO.items() if forms[0] == name]
    return tuple(dict.fromkeys(key for key in keys if key))


def initials(name: str) -> str:
    """The initials of a name in capitals, by which people are searched: ZSF for 张三丰, JS for John Smith, SXX for 单雄信.

    A Chinese character gives the first letter of the reading by which lists are sorted, and none where it has no reading.
    A word in another script gives its first letter without an accent.
    """
    letters = []
    text = unicodedata.normalize("NFKC", clean(name))
    compound = len(text) > 2 and _FIRST_TWO.get(text[:2])
    for word in _WORD.finditer(text):
        begins = True
        for place, character in enumerate(word.group(), word.start()):
            han = _HAN.fullmatch(character) is not None
            if compound and place < 2:
                letter = _FIRST_LETTER.findall(compound)[place]
            elif han:
                family = _FIRST.get(character) if place == 0 else None
                reading = _FIRST_LETTER.match(family or _KEYS[character])
                letter = reading[1] if reading else ""
            else:
                letter = norm(_ACCENTS.sub("", unicodedata.normalize("NFD", character))) if begins else ""
            letters.append(letter)
            begins = han or (begins and not letter)
    return "".join(letters).upper()


def _of_row(context: Any) -> str:
    return by_sound(context.get_current_parameters()["name"])


class ListedByName:
    """A table whose rows are listed by name: it keeps `name_sound`, the key of its column `name`, beside it.

    SQLAlchemy sets the key whenever it sets the name. Statements in SQL that write names write the key, too.
    """

    name_sound: Mapped[str] = mapped_column(Text(collation="C"), default=_of_row)

    @validates("name")
    def _keep_sound(self, _column: str, name: str) -> str:
        self.name_sound = by_sound(name)
        return name
