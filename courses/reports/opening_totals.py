"""Opening balances that belong to a report: totals from before this system within the report's period and scope."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Text, cast, func, literal, select
from sqlalchemy.orm import Session

from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.reports.filters import Filters, Grouping
from lms.core.scope import REMEMBERED, Scope


@dataclass(frozen=True)
class Opening:
    """Balances of a question: in all, and by the key of its rows where the grouping divides them."""

    person_times: int
    certificates: int
    by_key: Mapping[str, int]


def of_question(db: Session, filters: Filters, scope: Scope) -> Opening:
    """The balances of the months that begin in the period. One statement.

    None where a course, a host, a sector or refreshers are asked for: nobody knows them of those years. A balance counts as
    known from the day it was added.
    """
    asked = _asked(filters, scope.reach)
    if asked is None:
        return Opening(0, 0, {})
    rows: list[tuple[str, int, int]] = [(found, int(a), int(b)) for found, a, b in db.execute(asked)]
    return Opening(
        sum(number for _key, number, _certificates in rows),
        sum(number for _key, _person_times, number in rows),
        {found: number for found, number, _certificates in rows if found},
    )


@lru_cache(REMEMBERED)
def _asked(filters: Filters, scope: Scope) -> Select[*tuple[Any, ...]] | None:
    narrower = (filters.course, filters.organisation, filters.sector, filters.refresher)
    if any(one is not None for one in narrower):
        return None
    keys: dict[Grouping, Any] = {
        Grouping.MONTH: func.to_char(OpeningBalance.month, "YYYY-MM"),
        Grouping.QUARTER: func.to_char(OpeningBalance.month, 'YYYY"Q"Q'),
        Grouping.YEAR: func.to_char(OpeningBalance.month, "YYYY"),
        Grouping.PROGRAMME: OpeningBalance.programme_code,
        Grouping.DISTRICT: cast(OpeningBalance.district_id, Text),
    }
    key = keys.get(filters.grouping, literal(""))
    statement = (
        select(key.label("key"), func.sum(OpeningBalance.person_times), func.sum(OpeningBalance.certificates))
        .where(
            OpeningBalance.active,
            OpeningBalance.month.between(filters.since, filters.until),
            scope.covers(district=OpeningBalance.district_id),
        )
        .group_by("key")
    )
    if filters.programme is not None:
        statement = statement.where(OpeningBalance.programme_code == filters.programme)
    if filters.district is not None:
        statement = statement.where(OpeningBalance.district_id == filters.district)
    if filters.known_before is not None:
        statement = statement.join(OpeningSource).where(OpeningSource.added_at < filters.known_before)
    if filters.key is not None and filters.grouping in keys:
        statement = statement.where(key == filters.key)
    return statement
