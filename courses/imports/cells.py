"""Parsing cells of an import: days, times, phones, ID numbers. Each function raises DomainError for a cell at fault."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any, TypeVar

from courses.enrolment import id_numbers
from courses.enrolment.sheet import ID_TYPE_NAMES
from courses.imports.kinds import normalised
from courses.models.trainees import IdType
from lms.core import spreadsheets
from lms.core.errors import N_, DomainError
from lms.core.phones import normalise_phone

EARLIEST = date(1980, 1, 1)
DAYS_LIMIT = 30
_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))")
_APART = re.compile(r"[;；、,，\s]+")
_HOUR = re.compile(r"(\d{1,2})[:：时点](\d{1,2})?分?(?::\d{2})?")
_SHORTENED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_ID_TYPES = {normalised(text): kind for kind, names in ID_TYPE_NAMES.items() for text in (*names, kind.value)}

T = TypeVar("T")


def refusal(code: str, message: str, **params: Any) -> DomainError:
    """Return the error that refuses a row."""
    return DomainError(code, message, status=422, **params)


def missing_cell(column: str) -> DomainError:
    """Return the error for an empty cell of a required column. `column`: the name of the field.

    The pages replace the name by the heading in the reader's language (`preview.fill_params`).
    """
    return refusal("cell_missing", N_("The cell “%(column)s” is empty."), column=column)


def look_up(text: str, table: Mapping[str, T], code: str, message: str) -> T:
    """Return the value of a text in a `lookup_table`; the refusal is `message`, a msgid with the place %(text)s."""
    value = table.get(normalised(text))
    if value is None:
        raise refusal(code, message, text=text)
    return value


@lru_cache(maxsize=20_000)
def parse_day(text: str) -> date:
    """Parse a day: 2015-03-08, 2015/3/8, 2015年3月8日 or 20150308."""
    match = _DAY.fullmatch(unicodedata.normalize("NFKC", text).replace(" ", ""))
    if match is not None:
        year, *rest = match.groups()
        month, number = (int(part) for part in rest if part)
        try:
            return date(int(year), month, number)
        except ValueError:
            pass
    raise refusal("day", N_("“%(text)s” is not a date. Write it as 2015-03-08."), text=text)


def parse_past_days(text: str, today: date) -> list[date]:
    """Parse the days of an offering, separated by commas, semicolons or spaces: sorted, each before today."""
    days = sorted({parse_day(part) for part in _APART.split(text) if part})
    if not days:
        raise refusal("day", N_("“%(text)s” is not a date. Write it as 2015-03-08."), text=text)
    if len(days) > DAYS_LIMIT:
        raise refusal("days", N_("An offering has no more than %(most)s days."), most=DAYS_LIMIT)
    if days[0] < EARLIEST or days[-1] >= today:
        raise refusal("not_past", N_("“%(text)s” is not in the past."), text=text)
    return days


@lru_cache(maxsize=20_000)
def parse_time(text: str) -> time | None:
    """Parse a time of day, as 9:00, 09:00:00 or 9时; None for an empty cell."""
    if not text:
        return None
    match = _HOUR.fullmatch(unicodedata.normalize("NFKC", text).rpartition(" ")[2])
    if match is not None:
        try:
            return time(int(match[1]), int(match[2] or 0))
        except ValueError:
            pass
    raise refusal("hour", N_("“%(text)s” is not a time. Write it as 09:00."), text=text)


def parse_phone(text: str) -> str | None:
    """Return a phone in E.164, None for an empty cell.

    Nearly all are Chinese mobiles; whether those are possible depends on their first five digits, which are cached.
    """
    if not text:
        return None
    plain = text if text.isascii() and text.isdecimal() else spreadsheets.digits(text)
    if len(plain) == 11 and plain.startswith("1") and plain.isdecimal() and _is_mobile(plain[:5]):
        return "+86" + plain
    try:
        return normalise_phone(plain)
    except ValueError:
        raise refusal(
            "phone", N_("This is not a phone number. Enter 11 digits, or + and the country code for a foreign number.")
        ) from None


@lru_cache(maxsize=20_000)
def _is_mobile(prefix: str) -> bool:
    try:
        return normalise_phone(prefix + "000000") == f"+86{prefix}000000"
    except ValueError:
        return False


def parse_id_number(kind: str, text: str, today: date) -> tuple[IdType, str] | None:
    """Return the type and the normalised form of an ID number, None for an empty cell.

    Without a type it is a resident's.
    """
    if not text:
        return None
    if _SHORTENED.fullmatch(text):
        raise refusal(
            "shortened", N_("Excel has shortened this number. Format the column as text and enter the number again.")
        )
    id_type = (
        IdType.RESIDENT if not kind else look_up(kind, _ID_TYPES, "id_type", N_("There is no ID type “%(text)s”."))
    )
    return id_type, id_numbers.normalise(id_type, text, today)


def parse_birth_year(text: str, today: date) -> int | None:
    """Parse a year of birth, also from a whole date of birth; None for an empty cell."""
    if not text:
        return None
    plain = spreadsheets.digits(text)
    year = int(plain[:4]) if plain[:4].isdecimal() and len(plain) >= 4 else 0
    if not id_numbers.EARLIEST_BIRTH_YEAR <= year <= today.year:
        raise refusal("birth_year", N_("Enter the year of birth as four digits, such as 1990."))
    return year


def look_up_or(text: str, table: Mapping[str, T], code: str, message: str, *, empty: T) -> T:
    """Return the value of a text as `look_up` does; `empty` for an empty cell."""
    return look_up(text, table, code, message) if text else empty


def lookup_table(rows: Mapping[T, tuple[str, ...]], key: Callable[[str], str] = normalised) -> dict[str, T]:
    """Turn value → names into name → value, each name as `key` gives it."""
    return {key(text): value for value, names in rows.items() for text in names if text}
