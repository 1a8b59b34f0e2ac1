"""The options of the filter bar: every programme and course, the districts that the reader may see, and one host.

Hosts are thousands. The bar shows the name of the host that is chosen; `courses.reports.hosts` finds others by name.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from courses.models.offerings import Offering
from courses.models.opening_balances import OpeningBalance
from courses.models.rollups import PersonTimeMonth
from lms.core.scope import CACHED_STATEMENTS, Scope
from lms.organisations.models import District, Organisation


class FilterOption(NamedTuple):
    """An option of a select field of the filter bar."""

    key: str
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class FilterOptions:
    """The options of the three select fields that are read from the database.

    first_year, last_year: of which there are figures; None where there are none. host: the chosen host; None where
    none is chosen, or none that the reader may see.
    """

    programmes: list[FilterOption]
    districts: list[FilterOption]
    courses: list[FilterOption]
    first_year: int | None = None
    last_year: int | None = None
    host: FilterOption | None = None

    def years(self, today: date) -> range:
        """The years of which there are figures, and this year."""
        return range(min(self.first_year or today.year, today.year), max(self.last_year or today.year, today.year) + 1)


def reachable_host(scope: Scope) -> ColumnElement[bool]:
    """The condition for hosts that a scope covers: by their own place, or by an offering that they held in it.

    A host that moved to another district stays in the reports of the district where it held its offerings.
    """
    held = select(Offering.id).where(Offering.organisation_id == Organisation.id, Offering.visible_to(scope))
    return or_(Organisation.visible_to(scope), held.exists())


def _year(month: ColumnElement[Any]) -> ColumnElement[str]:
    return cast(func.extract("year", month), Text)


@lru_cache(CACHED_STATEMENTS)
def _options_statement(scope: Scope) -> Select[*tuple[Any, ...]]:
    # The first and the last month stand at the ends of the index of each table.
    of_balances = select(func.min(OpeningBalance.month)).where(OpeningBalance.active).scalar_subquery()
    first_month = func.least(select(func.min(PersonTimeMonth.month)).scalar_subquery(), of_balances)
    last_month = select(func.max(PersonTimeMonth.month)).scalar_subquery()
    selects = (
        select(
            literal("programme").label("kind"), Programme.code.label("key"), Programme.name_zh, Programme.name_en,
            Programme.position.label("position"), null().label("code"),
        ),
        select(
            literal("district"), cast(District.id, Text), District.name_zh, District.name_en, District.id, null(),
        ).where(scope.covers(district=District.id)),
        select(
            literal("course"), cast(Course.id, Text), Course.name_zh, Course.name_en, Programme.position, Course.code,
        ).join(Programme, Programme.code == Course.programme_code),
        select(
            literal("host"), cast(Organisation.id, Text), Organisation.name_zh,
            func.coalesce(Organisation.name_en, Organisation.name_zh), literal(0), null(),
        ).where(Organisation.id == bindparam("host", type_=BigInteger), reachable_host(scope)),
        select(literal("years"), _year(first_month), _year(last_month), literal(""), literal(0), null()),
    )  # fmt: skip
    options = union_all(*selects).subquery()
    return select(options.c.kind, options.c.key, options.c.name_zh, options.c.name_en).order_by(
        options.c.kind, options.c.position, func.coalesce(options.c.code, options.c.key)
    )


def filter_options(db: Session, scope: Scope, host: int | None = None) -> FilterOptions:
    """Read the options, in one statement. host: the id of the chosen host."""
    kinds = ("programme", "district", "course", "years", "host")
    by_kind: dict[str, list[FilterOption]] = {kind: [] for kind in kinds}
    for kind, key, name_zh, name_en in db.execute(_options_statement(scope.reach), {"host": host}):
        by_kind[kind].append(FilterOption(key, name_zh, name_en))
    [years] = by_kind["years"]
    first, last = (int(year) if year else None for year in (years.key, years.name_zh))
    host_option = next(iter(by_kind["host"]), None)
    return FilterOptions(by_kind["programme"], by_kind["district"], by_kind["course"], first, last, host_option)
