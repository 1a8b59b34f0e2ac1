"""The lines of the ledger in memory that a question is about, and the row that each belongs to.

`courses.reports.ledger.entries` is the same in SQL, for statements that list lines. Names, sectors, programmes and
refreshers can be changed at any time, so they are read from their tables for each question.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.counting import ledger_copy
from courses.counting.ledger_columns import CLOSING, WITHDRAWAL, LedgerColumns, day_number, moment_number
from courses.counting.participants import NOBODY, DistinctPeople, Ints, Longs, chosen_trainees
from courses.models.catalogue import Course
from courses.models.offerings import Offering
from courses.reports.ledger import FIGURE_NAMES, NO_INSTRUCTOR, Figures, organisation_matches
from courses.reports.periods import Period, PeriodUnit
from courses.reports.questions import TIME_GROUPINGS, Figure, Filters, Grouping, Question
from lms.core.paging import PAGE_SIZE
from lms.core.scope import Scope
from lms.organisations.models import Organisation

Mask = NDArray[np.bool_]
_EPOCH = np.datetime64("2000-01-01")
_MONTHS_OF = {Grouping.MONTH: 1, Grouping.QUARTER: 3, Grouping.YEAR: 12}


@dataclass(frozen=True)
class OfferingSums:
    """A page of offerings with their figures by id, the newest first, and the sums over all pages.

    number: the offerings of all pages. sessions_of: how many sessions each offering of the page has.
    """

    page: int
    pages: int
    number: int
    figures: dict[int, Figures]
    total: Figures
    sessions: int
    sessions_of: dict[int, int]


@dataclass(frozen=True)
class Selection:
    """The lines of a question.

    lines: their places in the ledger. row: of each line, the number of its row, or `NOBODY` for a line of the rest of
    the branch. keys: the key of each row, by its number; not every row has a line.
    row_ends: the last day of the period of each row, and then of the whole question; last_day: that of the question.
    refresher, programme: by the id of a course, whether it is a refresher, and the number of its programme in `programmes`.
    """

    columns: LedgerColumns
    lines: NDArray[np.intp]
    row: Ints
    keys: list[str]
    row_ends: Ints
    last_day: int
    refresher: Mask
    programme: Ints
    programmes: list[str]

    def figures(self) -> dict[str, Figures]:
        """The figures by the key of the row, in the order of their numbers."""
        return {self.keys[number]: figures for number, figures in figures_of(self.sums_by(self.row, len(self.keys)))}

    def sums_by(self, group: Ints, groups: int) -> dict[str, Longs]:
        """The sums of the columns of `Figures` by a number of each line, which is below `groups`.

        Lines of the rest of the branch do not add.
        """
        inside = self.row != NOBODY
        return {name: _sums(group[inside], value, groups) for name, value in self._values(self.lines[inside]).items()}

    def total(self) -> Figures:
        """The sums over all lines, those of the rest of the branch included."""
        return Figures(**{name: int(value.sum(dtype=np.int64)) for name, value in self._values(self.lines).items()})

    def sessions(self) -> dict[str, int]:
        """The sessions of the offerings that were closed, less those of closings taken back, by the key of the row."""
        of_line = self.columns.offerings.sessions[self.columns.lines.offering[self.lines]]
        return self._by_key(of_line * self._values(self.lines)["offerings"])

    def renewed(self) -> dict[str, int]:
        """The certificates of refresher courses, by the key of the row."""
        course = self.columns.offerings.course[self.columns.lines.offering[self.lines]]
        return self._by_key(self.columns.lines.figures["certificates"][self.lines] * self.refresher[course])

    def by_programme_and_district(self) -> Iterator[tuple[str, int, str, Figures]]:
        """The figures of each programme, district and row, in this order: the codes, the key, and the sums."""
        place = self.columns.lines.offering[self.lines]
        programme = self.programme[self.columns.offerings.course[place]]
        district = self.columns.offerings.district[place]
        districts, rows = int(district.max(initial=0)) + 1, len(self.keys)
        sums = self.sums_by(
            (programme * districts + district) * rows + self.row, len(self.programmes) * districts * rows
        )
        for number, figures in figures_of(sums):
            of_place, row = divmod(number, rows)
            yield self.programmes[of_place // districts], of_place % districts, self.keys[row], figures

    def by_offering(self, figure: Figure | None, page: int) -> OfferingSums:
        """A page of the offerings whose lines add something to a figure, or to any, the newest first, and all their sums."""
        offerings = self.columns.offerings
        sums = self.sums_by(self.columns.lines.offering[self.lines], offerings.id.size)
        number_of = {**sums, "person_times": sums["named"] + sums["counted"]}
        adds = number_of[figure.value] != 0 if figure is not None else _is_any(sums)
        places = np.flatnonzero(adds)
        newest_first = np.lexsort((-offerings.id[places], -offerings.day[places]))
        pages = max(1, -(-places.size // PAGE_SIZE))
        number = min(max(page, 1), pages)
        on_page = places[newest_first[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]]
        columns = [sums[name][on_page].tolist() for name in FIGURE_NAMES]
        return OfferingSums(
            page=number,
            pages=pages,
            number=places.size,
            figures=dict(
                zip(offerings.id[on_page].tolist(), (Figures(*row) for row in zip(*columns, strict=True)), strict=True)
            ),
            total=Figures(*(int(sums[name][places].sum()) for name in FIGURE_NAMES)),
            sessions=int((sums["offerings"] * offerings.sessions)[places].sum()),
            sessions_of=dict(zip(offerings.id[on_page].tolist(), offerings.sessions[on_page].tolist(), strict=True)),
        )

    def occurrences(self) -> NDArray[np.intp]:
        """How many of the closed offerings each person was present at, by the id of the trainee."""
        offering = self.columns.lines.offering[self.lines[self._closings()]]
        group_of = np.full(self.columns.places, NOBODY, np.int32)
        group_of[self.columns.reported(offering, np.full_like(offering, self.last_day))] = 0
        return np.bincount(chosen_trainees(self.columns.participants, group_of))

    def _by_key(self, value: Ints) -> dict[str, int]:
        inside = self.row != NOBODY
        sums = _sums(self.row[inside], value[inside], len(self.keys))
        return {self.keys[number]: int(sums[number]) for number in np.flatnonzero(sums).tolist()}

    def people(self) -> DistinctPeople:
        """The distinct people by the number of the row; `everybody` is the people of the whole branch.

        A row, as the whole question, counts the people as they were reported where its period was reported.
        """
        closing, outside = self._closings(), len(self.keys)
        row, offering = self.row[closing], self.columns.lines.offering[self.lines[closing]]
        group = np.where(row == NOBODY, outside, row)
        of_rows = self.columns.reported(offering, self.row_ends[row])
        of_all = self.columns.reported(offering, np.full_like(offering, self.last_day))
        people = self._count(of_rows, group, outside)
        if np.array_equal(of_rows, of_all):
            return people
        return replace(self._count(of_all, group, outside), groups=people.groups)

    def _closings(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.columns.lines.kind[self.lines] == CLOSING)

    def _count(self, place: Ints, group: Ints, groups: int) -> DistinctPeople:
        group_of = np.full(self.columns.places, NOBODY, np.int32)
        group_of[place] = group
        return self.columns.count_people(group_of, groups)

    def _values(self, lines: NDArray[np.intp]) -> dict[str, Ints]:
        ledger = self.columns.lines
        values = {name: column[lines] for name, column in ledger.figures.items()}
        kind, person_times = ledger.kind[lines], values["named"] + values["counted"]
        values["offerings"] = (kind == CLOSING).astype(np.int32) - (kind == WITHDRAWAL)
        values["refresher"] = person_times * self.refresher[self.columns.offerings.course[ledger.offering[lines]]]
        values["adjusted"] = person_times * ledger.late[lines]
        return {name: values[name] for name in FIGURE_NAMES}


def figures_of(sums: Mapping[str, Longs]) -> Iterator[tuple[int, Figures]]:
    """The figures of each number that has some. What was taken back adds up to nothing, and is none."""
    numbers = np.flatnonzero(_is_any(sums))
    columns = [sums[name][numbers].tolist() for name in FIGURE_NAMES]
    for number, *row in zip(numbers.tolist(), *columns, strict=True):
        yield number, Figures(*row)


def _is_any(sums: Mapping[str, Longs]) -> Mask:
    is_any: Mask = np.logical_or.reduce([sums[name] != 0 for name in FIGURE_NAMES])
    return is_any


def _sums(row: Ints, value: Ints, rows: int) -> Longs:
    # A double holds whole numbers up to 2**53 exactly.
    return np.bincount(row, value, rows).astype(np.int64)


def select_lines(db: Session, question: Question, *, branch: bool = False) -> Selection:
    """Select the lines of a question. branch: also the lines of the rest of the branch."""
    filters, columns = question.filters, ledger_copy.current(db)
    courses = _Courses(db)
    lines, offerings = columns.lines, columns.offerings
    matches = (lines.day >= day_number(filters.since)) & (lines.day <= day_number(filters.until))
    if filters.known_before is not None:
        matches &= lines.recorded_at < moment_number(filters.known_before)
    of_course = courses.matching(filters)
    if of_course is not None:
        matches &= of_course[offerings.course][lines.offering]
    of_offering = _offerings_in_rows(db, question, columns)
    if of_offering is not None and not branch:
        matches &= of_offering[lines.offering]
    chosen = np.flatnonzero(matches)
    row, keys = _rows(db, filters.grouping, columns, courses, chosen)
    row_ends = _row_ends(filters, keys)
    last_day = day_number(filters.until)
    if filters.key is not None:
        number = keys.index(filters.key) if filters.key in keys else NOBODY
        of_key = row == number if number != NOBODY else np.zeros(row.size, np.bool_)
        chosen, row, last_day = chosen[of_key], row[of_key], int(row_ends[number])
    if of_offering is not None and branch:
        row = np.where(of_offering[lines.offering[chosen]], row, NOBODY).astype(np.int32)
    return Selection(
        columns, chosen, row, keys, row_ends, last_day, courses.refresher, courses.programme, courses.programmes
    )


def _row_ends(filters: Filters, keys: list[str]) -> Ints:
    """The last day of the period of each row, and then that of the whole question."""
    last_day = day_number(filters.until)
    if filters.grouping not in TIME_GROUPINGS or not keys:
        return np.full(len(keys) + 1, last_day, np.int32)
    firsts = np.array([Period.parse(key).first for key in keys], "M8[M]")
    ends = (firsts + _MONTHS_OF[filters.grouping]).astype("M8[D]") - _EPOCH - np.timedelta64(1, "D")
    return np.append(np.minimum(ends.astype(np.int32), last_day), np.int32(last_day))


class _Courses:
    """The facts of the courses in the catalogue, as arrays by the id of the course."""

    def __init__(self, db: Session) -> None:
        self._facts = db.execute(select(Course.id, Course.programme_code, Course.refresher)).all()
        self.programmes = sorted({code for _course, code, _refresher in self._facts})
        size = max((course for course, _code, _refresher in self._facts), default=0) + 1
        self.refresher, self.programme = np.zeros(size, np.bool_), np.zeros(size, np.int32)
        for course, code, refresher in self._facts:
            self.refresher[course], self.programme[course] = refresher, self.programmes.index(code)

    def matching(self, filters: Filters) -> Mask | None:
        """The courses that `ledger.course_matches` selects; None for all of them."""
        if filters.programme is None and filters.course is None and filters.refresher is None:
            return None
        matches = np.zeros(self.refresher.size, np.bool_)
        for course, code, refresher in self._facts:
            matches[course] = (
                filters.programme in {None, code}
                and filters.course in {None, course}
                and filters.refresher in {None, refresher}
            )
        return matches


def _offerings_in_rows(db: Session, question: Question, columns: LedgerColumns) -> Mask | None:
    """The offerings that `ledger.offering_matches` selects, by their place; None for all of them."""
    offerings, filters = columns.offerings, question.filters
    matches = _in_scope(db, question.scope, columns)
    if filters.district is not None:
        of_district = offerings.district == filters.district
        matches = of_district if matches is None else matches & of_district
    if filters.host is not None:
        of_one = offerings.organisation == filters.host
        matches = of_one if matches is None else matches & of_one
    condition = organisation_matches(filters)
    if condition is not None:
        hosts = db.scalar(select(func.array_agg(Organisation.id)).where(condition)) or []
        of_host = _marked(hosts, offerings.organisation)[offerings.organisation]
        matches = of_host if matches is None else matches & of_host
    return matches


def _in_scope(db: Session, scope: Scope, columns: LedgerColumns) -> Mask | None:
    if scope.everything:
        return None
    offerings = columns.offerings
    matches = np.isin(offerings.district, list(scope.district_ids))
    if scope.organisation_ids:
        matches |= _marked(scope.organisation_ids, offerings.organisation)[offerings.organisation]
    if scope.instructor_user_id is not None:
        taught = Offering.visible_to(Scope(instructor_user_id=scope.instructor_user_id))
        matches |= np.isin(offerings.id, db.scalars(select(Offering.id).where(taught)).all())
    return matches


def _marked(ids: Any, column: Ints) -> Mask:
    """True at the places that are among the ids, for all values of the column."""
    marks = np.zeros(max(int(column.max(initial=0)), max(ids, default=0)) + 1, np.bool_)
    marks[list(ids)] = True
    return marks


def _rows(
    db: Session, grouping: Grouping, columns: LedgerColumns, courses: _Courses, chosen: NDArray[np.intp]
) -> tuple[Ints, list[str]]:
    """The number of the row of each chosen line, and the keys of the rows, as `ledger.row_key` gives them."""
    lines, offerings = columns.lines, columns.offerings
    if grouping in TIME_GROUPINGS:
        months = (_EPOCH + lines.day[chosen].astype("m8[D]")).astype("M8[M]").astype(np.int64)
        periods = months // _MONTHS_OF[grouping]
        first = int(periods.min(initial=0)) if not periods.size else int(periods.min())
        last = int(periods.max()) if periods.size else first - 1
        return (periods - first).astype(np.int32), [_period_key(grouping, period) for period in range(first, last + 1)]
    place = lines.offering[chosen]
    if grouping is Grouping.PROGRAMME:
        return courses.programme[offerings.course][place], courses.programmes
    if grouping is Grouping.SECTOR:
        return _sectors(db, offerings.organisation, place)
    column = {
        Grouping.DISTRICT: offerings.district, Grouping.COURSE: offerings.course, Grouping.INSTRUCTOR: offerings.lead,
        Grouping.HOST: offerings.organisation,
    }[grouping]  # fmt: skip
    keys = [str(number) for number in range(int(column.max(initial=0)) + 1)]
    if grouping is Grouping.INSTRUCTOR:
        keys[0] = NO_INSTRUCTOR
    return column[place], keys


def _period_key(grouping: Grouping, number: int) -> str:
    """The key of a period by how many of its kind lie between it and the year 1970."""
    unit = PeriodUnit(grouping.value)
    per_year = 12 // _MONTHS_OF[grouping]
    return Period(unit, 1970 + number // per_year, 0 if per_year == 1 else number % per_year + 1).key


def _sectors(db: Session, organisation: Ints, place: Ints) -> tuple[Ints, list[str]]:
    hosts = db.execute(select(Organisation.sector, func.array_agg(Organisation.id)).group_by(Organisation.sector)).all()
    sector = np.zeros(max((max(ids) for _sector, ids in hosts), default=0) + 1, np.int32)
    for number, (_sector, ids) in enumerate(hosts):
        sector[ids] = number
    return sector[organisation][place], [str(name) for name, _ids in hosts]
