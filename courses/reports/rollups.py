"""Which questions the kept sums and numbers of people answer (`courses.models.rollups`), and the answers.

They answer what is asked most: whole months, or whole years by host and instructor, of all districts or of some. Any other
question (days within a month, a part of a name, what was known on a day) is answered by the lines themselves.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, Subquery, Text, and_, case, cast, func, select
from sqlalchemy.orm import Session

from courses.counting import participation, trainee_ids
from courses.counting.participation import CountKey
from courses.models.catalogue import Course
from courses.models.person_time import EntryKind
from courses.models.rollups import Participation, PersonTimeHost, PersonTimeLead, PersonTimeMonth
from courses.reports.filters import PERIODS, Filters, Grouping
from courses.reports.ledger import FIGURES, NOBODY, lines
from lms.core.scope import Scope
from lms.organisations.models import Organisation

if TYPE_CHECKING:
    from courses.counting.trainee_ids import TraineeIds

Sums = type[PersonTimeMonth | PersonTimeHost | PersonTimeLead]


@dataclass(frozen=True)
class People:
    """Distinct people by row, in all rows, and in the whole branch."""

    rows: Mapping[str, int]
    everybody: int
    branch: int


def cells(filters: Filters, scope: Scope, *, branch: bool = False, apart: bool = False) -> Subquery:
    """What is asked for, in as few rows as there are: `key`, `shown` and the figures of `Figures`, to be added up.

    branch: as in `lines`. apart: also by `programme_code` and `district_id`.
    """
    table = _answering(filters, scope)
    if table is None:
        return lines(filters, scope, branch=branch)
    shown = scope.covers(district=table.district_id)
    if filters.district is not None:
        shown = and_(shown, table.district_id == filters.district)
    person_times = table.named + table.counted
    figures = {name: getattr(table, name) for name in FIGURES if name != "refresher"}
    figures["refresher"] = case((Course.refresher, person_times), else_=0)
    key = _key(table, filters.grouping)
    places = [Course.programme_code, table.district_id] if apart else []
    statement = (
        select(
            shown.label("shown"),
            key.label("key"),
            *places,
            *(figures[name].label(name) for name in FIGURES),
        )
        .join(Course, Course.id == table.course_id)
        .where(_within(table, filters))
    )
    if filters.grouping is Grouping.SECTOR:
        statement = statement.join(Organisation, Organisation.id == PersonTimeHost.organisation_id)
    if filters.programme is not None:
        statement = statement.where(Course.programme_code == filters.programme)
    if filters.course is not None:
        statement = statement.where(table.course_id == filters.course)
    if filters.refresher is not None:
        statement = statement.where(Course.refresher == filters.refresher)
    if not branch:
        statement = statement.where(shown)
    if filters.key is not None:
        statement = statement.where(cast(key, Text) == ("0" if filters.key == NOBODY else filters.key))
    each = statement.subquery("each")
    text_key: ColumnElement[Any] = cast(each.c.key, Text)
    if filters.grouping is Grouping.INSTRUCTOR:
        text_key = case((each.c.key == 0, NOBODY), else_=text_key)
    named = [each.c.shown, each.c.key, *(each.c[place.key] for place in places)]
    sums = (func.sum(each.c[name]).label(name) for name in FIGURES)
    return select(each.c.shown, text_key.label("key"), *named[2:], *sums).group_by(*named).subquery("cell")


def _answering(filters: Filters, scope: Scope) -> Sums | None:
    beyond = scope.organisation_ids or scope.instructor_user_id is not None
    if filters.known_before is not None or filters.organisation is not None or filters.sector is not None:
        return None
    if beyond and not scope.everything:
        return None
    of_years: dict[Grouping, Sums] = {
        Grouping.HOST: PersonTimeHost,
        Grouping.SECTOR: PersonTimeHost,
        Grouping.INSTRUCTOR: PersonTimeLead,
    }
    if filters.grouping in of_years:
        return of_years[filters.grouping] if _whole_years(filters) else None
    return PersonTimeMonth if _whole_months(filters) else None


def _whole_months(filters: Filters) -> bool:
    last = monthrange(filters.until.year, filters.until.month)[1]
    return filters.since.day == 1 and filters.until.day == last


def _whole_years(filters: Filters) -> bool:
    return _whole_months(filters) and filters.since.month == 1 and filters.until.month == 12


def _within(table: Sums, filters: Filters) -> ColumnElement[bool]:
    if issubclass(table, PersonTimeMonth):
        return table.month.between(filters.since, filters.until)
    return table.year.between(filters.since.year, filters.until.year)


def _key(table: Sums, grouping: Grouping) -> ColumnElement[Any]:
    """The key of the row that a cell belongs to, as `ledger.key_of` makes it of a line."""
    if issubclass(table, PersonTimeLead):
        return table.instructor_id  # type: ignore[return-value]
    if issubclass(table, PersonTimeHost):
        column: Any = Organisation.sector if grouping is Grouping.SECTOR else table.organisation_id
        return column  # type: ignore[no-any-return]
    keys: dict[Grouping, Any] = {
        Grouping.MONTH: func.to_char(table.month, "YYYY-MM"),
        Grouping.QUARTER: func.to_char(table.month, 'YYYY"Q"Q'),
        Grouping.YEAR: func.to_char(table.month, "YYYY"),
        Grouping.PROGRAMME: Course.programme_code,
        Grouping.DISTRICT: table.district_id,
        Grouping.COURSE: table.course_id,
    }
    return keys[grouping]  # type: ignore[no-any-return]


def people(db: Session, filters: Filters, scope: Scope) -> People:
    """Distinct people: from the kept numbers where they answer, else counted from who took part, exactly."""
    found = _People(db, filters, scope)
    branch, everybody, rows = found.of_branch(), found.of_shown(), found.of_rows()
    whole = filters.district is None and scope.everything and not filters.narrowed
    if everybody is None or rows is None or (branch is None and not whole):
        took = _Took(db, filters, scope, branch=branch is None and not whole)
        everybody = took.everybody() if everybody is None else everybody
        rows = took.rows() if rows is None else rows
        branch = took.branch() if branch is None and not whole else branch
    return People(rows, everybody, everybody if branch is None else branch)


class _People:
    """What the kept numbers say to a question; None where they say nothing."""

    def __init__(self, db: Session, filters: Filters, scope: Scope) -> None:
        self._filters = filters
        plain = (
            filters.known_before is None
            and filters.course is None
            and filters.refresher is None
            and filters.key is None
            and _whole_months(filters)
        )
        districts = {filters.district} if filters.district is not None else set(scope.district_ids)
        self._of_whole = scope.everything and filters.district is None
        self._shown = self._of_whole or (len(districts) == 1 and not scope.organisation_ids)
        self._district = 0 if self._of_whole or not districts else min(one for one in districts if one is not None)
        self._plain = plain and not filters.organisation and not filters.sector
        self._kept = participation.stored_counts(db) if plain else {}

    def of_branch(self) -> int | None:
        """The whole branch, with the programme that is asked for."""
        period = self._period()
        return None if period is None else self._at(CountKey(self._filters.programme or "", 0, period))

    def of_shown(self) -> int | None:
        """All rows together."""
        period = self._period()
        if period is None or not self._plain or not self._shown or (self._district and self._filters.programme):
            return None
        return self._at(CountKey(self._filters.programme or "", self._district, period))

    def of_rows(self) -> dict[str, int] | None:
        """Each row."""
        if not self._plain or not self._shown:
            return None
        return self._of_times() if self._filters.grouping in PERIODS else self._of_places()

    def _of_times(self) -> dict[str, int] | None:
        filters, programme = self._filters, self._filters.programme or ""
        if filters.grouping is Grouping.MONTH and not programme and not self._district:
            first, last = f"{filters.since:%Y-%m}", f"{filters.until:%Y-%m}"
            return {
                level.period: number
                for level, number in self._kept.items()
                if len(level.period) == len(first) and first <= level.period <= last
            }
        if filters.grouping is Grouping.YEAR and _whole_years(filters) and not (programme and self._district):
            years = (str(year) for year in range(filters.since.year, filters.until.year + 1))
            return {year: self._kept.get(CountKey(programme, self._district, year), 0) for year in years}
        return None

    def _of_places(self) -> dict[str, int] | None:
        grouping, programme, period = self._filters.grouping, self._filters.programme or "", self._period()
        if period is None or len(period) == len("2017-03"):
            return None
        of = [level for level in self._kept if level.period == period]
        if grouping is Grouping.PROGRAMME and not self._district:
            return {one.programme: self._kept[one] for one in of if one.programme and programme in {"", one.programme}}
        if grouping is Grouping.DISTRICT and not programme:
            return {
                str(one.district): self._kept[one] for one in of if one.district and self._district in {0, one.district}
            }
        return None

    def _at(self, level: CountKey) -> int | None:
        """A kept number; for a month only the branch's is kept."""
        of_month = len(level.period) == len("2017-03")
        return None if of_month and (level.programme or level.district) else self._kept.get(level, 0)

    def _period(self) -> str | None:
        """The period's name: a month, a year, or all time when nothing was counted outside of it."""
        filters = self._filters
        if not self._kept:
            return None
        if (filters.since.year, filters.since.month) == (filters.until.year, filters.until.month):
            return f"{filters.since:%Y-%m}"
        if _whole_years(filters) and filters.since.year == filters.until.year:
            return f"{filters.since:%Y}"
        months = [level.period for level in self._kept if len(level.period) == len("2017-03")]
        inside = (
            f"{filters.since:%Y-%m}" <= min(months, default="9999")
            and max(months, default="") <= f"{filters.until:%Y-%m}"
        )
        return "" if inside else None


