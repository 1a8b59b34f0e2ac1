"""The facts of a person in the cells of a list: how phones, ID numbers, years of birth and names are read."""

import re
from collections.abc import Mapping
from datetime import date
from itertools import chain

from courses.enrolment import id_numbers
from courses.enrolment.trainees import TraineeFacts
from courses.models.trainees import IdType
from lms.core.cell_text import person_name
from lms.core.cell_values import (
    is_empty,
    parse_birth_year,
    parse_phone,
    refuse_error,
    refuse_shortened,
    whole_number,
)
from lms.core.errors import N_, DomainError
from lms.core.headings import normalised

# ID type → the names of it that a cell may contain, as `headings.normalised` writes them.
ID_TYPE_NAMES: Mapping[IdType, tuple[str, ...]] = {
    IdType.RESIDENT: (
        "居民身份证", "身份证", "二代身份证", "港澳台居民居住证",
        "resident", "residentid", "residentidcard", "idcard",
    ),
    IdType.PASSPORT: ("护照", "passport"),
    IdType.HK_MACAU_PERMIT: (
        "港澳居民来往内地通行证", "港澳通行证", "回乡证", "港澳居民通行证", "hkmacaupermit", "hongkongormacaupermit",
    ),
    IdType.TAIWAN_PERMIT: ("台湾居民来往大陆通行证", "台胞证", "台湾通行证", "taiwanpermit"),
    IdType.FOREIGN_PERMANENT: (
        "外国人永久居留身份证", "外国人永久居留证", "永久居留证", "foreignpermanent", "foreignpermanentresidentcard",
    ),
}  # fmt: skip

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def parse_facts(cells: Mapping[str, str], today: date) -> TraineeFacts:
    """The facts of a person in a row, each parsed for itself; `trainees.validate` checks them together.

    today: the day in the branch's calendar. Raises DomainError whose field is the fact that cannot be parsed.
    """
    number = _id_number(cells.get("id_number", ""))
    id_type = _id_type(cells.get("id_type", "")) if number else None
    if id_type == IdType.RESIDENT:
        number = id_numbers.converted(number, today) or number
    return TraineeFacts(
        name=person_name(cells.get("name", ""), "name"),
        phone=parse_phone(cells.get("phone", ""), "phone"),
        email=_email(cells.get("email", "")),
        birth_year=parse_birth_year(cells.get("birth_year", ""), today, "birth_year"),
        id_type=id_type,
        id_number=number or None,
        guardian_name=None
        if is_empty(cells.get("guardian_name", ""))
        else person_name(cells["guardian_name"], "guardian_name"),
        guardian_phone=parse_phone(cells.get("guardian_phone", ""), "guardian_phone"),
    )


def id_type_of(text: str) -> IdType | None:
    """The ID type that a text names; a resident's for an empty text, None for an unknown one."""
    return IdType.RESIDENT if is_empty(text) else _ID_TYPE_BY_NAME.get(normalised(text))


def is_converted(cells: Mapping[str, str], facts: TraineeFacts, today: date) -> bool:
    """Tell whether the ID number of valid facts was converted from one of 15 digits."""
    return facts.id_type == IdType.RESIDENT and facts.id_number == id_numbers.converted(
        cells.get("id_number", ""), today
    )


def _id_number(text: str) -> str:
    if is_empty(text):
        return ""
    refuse_error(text, "id_number")
    refuse_shortened(text, "id_number")
    return whole_number(text.lstrip("'’`"))


def _email(text: str) -> str | None:
    if is_empty(text):
        return None
    if not _ADDRESS.fullmatch(text):
        raise DomainError("email_wrong", N_("This is not an e-mail address."), field="email")
    return text


def _id_type(text: str) -> IdType:
    id_type = id_type_of(text)
    if id_type is None:
        raise DomainError(
            "id_type_wrong", N_("This ID type is not known. Use one of those in the template."), field="id_type"
        )
    return id_type


_ID_TYPE_BY_NAME = {
    normalised(name): id_type
    for id_type, names in ID_TYPE_NAMES.items()
    for name in chain(names, (id_type.value, id_type.value.replace("_", "")))
}
