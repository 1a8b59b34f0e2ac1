"""Rows of a list that are no people: a total, a line for a signature, a remark below the list.

Only a row without a phone and an ID number is taken for one, unless it says itself what it is ("制表人：张三 138…"). Whoever
sends the list is told of each such row, and may have it read as a person.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

_SIGNS = "签字|签名|签章|盖章|公章|负责人|经办人|制表|填表|填报人|审核人|复核人|审批人|批准人|联系人|联系电话|咨询电话"
_ENGLISH_SIGNS = "signature|signed by|prepared by|checked by|approved by|contact person"
_REMARKS = "备注|说明|注意|注|日期|时间|地点|地址|单位|班级|领导|部门|remarks?|notes?|date|place|unit"
# The whole text is a total or the end of the list: 合计, 总计：30人, 共30人, 以下空白, Total 30.
_TOTAL = re.compile(
    r"(?:(?:合|总|小|共)\s*计|总\s*人\s*数|人\s*数|共(?=\s*\d)|以\s*下\s*(?:为\s*)?空\s*白|(?:grand |sub)?total)"
    r"[\s:=]*(?:共)?[\d\s,.]*(?:人次|人|名|位|people)?[\s.。]*",
    re.IGNORECASE,
)
_SIGNED = re.compile(rf"[(\[]?\s*[^:\d]{{0,12}}(?:{_SIGNS}|{_ENGLISH_SIGNS})", re.IGNORECASE)
_LABELLED = re.compile(
    rf"[(\[]?\s*[^:\d]{{0,8}}(?:{_SIGNS}|{_ENGLISH_SIGNS}|{_REMARKS})[^:\d]{{0,8}}\d?\s*:", re.IGNORECASE
)
_SENTENCE = re.compile(r"[:;,!?。]|\d{4}年|\d{1,2}月\d{1,2}日")
LONGEST_NAME = 30  # of one cell that stands alone in its row; names of 60 characters come with a phone
_DIGITS_OF_A_CONTACT = 7


def is_note(facts: Mapping[str, str], others: Sequence[str]) -> bool:
    """Tell whether a row is no person. facts: the texts of the columns that are kept; others: those of other columns."""
    texts = [*facts.values(), *others]
    if not texts:
        return False
    if is_labelled(texts[0]):
        return True
    if _holds_contact(facts):
        return False
    if any(map(says_so, texts)):
        return True
    if not facts:
        # A prepared number of a row that nobody filled in is nothing.
        return any(character.isalpha() for text in others for character in text) or _digits("".join(others)) > 4
    return len(texts) == 1 and is_sentence(texts[0])


def is_labelled(text: str) -> bool:
    """Tell whether a text begins with the label of a signature or a remark: "制表人：张三", "日期：2026-11-30"."""
    return _LABELLED.match(_plain(text)) is not None


def says_so(text: str) -> bool:
    """Tell whether a text says that it is no person: a total, a place for a signature, a labelled remark."""
    plain = _plain(text)
    return any((_TOTAL.fullmatch(plain), _SIGNED.match(plain), _LABELLED.match(plain)))


def is_sentence(text: str) -> bool:
    """Tell whether a text is too long for a name, or has the punctuation or a day of a sentence."""
    return len(text) > LONGEST_NAME or _SENTENCE.search(_plain(text)) is not None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _holds_contact(facts: Mapping[str, str]) -> bool:
    contacts = (facts.get(fact, "") for fact in ("phone", "id_number", "guardian_phone"))
    return any(_digits(text) >= _DIGITS_OF_A_CONTACT for text in contacts)


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))
