"""The person of a row, where a cell of its phone, ID number or year of birth is wrong."""

from datetime import date

import pytest

from courses.imports.past_identity import read_identity
from courses.models.trainees import IdType
from lms.core.errors import DomainError

TODAY = date(2026, 5, 1)
PHONE, NUMBER = "13800138000", "11010519491231002X"


def read(**cells: str) -> tuple[str | None, str | None, int | None, str | None]:
    identity = read_identity(lambda field: cells.get(field, ""), TODAY)
    number = identity.id_number and identity.id_number[1]
    return identity.phone, number, identity.birth_year, identity.remark and identity.remark.code


def test_what_is_right_is_kept_and_what_is_wrong_is_left_out() -> None:
    assert read(phone=PHONE) == ("+86" + PHONE, None, None, None)
    assert read(phone=PHONE, id_number=NUMBER) == ("+86" + PHONE, NUMBER, 1949, None)
    assert read(phone=PHONE, id_number="1") == ("+86" + PHONE, None, None, "left_out")
    assert read(phone=PHONE, id_number="1", birth_year="1990") == ("+86" + PHONE, None, 1990, "left_out")
    assert read(phone=PHONE, id_number="1", birth_year="90") == ("+86" + PHONE, None, None, "left_out_both")
    assert read(phone=PHONE, id_number=NUMBER, birth_year="1990") == ("+86" + PHONE, None, None, "left_out_both")
    assert read(phone="12", id_number=NUMBER) == (None, NUMBER, 1949, "left_out")
    assert read(phone=PHONE, id_number="110105491231002") == ("+86" + PHONE, NUMBER, 1949, "id_number_converted")
    assert read(id_type="护照", id_number="E1234567", birth_year="1990") == (None, "E1234567", 1990, None)
    assert read_identity(
        {"phone": "", "id_type": "", "id_number": NUMBER, "birth_year": ""}.__getitem__, TODAY
    ).id_number == (
        IdType.RESIDENT,
        NUMBER,
    )


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({}, "nobody"), ({"phone": "12"}, "phone"), ({"id_number": "1"}, "id_number_wrong"), ({"birth_year": "1990"}, "nobody"),
        ({"phone": "12", "id_number": "1"}, "phone"), ({"id_number": NUMBER, "birth_year": "1990"}, "birth_year_differs"),
    ],
)  # fmt: skip
def test_somebody_whom_nothing_identifies_is_refused(cells: dict[str, str], code: str) -> None:
    with pytest.raises(DomainError) as caught:
        read(**cells)
    assert caught.value.code == code
