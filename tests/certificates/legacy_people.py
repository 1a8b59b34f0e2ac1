"""Legacy certificates and people for the tests of matching."""

from datetime import date
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from certificates.legacy.legacy import number_key
from certificates.legacy.models import LegacyCertificate, Match
from courses.models.trainees import IdType, Trainee
from lms.core import clock
from lms.core.names import norm
from tests.factories import Make

ID_NUMBER, OTHER_ID_NUMBER = "11010119900307109X", "11010519491231002X"
_numbers = count(1)


def legacy_of(
    db: Session,
    name: str = "张三丰",
    *,
    id_number: str | None = None,
    phone: str | None = None,
    holder: Trainee | None = None,
    **facts: Any,
) -> LegacyCertificate:
    """A legacy certificate of the city, valid until 2099, whose type is 1; matched by ID number where a holder is given."""
    number = f"旧证(2015)第{next(_numbers)}号"
    values: dict[str, Any] = {
        "programme_code": "FIRST_RESPONDER", "course": "救护员证", "unit": "东城区红十字会", "issued_on": date(2015, 6, 1),
        "valid_until": date(2099, 6, 1), "source": "old.csv:2", "imported_at": clock.now(), "certificate_type": 1,
    } | facts  # fmt: skip
    row = LegacyCertificate(number=number, number_key=number_key(number), name=name, name_key=norm(name), **values)
    row.set_id_number(IdType.RESIDENT, id_number)
    row.set_phone(phone)
    if holder is not None:
        row.trainee_id, row.matched_how, row.matched_at = holder.id, Match.ID_NUMBER, clock.now()
    db.add(row)
    db.flush()
    return row


def person(make: Make, name: str = "张三丰", *, id_number: str | None = None, **facts: Any) -> Trainee:
    """A trainee with an ID number."""
    row = make.trainee(name, **facts)
    row.set_id_number(IdType.RESIDENT, id_number)
    make.db.flush()
    return row
