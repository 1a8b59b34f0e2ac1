"""Cells of an import: past days, ID numbers, names of a vocabulary; and the functions of `lms.core.cell_values`.

Each function raises DomainError for a cell at fault.
"""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar

from courses.enrolment import id_numbers
from courses.enrolment.sheet_facts import ID_TYPE_NAMES
from courses.imports.kinds import normalised
from courses.models.trainees import IdType
from lms.core import cell_values
from lms.core.cell_dates import parse_birth_year, parse_moment, parse_time
from lms.core.cell_values import parse_phone
from lms.core.errors import N_, DomainError

__all__ = [
    "DAYS_LIMIT", "EARLIEST", "is_converted", "look_up", "look_up_or", "look_up_word", "lookup_table",
    "missing_cell", "parse_birth_year", "parse_day", "parse_id_number", "parse_moment", "parse_past_days",
    "parse_phone", "parse_time", "refusal",
]  # fmt: skip

EARLIEST = date(1980, 1, 1)
DAYS_LIMIT = 30
_LENGTH = 18  # characters of a resident's number
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


def parse_day(text: str) -> date:
    """Parse a day, see `cell_values.parse_day`. An empty cell is refused."""
    day = cell_values.parse_day(text)
    if day is None:
        raise refusal("day", N_("“%(text)s” is not a date. Write it as 2015-03-08."), text=text)
    return day


def parse_past_days(text: str, today: date) -> list[date]:
    """Parse the days of an offering, see `cell_values.parse_days`: sorted, each before today."""
    days = cell_values.parse_days(text)
    if not days:
        raise refusal("day", N_("“%(text)s” is not a date. Write it as 2015-03-08."), text=text)
    if len(days) > DAYS_LIMIT:
        raise refusal("days", N_("An offering has no more than %(most)s days."), most=DAYS_LIMIT)
    if days[0] < EARLIEST or days[-1] >= today:
        raise refusal("not_past", N_("“%(text)s” is not in the past."), text=text)
    return days


def parse_id_number(kind: str, text: str, today: date) -> tuple[IdType, str] | None:
    """Return the type and the normalised form of an ID number, None for an empty cell.

    Without a type it is a resident's. A resident's number of 15 digits becomes one of 18 (`is_converted`).
    """
    if cell_values.is_empty(text):
        return None
    cell_values.refuse_shortened(text)
    id_type = look_up_or(
        cell_values.unless_empty(kind),
        _ID_TYPES,
        "id_type",
        N_("There is no ID type “%(text)s”."),
        empty=IdType.RESIDENT,
    )
    text = cell_values.whole_number(text)
    number = id_numbers.converted(text, today) if id_type is IdType.RESIDENT and len(text) != _LENGTH else None
    return id_type, number or id_numbers.normalise(id_type, text, today)


def is_converted(text: str, identity: tuple[IdType, str], today: date) -> bool:
    """Tell whether an ID number, read by `parse_id_number`, was written with 15 digits."""
    return identity[0] is IdType.RESIDENT and len(text) != _LENGTH and id_numbers.converted(text, today) == identity[1]


def look_up_word(text: str, table: Mapping[str, T], code: str, message: str) -> T:
    """Return the value of a word as `look_up` does, where signs count: "□合格" and "×合格" are not 合格."""
    if text in table:
        return table[text]
    if any(unicodedata.category(letter).startswith("S") for letter in text):
        raise refusal(code, message, text=text)
    return look_up(text, table, code, message)


def look_up_or(text: str, table: Mapping[str, T], code: str, message: str, *, empty: T) -> T:
    """Return the value of a word as `look_up_word` does; `empty` for an empty cell."""
    return look_up_word(text, table, code, message) if text else empty


def lookup_table(rows: Mapping[T, tuple[str, ...]], key: Callable[[str], str] = normalised) -> dict[str, T]:
    """Turn value → names into name → value, each name as `key` gives it."""
    return {key(text): value for value, names in rows.items() for text in names if text}
