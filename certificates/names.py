"""A holder's name: the form that is compared, and the form that strangers may see."""

from __future__ import annotations

import re
import unicodedata

# Scripts in which each character is a syllable or a word: radicals to Yi, Hangul, compatibility, and planes 2
# and 3. Written as ranges because Python's character names lag behind the newest extensions, and those are
# used in names.
_SYLLABIC = re.compile("[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_DOTS = "·•・"


def mask(name: str) -> str:
    """Return what the public page may show: enough for the holder to recognise, too little to look somebody
    up.

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


def _characters(text: str) -> list[str]:
    """Split into what a reader sees as one character: a base with its accents and variation selectors."""
    parts: list[str] = []
    for character in text:
        if parts and unicodedata.category(character).startswith("M"):
            parts[-1] += character
        else:
            parts.append(character)
    return parts
