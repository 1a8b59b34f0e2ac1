"""Names in pinyin: the writing that a passport uses, and whether a writing is a reading of a name.

GB/T 28039-2011: family name and given name are written apart, each with a capital letter and without tones: 张三丰 is
"Zhang Sanfeng", 欧阳修 "Ouyang Xiu", 吕布 "Lyu Bu".
"""

import re
import unicodedata
from itertools import product

from lms.core import name_order

MOST_READINGS = 4096  # of one name: 12 characters with two readings each
# The compound family names that are in use.
_COMPOUND_NAMES = """
欧阳 歐陽 上官 司马 司馬 诸葛 諸葛 司徒 东方 東方 皇甫 公孙 公孫 慕容 令狐 夏侯 长孙 長孫 宇文 轩辕 軒轅 端木 百里 南宫 南宮
东郭 東郭 独孤 獨孤 呼延 西门 西門 闻人 聞人 鲜于 鮮于 太史 申屠 淳于 赫连 赫連 钟离 鍾離 完颜 完顏 尉迟 尉遲 万俟 萬俟
澹台 澹臺 单于 單于
"""
_COMPOUND = frozenset(_COMPOUND_NAMES.split())
_PART = re.compile("([a-z]+)(:?)[1-5](.)", re.DOTALL)
_LETTERS = re.compile("[^a-z]")
# How ü is written where a keyboard has none: 吕 as lü, lyu, lv or lu.
_UMLAUTS = ("ü", "yu", "v", "u")


def proposal(name: str) -> str:
    """The name in pinyin; empty where it has a character that no reading is known of, or is not written in Chinese.

    The family name is read as one ("单" is Shan), and a given name as one word.
    """
    parts = _PART.findall(name_order.by_sound(name))
    if not parts or "".join(character for _, _, character in parts) != name:
        return ""
    syllables = [_passport(letters, umlaut=bool(umlaut)) for letters, umlaut, _ in parts]
    first = 2 if len(name) > 2 and name[:2] in _COMPOUND else 1
    words = ("".join(syllables[:first]), "".join(syllables[first:]))
    return " ".join(word.capitalize() for word in words if word)


def is_reading(writing: str, name: str) -> bool:
    """Tell whether a writing is a reading of a Chinese name, in any order of family and given name and with any spaces.

    Each character may have any of its readings, and each ü any of its writings.
    """
    letters = _LETTERS.sub("", _without_tones(writing.lower()).replace("ü", "v"))
    choices = [_readings(character) for character in name]
    size = 1
    for choice in choices:
        size *= len(choice)
    if not letters or not 0 < size <= MOST_READINGS:
        return False
    orders = {0, 1, *((2,) if len(name) > 2 else ())}
    return any(
        letters == "".join((*reading[first:], *reading[:first])) for reading in product(*choices) for first in orders
    )


def _passport(letters: str, *, umlaut: bool) -> str:
    return letters.replace("u", "yu") if umlaut else letters


def _readings(character: str) -> frozenset[str]:
    """The readings of a character without tones, in every writing of ü; empty where none is known."""
    readings = {_without_tones(reading) for reading in name_order.dictionary().get(ord(character), "").split(",")}
    first = _PART.match(name_order.by_sound(character))  # the reading as a family name, which the dictionary may lack
    if first is not None:
        readings.add(first[1].replace("u", "ü") if first[2] else first[1])
    return frozenset(reading.replace("ü", written) for reading in readings if reading for written in _UMLAUTS)


def _without_tones(text: str) -> str:
    """The text without the signs of tones; ü stays."""
    plain = unicodedata.normalize("NFD", text)
    kept = "".join(sign for sign in plain if sign == "\u0308" or not unicodedata.combining(sign))
    return unicodedata.normalize("NFC", kept)
