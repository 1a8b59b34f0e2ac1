"""Opening totals of a report: totals from before this system that lie within the report's period and scope."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Text, cast, func, literal, select
from sqlalchemy.orm import Session

from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.reports.questions import Grouping, Question
from lms.core.scope import CACHED_STATEMENTS


@dataclass(frozen=True)
class OpeningTotals:
    """The sums of the opening balances, and their person-times by the key of the row where rows divide them."""

    person_times: int
    certificates: int
    by_key: Mapping[str, int]


def opening_totals(db: Session, question: Question) -> OpeningTotals:
    """Add up the balances of the months that begin in the period, in one statement.

    The totals are zero where a course, a host, a sector or refreshers are asked for: nobody knows them of those years.
    A balance counts as known from the moment at which its source was added.
    """
    statement = _statement(question)
    if statement is None:
        return OpeningTotals(0, 0, {})
    rows = [(key, int(person_times), int(certificates)) for key, person_times, certificates in db.execute(statement)]
    return OpeningTotals(
        sum(person_times for _key, person_times, _certificates in rows),
        sum(certificates for _key, _person_times, certificates in rows),
        {key: person_times for key, person_times, _certificates in rows if key},
    )


@lru_cache(CACHED_STATEMENTS)
def _statement(question: Question) -> Select[*tuple[Any, ...]] | None:
    filters = question.filters
    if filters.finer_than_programme_and_district:
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
            question.scope.covers(district=OpeningBalance.district_id),
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
