"""What a report is asked for: period, narrowing and grouping. All of it stands in the address, so a page can be kept."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Text, cast, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from courses.counting.quarters import Quarter
from courses.models.catalogue import Course, Programme
from lms.core.errors import NotFound
from lms.core.scope import REMEMBERED, Scope
from lms.organisations.models import District


class Grouping(StrEnum):
    """What one row of the report is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    PROGRAMME = "programme"
    DISTRICT = "district"
    COURSE = "course"
    INSTRUCTOR = "instructor"
    HOST = "host"
    SECTOR = "sector"


PERIODS = frozenset({Grouping.MONTH, Grouping.QUARTER, Grouping.YEAR})


class Column(StrEnum):
    """A figure of the report. Each adds up over rows; people do not, and are asked for apart."""

    PERSON_TIMES = "person_times"
    NAMED = "named"
    COUNTED = "counted"
    REFRESHER = "refresher"
    MINUTES = "minutes"
    ENROLLED = "enrolled"
    PASSED = "passed"
    CERTIFICATES = "certificates"
    OFFERINGS = "offerings"


@dataclass(frozen=True)
class Filters:
    """A question. Both days belong to the period; `organisation` is a part of the host's name in either language.

    `refresher`: courses that renew, or those that do not; None is both.
    `known_before`: only what was recorded before this midnight, so that a report shows again what was known then.
    `key` narrows to one row of the grouping: it is how a number leads down to its offerings.
    """

    since: date
    until: date
    programme: str | None = None
    district: int | None = None
    course: int | None = None
    organisation: str | None = None
    sector: str | None = None
    refresher: bool | None = None
    known_before: datetime | None = None
    grouping: Grouping = Grouping.MONTH
    key: str | None = None

    def address(self) -> dict[str, str]:
        """The arguments of an address that asks this again; what is not asked is left out."""
        facts = {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "programme": self.programme,
            "district": self.district,
            "course": self.course,
            "organisation": self.organisation,
            "sector": self.sector,
            "refresher": None if self.refresher is None else int(self.refresher),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "grouping": self.grouping.value,
            "key": self.key,
        }
        return {name: str(value) for name, value in facts.items() if value is not None}

    @property
    def as_of(self) -> date | None:
        """The last day whose records the figures know, in the branch's time zone; None for all of them."""
        return None if self.known_before is None else (self.known_before - timedelta(days=1)).date()

    @staticmethod
    def end_of(day: date, zone: ZoneInfo) -> datetime:
        """The midnight that ends a day: what `known_before` takes."""
        return datetime.combine(day + timedelta(days=1), time(), zone)

    def of_row(self, key: str | None) -> "Filters":
        """The same question for one row; None is the whole report again."""
        return replace(self, key=key)

    def dates(self, day: date) -> bool:
        """Whether what is dated by a day belongs to the period, and to the row where the rows are periods."""
        if self.key is not None and self.grouping in PERIODS and self.key != _period_of(day, self.grouping):
            return False
        return self.since <= day <= self.until

    @property
    def span(self) -> str:
        """The period in the name of a file."""
        return f"{self.since.isoformat()}-{self.until.isoformat()}"

    @property
    def narrowed(self) -> bool:
        """Whether less than the whole branch is asked for."""
        return self.district is not None or self.organisation is not None or self.sector is not None


def _period_of(day: date, grouping: Grouping) -> str:
    """The key of the month, quarter or year that a day is in."""
    if grouping is Grouping.QUARTER:
        return str(Quarter.of(day))
    return f"{day:%Y}" if grouping is Grouping.YEAR else f"{day:%Y-%m}"


class Period(NamedTuple):
    """A preset. `name` is a code that the page has words for."""

    name: str
    since: date
    until: date


def presets(today: date) -> list[Period]:
    """The periods that are asked for again and again."""
    quarter, before = Quarter.of(today), Quarter.of(today).previous
    first = today.replace(day=1)
    last = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    return [
        Period("this_month", first, date.fromordinal(last.toordinal() - 1)),
        Period("this_quarter", quarter.first, quarter.last),
        Period("last_quarter", before.first, before.last),
        Period("this_year", date(today.year, 1, 1), date(today.year, 12, 31)),
        Period("last_year", date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    ]


def within(filters: Filters, scope: Scope) -> None:
    """Raise NotFound when the question is about a district that is not the asker's."""
    if filters.district is not None and not scope.everything and filters.district not in scope.district_ids:
        raise NotFound


class Option(NamedTuple):
    """One choice of the filter bar."""

    key: str
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class Options:
    """What the filter bar offers: every programme and course, and the districts that one may see."""

    programmes: list[Option]
    districts: list[Option]
    courses: list[Option]


@lru_cache(REMEMBERED)
def _offered(scope: Scope) -> Select[*tuple[Any, ...]]:
    kinds = (
        select(
            literal("programme").label("kind"), Programme.code.label("key"), Programme.name_zh, Programme.name_en,
            Programme.position.label("position"), null().label("within"),
        ),
        select(
            literal("district"), cast(District.id, Text), District.name_zh, District.name_en, District.id, null(),
        ).where(scope.covers(district=District.id)),
        select(
            literal("course"), cast(Course.id, Text), Course.name_zh, Course.name_en, Programme.position, Course.code,
        ).join(Programme, Programme.code == Course.programme_code),
    )  # fmt: skip
    every = union_all(*kinds).subquery()
    return select(every.c.kind, every.c.key, every.c.name_zh, every.c.name_en).order_by(
        every.c.kind, every.c.position, func.coalesce(every.c.within, every.c.key)
    )


def options(db: Session, scope: Scope) -> Options:
    """The choices, in one statement."""
    found: dict[str, list[Option]] = {"programme": [], "district": [], "course": []}
    for kind, key, name_zh, name_en in db.execute(_offered(scope.reach)):
        found[kind].append(Option(key, name_zh, name_en))
    return Options(found["programme"], found["district"], found["course"])
