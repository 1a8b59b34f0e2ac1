"""What cells of an import mean: days, hours, phones, ID numbers. Each raises DomainError for what it cannot read."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any, TypeVar

from courses.enrolment import id_numbers
from courses.enrolment.sheet import ID_TYPE_NAMES
from courses.imports.kinds import word
from courses.models.trainees import IdType
from lms.core import spreadsheets
from lms.core.errors import N_, DomainError
from lms.core.phones import normalise_phone

EARLIEST = date(1980, 1, 1)
MOST_DAYS = 30
_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))")
_APART = re.compile(r"[;；、,，\s]+")
_HOUR = re.compile(r"(\d{1,2})[:：时点](\d{1,2})?分?(?::\d{2})?")
_SHORTENED = re.compile(r"\d(?:\.\d+)?[eE]\+?\d+")
_ID_TYPES = {word(text): kind for kind, words in ID_TYPE_NAMES.items() for text in (*words, kind.value)}

T = TypeVar("T")


def refused(code: str, message: str, **params: Any) -> DomainError:
    """Why a row does not go in."""
    return DomainError(code, message, status=422, **params)


def missing(column: str) -> DomainError:
    """A cell that is needed and empty. column: the field's name; whoever shows the reason says it in the reader's
    language.
    """
    return refused("cell_missing", N_("The cell “%(column)s” is empty."), column=column)


def named(text: str, table: Mapping[str, T], code: str, message: str) -> T:
    """What a word names in a table made with `kinds.word`. The message has the place %(text)s."""
    found = table.get(word(text))
    if found is None:
        raise refused(code, message, text=text)
    return found


@lru_cache(maxsize=20_000)
def day(text: str) -> date:
    """A day: 2015-03-08, 2015/3/8, 2015年3月8日, 20150308."""
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", text).replace(" ", ""))
    if found is not None:
        year, *rest = found.groups()
        month, number = (int(part) for part in rest if part)
        try:
            return date(int(year), month, number)
        except ValueError:
            pass
    raise refused("day", N_("“%(text)s” is not a date. Write it as 2015-03-08."), text=text)


def past_days(text: str, today: date) -> list[date]:
    """The days of an offering, in order, each one over."""
    found = sorted({day(part) for part in _APART.split(text) if part})
    if not found:
        raise refused("day", N_("“%(text)s” is not a date. Write it as 2015-03-08."), text=text)
    if len(found) > MOST_DAYS:
        raise refused("days", N_("An offering has no more than %(most)s days."), most=MOST_DAYS)
    if found[0] < EARLIEST or found[-1] >= today:
        raise refused("not_past", N_("“%(text)s” is not in the past."), text=text)
    return found


@lru_cache(maxsize=20_000)
def hour(text: str) -> time | None:
    """A time of day, None for an empty cell."""
    if not text:
        return None
    found = _HOUR.fullmatch(unicodedata.normalize("NFKC", text).rpartition(" ")[2])
    if found is not None:
        try:
            return time(int(found[1]), int(found[2] or 0))
        except ValueError:
            pass
    raise refused("hour", N_("“%(text)s” is not a time. Write it as 09:00."), text=text)


def phone(text: str) -> str | None:
    """A phone in E.164. Nearly all are Chinese mobiles, whose first digits alone tell whether they can be."""
    if not text:
        return None
    plain = text if text.isascii() and text.isdecimal() else spreadsheets.digits(text)
    if len(plain) == 11 and plain.startswith("1") and plain.isdecimal() and _is_mobile(plain[:5]):
        return "+86" + plain
    try:
        return normalise_phone(plain)
    except ValueError:
        raise refused(
            "phone", N_("This is not a phone number. Give 11 digits, or + and the country code for a foreign one.")
        ) from None


@lru_cache(maxsize=20_000)
def _is_mobile(beginning: str) -> bool:
    try:
        return normalise_phone(beginning + "000000") == f"+86{beginning}000000"
    except ValueError:
        return False


def id_number(kind: str, text: str, today: date) -> tuple[IdType, str] | None:
    """An ID number in the form that is kept, with its type; None for an empty cell."""
    if not text:
        return None
    if _SHORTENED.fullmatch(text):
        raise refused("shortened", N_("Excel has shortened this number. Make the column “text” and enter it again."))
    id_type = IdType.RESIDENT if not kind else named(kind, _ID_TYPES, "id_type", N_("There is no ID type “%(text)s”."))
    return id_type, id_numbers.normalise(id_type, text, today)


def birth_year(text: str, today: date) -> int | None:
    """A year of birth; a whole birthday will do."""
    if not text:
        return None
    plain = spreadsheets.digits(text)
    year = int(plain[:4]) if plain[:4].isdecimal() and len(plain) >= 4 else 0
    if not id_numbers.EARLIEST_BIRTH_YEAR <= year <= today.year:
        raise refused("birth_year", N_("Give the year of birth as four digits, as in 1990."))
    return year


def choice(text: str, words: Mapping[str, T], code: str, message: str, *, empty: T) -> T:
    """One of a few words; `empty` for an empty cell."""
    return named(text, words, code, message) if text else empty


def table(rows: Mapping[T, tuple[str, ...]], key: Callable[[str], str] = word) -> dict[str, T]:
    """Value by each of its words."""
    return {key(text): value for value, words in rows.items() for text in words if text}
