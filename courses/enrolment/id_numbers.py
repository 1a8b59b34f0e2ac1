"""ID numbers: the normal form in which a number is stored, and the checks that each document allows.

A resident's number is checked by its check character and its date of birth (GB 11643). The region code is not looked
up, because valid numbers have codes that the common tables lack.
"""

import re
import unicodedata
from datetime import date

from courses.models.trainees import IdType
from lms.core.errors import N_, DomainError

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
EARLIEST_BIRTH_YEAR = 1900

_SEPARATORS = re.compile(r"[\s\-·.'’]+")
_FIFTEEN = re.compile(r"[0-9]{15}")
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,12}")
_HK_MACAU = re.compile(r"([HM][0-9]{8})(?:[0-9]{2})?")
_TAIWAN = re.compile(r"([0-9]{8})(?:[0-9]{2}[A-Z]?)?")
_FOREIGN_OLD = re.compile(r"[A-Z]{3}[0-9]{12}")

MESSAGES = {
    IdType.RESIDENT: N_("This is not a resident ID number: it has 18 characters, the last may be X. Check each digit."),
    IdType.PASSPORT: N_("This is not a passport number: 5 to 12 letters and digits."),
    IdType.HK_MACAU_PERMIT: N_("This is not a Hong Kong or Macau permit: H or M and 8 digits."),
    IdType.TAIWAN_PERMIT: N_("This is not a Taiwan permit: 8 digits."),
    IdType.FOREIGN_PERMANENT: N_(
        "This is not a foreign permanent resident's card: 18 digits that begin with 9, or 3 letters and 12 digits."
    ),
}


def check_character(digits: str) -> str:
    """The check character of the first 17 digits (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, WEIGHTS, strict=True))
    return CHECK_CHARACTERS[total % 11]


def normalise(id_type: IdType, number: str, today: date) -> str:
    """The number in the form that is stored and compared: for example "e 1234 5678" becomes "E12345678".

    Raises DomainError `id_number_wrong` on the field `id_number`.
    """
    text = _SEPARATORS.sub("", unicodedata.normalize("NFKC", number)).upper()
    normalised = _CHECKS[id_type](text, today)
    if normalised is None:
        raise DomainError("id_number_wrong", MESSAGES[id_type], status=422, field="id_number")
    return normalised


def converted(number: str, today: date) -> str | None:
    """The resident's number of 18 digits that replaced a number of 15 digits, None for any other text.

    Numbers of 15 digits were given until 1999 and contain the year of birth without its century, which is 19. They have no
    check character, so whoever stores the number of 18 digits says that it was converted.
    """
    text = _SEPARATORS.sub("", unicodedata.normalize("NFKC", number))
    if not _FIFTEEN.fullmatch(text):
        return None
    first = f"{text[:6]}19{text[6:]}"
    return _resident(first + check_character(first), today)


def birth_date(id_type: IdType | None, number: str | None) -> date | None:
    """The date of birth that a normalised number contains, or None where it contains none."""
    if number and len(number) == 18 and id_type in {IdType.RESIDENT, IdType.FOREIGN_PERMANENT}:
        return _date_in(number)
    return None


def _resident(text: str, today: date) -> str | None:
    if not _EIGHTEEN.fullmatch(text) or check_character(text[:17]) != text[17]:
        return None
    born = _date_in(text)
    return text if born and born.year >= EARLIEST_BIRTH_YEAR and born <= today else None


def _passport(text: str, _today: date) -> str | None:
    return text if _PASSPORT.fullmatch(text) else None


def _hk_macau(text: str, _today: date) -> str | None:
    """The first nine characters, which a person keeps for life. The two digits after them count the reissues."""
    match = _HK_MACAU.fullmatch(text)
    return match[1] if match else None


def _taiwan(text: str, _today: date) -> str | None:
    """The first eight digits, which a person keeps for life. The characters after them count the reissues."""
    match = _TAIWAN.fullmatch(text)
    return match[1] if match else None


def _foreign_permanent(text: str, today: date) -> str | None:
    """The number of either card: since 2023 it is built like a resident's and begins with 9; before, it began with
    letters.
    """
    if _FOREIGN_OLD.fullmatch(text):
        return text
    return _resident(text, today) if text.startswith("9") else None


_CHECKS = {
    IdType.RESIDENT: _resident,
    IdType.PASSPORT: _passport,
    IdType.HK_MACAU_PERMIT: _hk_macau,
    IdType.TAIWAN_PERMIT: _taiwan,
    IdType.FOREIGN_PERMANENT: _foreign_permanent,
}


def _date_in(number: str) -> date | None:
    """The date in the seventh to fourteenth of 18 characters, None where the calendar has no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
