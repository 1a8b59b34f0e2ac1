"""Texts of cells: plain signs, what stands for nothing, errors of formulas, and the refusal of a cell."""

import re
import unicodedata
from functools import lru_cache

from lms.core.errors import N_, DomainError
from lms.core.names import clean

_EMPTY = frozenset({
    "", "null", "\\n", "(null)", "[null]", "<null>", "nil", "none", "nan", "nat", "na", "<na>", "n/a", "n.a.", "undefined",
    "无", "暂无", "空", "未填", "未填写", "-", "--", "---", "/", "//", "\\",
})  # fmt: skip
_LONGEST_EMPTY = 10
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣─", "-") | {"～": "~", "〜": "~", "∼": "~", "⁄": "/", "∕": "/"})
_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|BUSY!|#+)", re.IGNORECASE)
_WHOLE = re.compile(r"(\d+)\.0+")
_BULLETS = "●⚫⬤⦁▪"
_BULLET_IN_NAME = re.compile(rf"(?<=\w)\s*[{_BULLETS}]\ufe0f?\s*(?=\w)")


def refusal(code: str, message: str, field: str | None = None, **params: object) -> DomainError:
    """Return the error that refuses a cell."""
    return DomainError(code, message, status=422, field=field, **params)


def is_empty(text: str) -> bool:
    """Tell whether a cell holds nothing, or what people and other systems write for nothing: NULL, \\N, 无, nan, "-".

    Not for names of people, because a person may be called 无, and not for attendance, where "-" means absent.
    """
    return not text or (len(text) <= _LONGEST_EMPTY and not text[0].isdecimal() and _is_empty_word(text))


@lru_cache(maxsize=20_000)
def _is_empty_word(text: str) -> bool:
    return plain_text(text).casefold() in _EMPTY


def unless_empty(text: str) -> str:
    """Return a cell's text, "" where `is_empty` says that it holds nothing."""
    return "" if is_empty(text) else text


def is_error(text: str) -> bool:
    """Tell whether a cell holds an error of a formula, such as #N/A, or a row of # where a column is too narrow."""
    return text.startswith(("#", "＃")) and _ERROR.fullmatch(plain_text(text)) is not None


def refuse_error(text: str, field: str | None = None) -> None:
    """Raise DomainError for a cell that holds an error of a formula."""
    if is_error(text):
        raise refusal(
            "cell_error",
            N_("The cell holds the error “%(text)s”. Correct the formula or enter the value."),
            field,
            text=text,
        )


def plain_text(text: str) -> str:
    """Return a text with ASCII digits and signs (NFKC), one kind of dash, single spaces and without Excel's apostrophe."""
    if text.isascii() and "  " not in text:
        return text.strip().lstrip("'`").strip()
    return " ".join(unicodedata.normalize("NFKC", text).translate(_DASHES).split()).lstrip("'’`").strip()


def whole_number(text: str) -> str:
    """Return a number without the decimals that a program has added: 13800139208.0 is 13800139208.

    Any other text is returned as it is.
    """
    match = _WHOLE.fullmatch(text)
    return match[1] if match else text


def person_name(text: str) -> str:
    """Return the name in a cell as it is stored (`names.clean`), with a bullet between its parts as the dot that is meant.

    Input methods that lack the dot · give ●: 阿凡提●买买提 is 阿凡提·买买提. It is no sign of names, so `names.norm` keeps it.
    """
    if not text.isascii() and any(bullet in text for bullet in _BULLETS):
        text = _BULLET_IN_NAME.sub("·", text)
    return clean(text)
