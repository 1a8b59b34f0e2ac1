"""The search in the register of trainees, within a scope."""

from contextlib import suppress
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from courses.enrolment import id_numbers, merged_records
from courses.models.trainees import ID_NUMBER_COLUMN, PHONE_COLUMN, IdType, Trainee
from lms.core import clock, crypto
from lms.core.errors import DomainError
from lms.core.names import norm
from lms.core.paging import Page, page_of
from lms.core.phones import normalise_phone
from lms.core.scope import Scope, visible


def search(db: Session, query: str, scope: Scope, page: int = 1) -> Page[Trainee]:
    """The trainees in the scope with a part of a name, a whole phone or a whole ID number, by name.

    An empty query lists all trainees in the scope.
    """
    statement = visible(select(Trainee), Trainee, scope)
    query = query.strip()
    if query:
        conditions = or_(*_search_conditions(query))
        statement = statement.where(or_(conditions, merged_records.found_by_former(conditions)))
    return page_of(db, statement.order_by(Trainee.name_sound, Trainee.id), page)


def _search_conditions(query: str) -> list[Any]:
    key = norm(query)
    conditions: list[Any] = [Trainee.name_key.contains(key, autoescape=True)] if key else [Trainee.name == query]
    with suppress(ValueError):
        conditions.append(crypto.index_is(Trainee.phone_index, PHONE_COLUMN, normalise_phone(query)))
    for id_type in IdType:
        try:
            number = id_numbers.normalise(id_type, query, clock.branch_today())
        except DomainError:
            continue
        conditions.append(
            and_(Trainee.id_type == id_type, crypto.index_is(Trainee.id_number_index, ID_NUMBER_COLUMN, number))
        )
    return conditions