class _Took:
    """Who took part, by row: some 25 MB for all that the branch did in ten years, read once and counted in this process.

    The database's own DISTINCT of five million took 8 to 10 s.
    """

    def __init__(self, db: Session, filters: Filters, scope: Scope, *, branch: bool) -> None:
        """branch: also those of the rest of the branch."""
        line = lines(filters, scope, branch=branch)
        row = case((line.c.shown, line.c.key))
        pieces: dict[str | None, list[TraineeIds]] = defaultdict(list)
        whole = filters.grouping in {Grouping.HOST, Grouping.INSTRUCTOR}  # thousands of rows, none of them large
        for key, people in trainee_ids.arrays(db, took_part(line, row, whole=whole)):
            pieces[key].append(people)
        self._others = pieces.pop(None, [])
        self._rows = {key: row for key, row in pieces.items() if key is not None}

    def rows(self) -> dict[str, int]:
        """Each row's people."""
        return {key: trainee_ids.count_distinct(people) for key, people in self._rows.items()}

    def everybody(self) -> int:
        """All rows' people."""
        return trainee_ids.count_distinct(self._together())

    def branch(self) -> int:
        """The whole branch's people."""
        return trainee_ids.count_distinct(self._together() + self._others)

    def _together(self) -> "list[TraineeIds]":
        return list(chain.from_iterable(self._rows.values()))


def took_part(line: Subquery, key: ColumnElement[Any], *, whole: bool = False) -> Select[*tuple[Any, ...]]:
    """Who took part in what closing lines count, by a key, for `trainee_ids.arrays`. whole: one piece a key."""
    parts = [] if whole else [line.c.offering_id // trainee_ids.OFFERINGS_PER_ARRAY]
    return (
        select(key, trainee_ids.packed())
        .select_from(line)
        .join(Participation, Participation.offering_id == line.c.offering_id)
        .where(line.c.kind == EntryKind.CLOSING)
        .group_by(key, *parts)
    )
