"""Values in the cells of files that people send: days, times, months, phones and numbers.

A cell comes as its text in the spreadsheet. Its meaning is certain, or the cell is refused: each `parse_*` function
returns None for an empty cell and raises DomainError for a text that it does not understand. `field` is the field of the
error. Every way in that reads files (rosters, past trainings, registers, legacy certificates) uses these functions. Those
of dates are in `cell_dates`, what stands for nothing is in `cell_text`.
"""

import re
from functools import lru_cache

from lms.core.cell_dates import Moment, parse_birth_year, parse_day, parse_days, parse_moment, parse_month, parse_time
from lms.core.cell_text import is_empty, is_error, plain_text, refusal, refuse_error, unless_empty, whole_number
from lms.core.errors import N_
from lms.core.phones import normalise_phone

__all__ = [
    "Moment", "certificate_number", "is_empty", "is_error", "is_shortened", "parse_birth_year", "parse_count",
    "parse_day", "parse_days", "parse_moment", "parse_month", "parse_phone", "parse_time", "refusal",
    "refuse_error", "refuse_shortened", "unless_empty", "whole_number",
]  # fmt: skip

CACHE = 20_000
EXACT_DIGITS = 15  # a spreadsheet's number holds no more digits

_SHORTENED = re.compile(r"[-+]?\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.0+)?")
_PHONE = re.compile(r"\+?[\d\s().-]+")
_BETWEEN_PHONES = re.compile(r"[^\d\s().+-]+")
_MOBILE = re.compile(r"(?<!\d)\d{11}(?!\d)")
SHORTEST_PHONE = 7  # digits


def is_shortened(text: str) -> bool:
    """Tell whether a spreadsheet has shortened a number: 2.01611E+18, or 18 digits of which those after the 15th are 0.

    Numbers of 16 digits and more come from the parser with E+, because their last digits are lost.
    """
    if text.isascii() and text.isalnum() and not text.isdecimal() and "E" not in text and "e" not in text:
        return False
    plain = plain_text(text).replace(" ", "")
    if plain.isdecimal():
        return len(plain) >= EXACT_DIGITS + 3 and not plain[EXACT_DIGITS:].strip("0")
    return _SHORTENED.fullmatch(plain) is not None


def refuse_shortened(text: str, field: str | None = None) -> None:
    """Raise DomainError for a number that a spreadsheet has shortened."""
    if is_shortened(text):
        raise refusal(
            "shortened",
            N_("Excel has shortened this number. Format the column as text and enter the number again."),
            field,
        )


@lru_cache(maxsize=CACHE)
def parse_count(text: str, most: int, field: str | None = None) -> int | None:
    """Parse a number of people or certificates from 0: 1234, 1,234 or 1234.0."""
    if is_empty(text):
        return None
    plain = whole_number(plain_text(text).replace(" ", ""))
    if _THOUSANDS.fullmatch(plain):
        plain = whole_number(plain.replace(",", ""))
    if not plain.isdecimal() or not plain.isascii() or len(plain) > EXACT_DIGITS or int(plain) > most:
        raise refusal("number", N_("“%(text)s” is not a whole number from 0 to %(most)s."), field, text=text, most=most)
    return int(plain)


def parse_phone(text: str, field: str | None = None) -> str | None:
    """Parse a phone to E.164: 13800138000, 138-0013-8000, 0086-13800138000, +49 30 901820, 13800138000.0.

    Nearly all are Chinese mobiles; whether those are possible depends on their first five digits, which are cached.
    """
    if len(text) == 11 and text.isascii() and text.isdecimal() and text[0] == "1" and _is_mobile(text[:5]):
        return "+86" + text
    if is_empty(text):
        return None
    refuse_error(text, field)
    refuse_shortened(text, field)
    plain = whole_number(plain_text(text))
    if _holds_several_phones(plain):
        raise refusal("phones", N_("The cell holds more than one phone number. Leave one of them."), field)
    decimals = plain.count(".") == 1 and plain.replace(".", "").isdecimal() and len(plain.partition(".")[2]) < 7
    if _PHONE.fullmatch(plain) and not decimals:
        try:
            return normalise_phone(plain.replace(".", ""))
        except ValueError:
            pass
    raise refusal(
        "phone",
        N_("This is not a phone number. Enter 11 digits, or + and the country code for a foreign number."),
        field,
    )


def _holds_several_phones(text: str) -> bool:
    parts = [part for part in _BETWEEN_PHONES.split(text) if sum(map(str.isdecimal, part)) >= SHORTEST_PHONE]
    return len(parts) > 1 or len(_MOBILE.findall(text)) > 1


@lru_cache(maxsize=CACHE)
def _is_mobile(prefix: str) -> bool:
    try:
        return normalise_phone(prefix + "000000") == f"+86{prefix}000000"
    except ValueError:
        return False


def certificate_number(text: str, field: str | None = None) -> str:
    """Return the number of a certificate as it is stored, "" for an empty cell.

    Refused are numbers that a spreadsheet has shortened, decimals, times and percentages: no number on paper looks so.
    """
    if text.isascii() and text.isalnum() and not text.isalpha() and not is_shortened(text):
        return text  # nearly all numbers end here
    if is_empty(text):
        return ""
    refuse_error(text, field)
    refuse_shortened(text, field)
    number = whole_number(text)
    plain = plain_text(number)
    if re.fullmatch(r"-?\d*[.,]\d+|\d+(?:\.\d+)?%|-\d+|\d{1,2}:\d{2}(?::\d{2})?", plain) or not re.search(r"\d", plain):
        raise refusal("certificate", N_("“%(text)s” is not a certificate number."), field, text=text)
    return number
