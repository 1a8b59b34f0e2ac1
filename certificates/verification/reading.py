"""Reading: the 198 digits of a code in whatever a scanner, a spreadsheet, a chat or a person made of it.

CERTIFICATE.md, "Reading". `lms/static/reading.js` is the same in JavaScript; both are held to the examples of
`tests/certificates/verification/writings.json`.
"""

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import unquote

from certificates.payload import DIGITS

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_SOFT_LINE_BREAK = re.compile(r"=\r?\n")  # of quoted-printable, which mails use
_RUN = re.compile(r"[0-9]+(?: [0-9]+)*")
_INVISIBLE, _BLANK = "Cf", ("Zs", "Zl", "Zp", "Cc")


def digits_in(text: str) -> str | None:
    """Return the digits of the first code in a text, None where it has none.

    The text may be the digits, a whole address, or an address in a sentence. Digits may be full-width or percent-encoded,
    and blanks, line breaks and invisible characters may stand between them. A longer number is no code, unless it is one
    code several times, as a scanner types it that was triggered twice.
    """
    if _is_code(text):
        return text
    for run in _RUN.findall(_plain(text)):
        groups = run.split(" ")
        for start in range(len(groups)):
            code = _code_of(groups[start:])
            if code is not None:
                return code
    return None


def _code_of(groups: Sequence[str]) -> str | None:
    """The code at the beginning of groups of digits: the groups together are one code, once or several times."""
    digits = ""
    for group in groups:
        digits += group
        if len(digits) >= DIGITS:
            break
    code = digits[:DIGITS]
    return code if len(code) == DIGITS and digits == code * (len(digits) // DIGITS) else None


def _is_code(text: str) -> bool:
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def _plain(text: str) -> str:
    """The text with ASCII digits, with one space for each blank, and without invisible characters."""
    decoded = _SOFT_LINE_BREAK.sub("", _ESCAPES.sub(_unescaped, text))
    characters: list[str] = []
    for character in unicodedata.normalize("NFKC", decoded):
        category = unicodedata.category(character)
        if category in _BLANK:
            if characters and characters[-1] != " ":
                characters.append(" ")
        elif category != _INVISIBLE:
            characters.append(character)
    return "".join(characters)


def _unescaped(escapes: re.Match[str]) -> str:
    try:
        return unquote(escapes.group(), errors="strict")
    except UnicodeDecodeError:
        return escapes.group()
