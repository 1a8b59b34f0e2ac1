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
_NO_RESULT = "#="  # and the formula: `sheet_rows` writes this where no program has calculated it
# Other systems write these where they have no name. A person may be called 无 or Nan, so names have a rule of their own.
_NO_NAMES = frozenset({"NULL", "null", "(null)", "\\N", "None", "NaN", "nan", "N/A"})
_DITTO = frozenset({"同上", "同前", "〃", "″", '"', "ditto"})
_USUAL_NAME = re.compile("[\u4e00-\u9fff]{2,4}")
_NUMBER_IN_NAME = re.compile(r"\d{5}|\d+\.\d")
_BETWEEN_NAMES = re.compile(r"(?<=[^\W\d_])\s*[、;/]\s*(?=[^\W\d_])|(?<=[\u4e00-\u9fff])\s*[,+&]\s*(?=[\u4e00-\u9fff])")
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
    """Tell whether a cell holds an error of a formula, such as #N/A, a row of # where a column is too narrow, or a formula
    without a result.
    """
    return text.startswith(("#", "＃")) and (
        text.startswith(_NO_RESULT) or _ERROR.fullmatch(plain_text(text)) is not None
    )


def refuse_error(text: str, field: str | None = None) -> None:
    """Raise DomainError for a cell that holds an error of a formula, or a formula without a result."""
    if text.startswith(_NO_RESULT):
        raise refusal(
            "cell_formula",
            N_(
                "The file has no result for the formula in this cell. Open it in Excel or WPS, save it and send it again."
            ),
            field,
        )
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


def person_name(text: str, field: str | None = None) -> str:
    """Return the name in a cell as it is stored (`names.clean`); "" for what other systems write where they have no name.

    Input methods that lack the dot · give ●: 阿凡提●买买提 is 阿凡提·买买提. It is no sign of names, so `names.norm` keeps it.
    Refused are errors, several names (乙、丙), a repetition mark (同上), a text without a letter, and a name with a number or
    a colon in it: none of these is one person's name.
    """
    if _USUAL_NAME.fullmatch(text) and text not in _DITTO:
        return text
    if text in _NO_NAMES:
        return ""
    refuse_error(text, field)
    if not text.isascii() and any(bullet in text for bullet in _BULLETS):
        text = _BULLET_IN_NAME.sub("·", text)
    name = clean(text)
    if name:
        _refuse_unlike_name(name, field)
    return name


def _refuse_unlike_name(name: str, field: str | None) -> None:
    plain = unicodedata.normalize("NFKC", name)
    if name.casefold() in _DITTO:
        raise refusal("name_ditto", N_("“%(text)s” repeats the row above. Write the name out."), field, text=name)
    if not any(letter.isalpha() for letter in name):
        raise refusal("name_letters", N_("The name contains no letters."), field)
    if _NUMBER_IN_NAME.search(name):
        raise refusal("name_wrong", N_("There is a number in the name. Put it into its own column."), field)
    if ":" in plain:
        raise refusal("name_wrong", N_("There is a colon in the name. Enter the name alone."), field)
    if _BETWEEN_NAMES.search(plain):
        raise refusal(
            "names", N_("The cell holds more than one name. Give each person a row, with a phone of their own."), field
        )
