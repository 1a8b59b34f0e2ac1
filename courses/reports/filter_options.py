"""The options of the filter bar: every programme and course, and the districts that the reader may see."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from courses.models.catalogue import Course, Programme
from lms.core.scope import CACHED_STATEMENTS, Scope
from lms.organisations.models import District


class FilterOption(NamedTuple):
    """An option of a select field of the filter bar."""

    key: str
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class FilterOptions:
    """The options of the three select fields that are read from the database."""

    programmes: list[FilterOption]
    districts: list[FilterOption]
    courses: list[FilterOption]


@lru_cache(CACHED_STATEMENTS)
def _options_statement(scope: Scope) -> Select[*tuple[Any, ...]]:
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
    )  # fmt: skip
    options = union_all(*selects).subquery()
    return select(options.c.kind, options.c.key, options.c.name_zh, options.c.name_en).order_by(
        options.c.kind, options.c.position, func.coalesce(options.c.code, options.c.key)
    )


def filter_options(db: Session, scope: Scope) -> FilterOptions:
    """Read the options, in one statement."""
    by_kind: dict[str, list[FilterOption]] = {"programme": [], "district": [], "course": []}
    for kind, key, name_zh, name_en in db.execute(_options_statement(scope.reach)):
        by_kind[kind].append(FilterOption(key, name_zh, name_en))
    return FilterOptions(by_kind["programme"], by_kind["district"], by_kind["course"])
