"""Names: the form that is stored, and the forms by which two names are compared, on certificates, on rosters, in lists and
at registration.

lms/static/names.js computes the same forms in JavaScript. Both are held to the examples of tests/lms/core/names.json, and
a test compares them on thousands of generated names.
"""

import re
import unicodedata

# GB 18030-2005 maps these characters to private-use code points; GB 18030-2022 and Unicode have code points for them.
_PRIVATE_USE = {
    0xE78D: 0xFE10, 0xE78E: 0xFE12, 0xE78F: 0xFE11, 0xE790: 0xFE13, 0xE791: 0xFE14, 0xE792: 0xFE15, 0xE793: 0xFE16,
    0xE794: 0xFE17, 0xE795: 0xFE18, 0xE796: 0xFE19, 0xE7C7: 0x1E3F, 0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC,
    0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE831: 0x215D7, 0xE832: 0x9FB8, 0xE83B: 0x2298F,
    0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE855: 0x241FE, 0xE864: 0x9FBB,
}  # fmt: skip
_ACUTE = "\u00b4"  # NFKC makes a combining accent of it, which would fall upon the letter before it
_IGNORED = frozenset(
    "·•‧∙⋅・･.。"  # dots
    "'‘’ʼʹ`´"  # apostrophes
    "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"  # hyphens, dashes and the minus sign
    "\u115f\u1160\u3164\uffa0\u2800"  # fillers: letters and a pattern that show nothing
    "\u180b\u180c\u180d\u180f"  # variation selectors of Mongolian
)
_IGNORED_CATEGORIES = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp"})
_SPACE_CATEGORIES = frozenset({"Cc", "Zs", "Zl", "Zp"})
_SHOWS_NOTHING = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Zero-width non-joiner and joiner, and Mongolian's vowel separator: within a word of these scripts they change the letters
# that one sees (Arabic to Thaana, the scripts of India, Mongolian).
_JOINERS = frozenset("\u200c\u200d\u180e")
_JOINED = "[\u0600-\u07bf\u0900-\u0dff\u1820-\u18af]"
STRAY_JOINER = re.compile(f"(?<!{_JOINED})[\u200c\u200d\u180e]|[\u200c\u200d\u180e](?!{_JOINED})")
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))

# Version 1 compared with fewer characters removed. Spaces are Unicode's space separators and the ASCII blanks, written out
# because `\s` means something else in JavaScript.
_IGNORED_BY_VERSION_1 = re.compile("[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000·•・]+")


class _Stored(dict[int, int | None]):
    """A table for `str.translate`, filled with the characters that occur: from a name as it is typed to one that is stored."""

    def __missing__(self, code_point: int) -> int | None:
        character = chr(code_point)
        category = unicodedata.category(character)
        if category in _SPACE_CATEGORIES:
            self[code_point] = ord(" ")
        elif character in _SHOWS_NOTHING or (category == "Cf" and character not in _JOINERS):
            self[code_point] = None
        else:
            self[code_point] = _PRIVATE_USE.get(code_point, code_point)
        return self[code_point]


class _Compared(dict[int, int | None]):
    """A table for `str.translate`, filled with the characters that occur: from a name to the form that is compared."""

    def __missing__(self, code_point: int) -> int | None:
        character = chr(code_point)
        removed = (
            character in _IGNORED
            or unicodedata.category(character) in _IGNORED_CATEGORIES
            or any(code_point in selectors for selectors in _VARIATION_SELECTORS)
        )
        self[code_point] = None if removed else _PRIVATE_USE.get(code_point, code_point)
        return self[code_point]


_STORED = _Stored({ord(_ACUTE): ord("’")})
_COMPARED = _Compared()


def clean(name: str) -> str:
    """The name as it is stored: what one sees and nothing else.

    NFC, with one space between words, without invisible characters and controls of direction. What joins or parts letters
    within a word of Arabic, Mongolian or an Indian script stays, because one sees its effect; so do variation selectors.
    Private-use characters of GB 18030-2005 become their standard ones. The result may be empty.
    """
    text = name.translate(_STORED)
    if not _JOINERS.isdisjoint(text):
        text = STRAY_JOINER.sub("", text)
    return unicodedata.normalize("NFC", " ".join(text.split()))


def norm(name: str) -> str:
    """The name as it is compared (`norm/2` of the certificate's code, version 2).

    NFKC; private-use characters of GB 18030-2005 as their standard ones; without invisible characters, spaces, dots,
    apostrophes and hyphens; in upper case. "古丽‧买买提" and "古丽·买买提" are equal, and so are "O’Brien" and "OBRIEN".
    """
    return unicodedata.normalize("NFKC", name.replace(_ACUTE, "")).translate(_COMPARED).upper()


def norm_version_1(name: str) -> str:
    """The name as codes of version 1 bind it: NFKC, without spaces and the dots `·` `•` `・`, in upper case."""
    return _IGNORED_BY_VERSION_1.sub("", unicodedata.normalize("NFKC", name)).upper()
