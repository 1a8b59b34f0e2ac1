"""Masked personal data for screens and the audit trail: enough to recognise it, too little to use it."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from lms.core.phones import HOME_CODE

SHORT = 8

# Scripts in which each character is a syllable or a word: radicals to Yi, Hangul, compatibility, and planes 2
# and 3. Written as ranges because Python's character names lag behind the newest extensions, and those are
# used in names.
_SYLLABIC = re.compile("[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_DOTS = "·•・"

# Texts in which personal data may stand. A letter or digit beside them would make them a part of something else, such as a
# certificate's number or a UUID; Chinese characters may stand beside them. The asterisk is no part, so that masks stay.
_ADDRESS = re.compile(r"[^\s@*<>()\[\]\"'，。；：、（）《》“”]+@[^\s@*<>()\[\]\"'，。；：、（）《》“”]+\.\w{2,}")
_NUMERIC = re.compile(r"[0-9]{4}")
_ID_NUMBER = re.compile(
    r"(?<![0-9A-Za-z-])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9A-Za-z-])"
)
_PHONE = re.compile(r"(?<![0-9A-Za-z-])(?:\+?86[ -]?)?1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4}(?![0-9A-Za-z-])")
_SEPARATORS = re.compile(r"[ -]")


def mask_phone(phone: str | None) -> str:
    """+8613812345678 → 138****5678; a foreign number keeps its first three characters and last four digits."""
    if not phone:
        return ""
    shown = phone.removeprefix(HOME_CODE)
    if len(shown) < SHORT:
        return "*" * len(shown)
    return f"{shown[:3]}****{shown[-4:]}"


def mask_id(number: str | None) -> str:
    """110101199003071234 → 110***********1234; a short number (a passport) keeps one character and two."""
    if not number:
        return ""
    first, last = (3, 4) if len(number) > 12 else (1, 2)
    return number[:first] + "*" * (len(number) - first - last) + number[-last:]


def mask_email(address: str | None) -> str:
    """zhang@example.org → z***@example.org."""
    if not address:
        return ""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"


def mask_all(value: Any) -> Any:
    """A value of JSON in whose texts each e-mail address, whole mainland phone number and ID number is masked.

    The audit trail is never altered and kept for good, so it holds none of them, whoever typed it into which field. Masking
    twice changes nothing.
    """
    if isinstance(value, str):
        return _masked_text(value)
    if isinstance(value, Mapping):
        return {key: mask_all(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [mask_all(part) for part in value]
    return value


def _masked_text(text: str) -> str:
    if "@" in text:
        text = _ADDRESS.sub(lambda match: mask_email(match.group()), text)
    if _NUMERIC.search(text):
        text = _ID_NUMBER.sub(lambda match: mask_id(match.group()), text)
        text = _PHONE.sub(lambda match: mask_phone(_SEPARATORS.sub("", match.group())), text)
    return text


def mask_name(name: str) -> str:
    """The name as strangers see it: the holder recognises it, and nobody can search for the person by it.

    张三丰 → 张*丰, 张三 → 张*, 阿凡提·买买提 → 阿**·**提. Names in letters keep the initial of each word and
    hide its length: John Smith → J*** S***. One character alone is hidden whole.
    """
    text = unicodedata.normalize("NFC", name).strip()
    if not _SYLLABIC.search(text):
        words = [_characters(word) for word in text.split()]
        if len(words) == 1 and len(words[0]) == 1:
            return "*"
        return " ".join(word[0] + "***" for word in words)
    shown = [character for character in _characters(text) if not character.isspace()]
    letters = [place for place, character in enumerate(shown) if character not in _DOTS]
    if not letters:
        return "*"
    kept = {letters[0]} if len(letters) > 1 else set()
    if len(letters) > 2:
        kept.add(letters[-1])
    return "".join(character if place in kept or character in _DOTS else "*" for place, character in enumerate(shown))


def without_names(text: str | None, *names: str | None) -> str | None:
    """A text in which each of the names is masked, such as the reason of a correction: "应为张三丰" → "应为张*丰"."""
    for name in filter(None, names):
        text = text.replace(name, mask_name(name)) if text else text
    return text


def _characters(text: str) -> list[str]:
    """Split a text into graphemes: a base character with its accents and variation selectors."""
    parts: list[str] = []
    for character in text:
        if parts and unicodedata.category(character).startswith("M"):
            parts[-1] += character
        else:
            parts.append(character)
    return parts
