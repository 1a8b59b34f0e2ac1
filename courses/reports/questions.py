"""The question that a report answers: filters chosen by a reader, and the scope that limits what the reader may see.

Every figure of the reports is computed for a `Question`. All filters stand in the URL of the page, so that a page can
be bookmarked and sent on.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from courses.reports.periods import Period, PeriodUnit
from lms.core.errors import NotFound
from lms.core.scope import Scope


class Grouping(StrEnum):
    """The dimension that the rows of a report stand for."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    PROGRAMME = "programme"
    DISTRICT = "district"
    COURSE = "course"
    INSTRUCTOR = "instructor"
    HOST = "host"
    SECTOR = "sector"

    @property
    def period_unit(self) -> PeriodUnit | None:
        """The length of the period that a row stands for; None where rows are no periods."""
        return PeriodUnit(self.value) if self in TIME_GROUPINGS else None


TIME_GROUPINGS = frozenset({Grouping.MONTH, Grouping.QUARTER, Grouping.YEAR})


class Figure(StrEnum):
    """A figure of the enrolment report, by the attribute of `ledger.Figures` that holds it.

    Each one adds up over rows. The number of people does not, so it is no member and is counted separately.
    """

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
    """The filters of a report as the reader chose them. They say nothing of what the reader may see: `Question` does.

    since, until: the first and the last day of the period, both included. host: the id of one host organisation.
    organisation: a part of the name of the host organisation, in either language. refresher: True for courses that
    renew a certificate, False for the other courses, None for both. known_before: only ledger entries recorded before
    this moment count, so that a report can be shown again as it was then. key: the key of one row of the grouping; a
    drill-down from a number narrows the report to the row of that number.
    """

    since: date
    until: date
    programme: str | None = None
    district: int | None = None
    course: int | None = None
    host: int | None = None
    organisation: str | None = None
    sector: str | None = None
    refresher: bool | None = None
    known_before: datetime | None = None
    grouping: Grouping = Grouping.MONTH
    key: str | None = None

    def address(self) -> dict[str, str]:
        """The query arguments of a URL that applies these filters. Filters that are not set are left out."""
        arguments = {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "programme": self.programme,
            "district": self.district,
            "course": self.course,
            "host": self.host,
            "organisation": self.organisation,
            "sector": self.sector,
            "refresher": None if self.refresher is None else int(self.refresher),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "grouping": self.grouping.value,
            "key": self.key,
        }
        return {name: str(value) for name, value in arguments.items() if value is not None}

    @property
    def as_of(self) -> date | None:
        """The last day whose ledger entries count, in the branch's time zone; None where all entries count."""
        return None if self.known_before is None else (self.known_before - timedelta(days=1)).date()

    def with_key(self, key: str | None) -> "Filters":
        """The same filters, narrowed to one row; None takes the narrowing away."""
        return replace(self, key=key)

    def a_year_before(self) -> "Filters":
        """The same filters for the same days of the year before, for all rows. 29 February becomes 28 February."""
        return replace(self, since=_a_year_before(self.since), until=_a_year_before(self.until), key=None)

    def holds_day(self, day: date) -> bool:
        """True if a ledger entry of this day belongs to the period, and to the chosen row where rows are periods."""
        unit = self.grouping.period_unit
        if self.key is not None and unit is not None and self.key != Period.containing(day, unit).key:
            return False
        return self.since <= day <= self.until

    @property
    def span(self) -> str:
        """The period as it stands in the name of a file."""
        return f"{self.since.isoformat()}-{self.until.isoformat()}"

    @property
    def narrowed(self) -> bool:
        """True if the filters leave out a part of the branch: other districts, hosts or sectors."""
        return any(value is not None for value in (self.district, self.host, self.organisation, self.sector))

    @property
    def finer_than_programme_and_district(self) -> bool:
        """True if the filters divide what opening balances and targets name: a programme and a district."""
        parts = (self.course, self.host, self.organisation, self.sector, self.refresher)
        return any(value is not None for value in parts)


def _a_year_before(day: date) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The midnight that ends a day, as `Filters.known_before` takes it."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


@dataclass(frozen=True)
class Question:
    """Filters, and the scope of the reader who set them. Making one checks it, so no unchecked question exists.

    Raises NotFound when the filters name a district outside of the scope, exactly as for a district that does not
    exist, and for a host that is none of the organisations of a scope of organisations. Whether a host lies within
    districts is known to the database alone: `filter_options` reads it.

    The question keeps only which rows the scope covers, not which user it belongs to. Equal questions of two readers
    are therefore equal values, and functions that build a statement can cache it by the question.
    """

    filters: Filters
    scope: Scope

    def __post_init__(self) -> None:
        district = self.filters.district
        if district is not None and not self.scope.everything and district not in self.scope.district_ids:
            raise NotFound
        host = self.filters.host
        of_organisations = not self.scope.everything and not self.scope.district_ids
        if host is not None and of_organisations and host not in self.scope.organisation_ids:
            raise NotFound
        object.__setattr__(self, "scope", self.scope.reach)

    def with_key(self, key: str | None) -> "Question":
        """The same question for one row; None asks for all rows again."""
        return replace(self, filters=self.filters.with_key(key))

    def a_year_before(self) -> "Question":
        """The same question for the same days of the year before, for all rows."""
        return replace(self, filters=self.filters.a_year_before())

    @property
    def covers_branch(self) -> bool:
        """True if the total of the report is the total of the whole branch."""
        return self.scope.everything and not self.filters.narrowed

    @property
    def beside_branch(self) -> bool:
        """True if the report shows the whole branch's total beside its own, which is a part of it.

        A coordinator reads the figures of the own organisations alone.
        """
        return not self.covers_branch and (self.scope.everything or bool(self.scope.district_ids))

    def covers_district(self, district_id: int) -> bool:
        """True if the report shows this district."""
        if self.filters.district is not None:
            return district_id == self.filters.district
        return self.scope.everything or district_id in self.scope.district_ids
