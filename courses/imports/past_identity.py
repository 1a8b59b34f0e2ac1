"""The person of a row of past trainings: phone, ID number and year of birth.

A phone and a name identify a person, and so do an ID number and a name. Where one of them does, a cell of the others that
is wrong does not hold the row back, nor the class that would wait for it: the row goes in without that cell, with a
remark.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from courses.enrolment import id_numbers
from courses.imports import cells
from courses.imports.cells import refusal
from courses.models.trainees import IdType
from lms.core.errors import N_, DomainError

CONVERTED = "id_number_converted"
LEFT_OUT = "left_out"
REMARKS = {
    LEFT_OUT: N_("The cell “%(column)s” is wrong, so the row is imported without it. Enter it on the trainee's page."),
    "left_out_both": N_(
        "The cells “%(column)s” and “%(other)s” do not match or are wrong, so the row is imported without them. Enter them on"
        " the trainee's page."
    ),
    CONVERTED: N_("The ID number has 15 digits. It is stored with the 18 digits that replaced it."),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on a row that is imported: a code of `REMARKS` and its parameters."""

    code: str
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class Identity:
    """The phone in E.164, type and number of the document, and the year of birth of a person, as far as they are known."""

    phone: str | None
    id_number: tuple[IdType, str] | None
    birth_year: int | None
    remark: Remark | None = None


def read_identity(get: Callable[[str], str], today: date) -> Identity:
    """Read who a row is about. get: field → cell. Raises DomainError where neither phone nor ID number identify a person."""
    wrong: dict[str, DomainError] = {}
    phone, id_number, year = None, None, None
    try:
        phone = cells.parse_phone(get("phone"))
    except DomainError as error:
        wrong["phone"] = error
    number = get("id_number")
    if number:
        try:
            id_number = cells.parse_id_number(get("id_type"), number, today)
        except DomainError as error:
            wrong["id_number"] = error
    try:
        year = cells.parse_birth_year(get("birth_year"), today)
    except DomainError as error:
        wrong["birth_year"] = error
    if phone is None and id_number is None:
        raise next(iter(wrong.values()), None) or refusal(
            "nobody", N_("Enter a phone number or an ID number. Without one, this person cannot be found later.")
        )
    born = id_numbers.birth_date(*id_number) if id_number is not None else None
    if born is not None and year is not None and year != born.year:
        differs = refusal("birth_year_differs", N_("The year of birth and the ID number do not match. Check both."))
        if phone is None:
            raise differs
        wrong |= {"id_number": differs, "birth_year": differs}
        id_number = year = None
    elif born is not None:
        year = born.year
    return Identity(phone, id_number, year, _remark(wrong, number, id_number, today) if wrong or number else None)


def _remark(
    wrong: dict[str, DomainError], number: str, id_number: tuple[IdType, str] | None, today: date
) -> Remark | None:
    columns = list(wrong)
    if len(columns) == 1:
        return Remark(LEFT_OUT, {"column": columns[0]})
    if columns:
        return Remark("left_out_both", {"column": columns[0], "other": columns[1]})
    if id_number is not None and cells.is_converted(number, id_number, today):
        return Remark(CONVERTED, {})
    return None
