"""The number of distinct people of a report: by row, in all rows, and in the whole branch.

People do not add up over rows. The numbers that are asked for most are kept in the table `people_count` (see
`courses.counting.participation`): of the branch by month, and by programme and by district for each year and for all
time. Any other number is counted from the trainees of each offering, exactly.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Subquery, case, select
from sqlalchemy.orm import Session

from courses.counting import participation, trainee_ids
from courses.models.person_time import EntryKind
from courses.models.rollups import Participation
from courses.reports.ledger import entries
from courses.reports.periods import ALL_TIME, Period, PeriodUnit, parsed_period
from courses.reports.questions import TIME_GROUPINGS, Grouping, Question
from courses.reports.rollups import has_whole_months, has_whole_years

if TYPE_CHECKING:
    from courses.counting.trainee_ids import TraineeIds

WHOLE_BRANCH = 0  # the district of a number that is of the whole branch
EVERY_PROGRAMME = ""  # the programme of a number that is of all programmes


@dataclass(frozen=True)
class PeopleCounts:
    """Distinct people by the key of the row, in all rows together, and in the whole branch."""

    rows: Mapping[str, int]
    all_rows: int
    branch: int


def count_people(db: Session, question: Question) -> PeopleCounts:
    """Count the distinct people: from the kept numbers where they answer the question, else from participations."""
    kept_counts = _KeptCounts(db, question)
    branch, all_rows, rows = kept_counts.branch(), kept_counts.all_rows(), kept_counts.rows()
    branch_missing = branch is None and not question.covers_branch
    if all_rows is None or rows is None or branch_missing:
        counted = _CountedParticipations(db, question, branch=branch_missing)
        all_rows = counted.all_rows() if all_rows is None else all_rows
        rows = counted.rows() if rows is None else rows
        branch = counted.branch() if branch_missing else branch
    return PeopleCounts(rows, all_rows, all_rows if branch is None else branch)


class _Slot(NamedTuple):
    """The place of a kept number: a programme, a district and a period."""

    programme: str
    district: int
    period: Period

    @property
    def is_kept(self) -> bool:
        """Of months, only the number of the whole branch is kept."""
        return self.period.unit is not PeriodUnit.MONTH or (self.programme, self.district) == (
            EVERY_PROGRAMME,
            WHOLE_BRANCH,
        )


class _KeptCounts:
    """The answers that the kept numbers give to a question; each is None where they do not answer it."""

    def __init__(self, db: Session, question: Question) -> None:
        self._filters = filters = question.filters
        scope = question.scope
        every_course = (
            filters.known_before is None
            and filters.course is None
            and filters.refresher is None
            and filters.key is None
            and has_whole_months(filters)
        )
        districts = {filters.district} if filters.district is not None else set(scope.district_ids)
        of_branch = scope.everything and filters.district is None
        self._programme = filters.programme or EVERY_PROGRAMME
        self._district = (
            WHOLE_BRANCH if of_branch or not districts else min(number for number in districts if number is not None)
        )
        one_place = of_branch or (len(districts) == 1 and not scope.organisation_ids)
        self._rows_answerable = every_course and one_place and not filters.finer_than_programme_and_district
        self._counts = _kept_counts(db) if every_course else {}
        self._period = self._kept_period()

    def branch(self) -> int | None:
        """The people of the whole branch, in the programme that is asked for."""
        return None if self._period is None else self._count(_Slot(self._programme, WHOLE_BRANCH, self._period))

    def all_rows(self) -> int | None:
        """The people of all rows together. No number is kept of one programme in one district."""
        if self._period is None or not self._rows_answerable or (self._district and self._programme):
            return None
        return self._count(_Slot(self._programme, self._district, self._period))

    def rows(self) -> dict[str, int] | None:
        """The people of each row."""
        if not self._rows_answerable:
            return None
        return self._rows_of_times() if self._filters.grouping in TIME_GROUPINGS else self._rows_of_places()

    def _rows_of_times(self) -> dict[str, int] | None:
        filters = self._filters
        if filters.grouping is Grouping.MONTH and not self._programme and not self._district:
            first, last = (Period.containing(day, PeriodUnit.MONTH) for day in (filters.since, filters.until))
            return {
                slot.period.key: people
                for slot, people in self._counts.items()
                if slot.period.unit is PeriodUnit.MONTH and first <= slot.period <= last
            }
        if filters.grouping is Grouping.YEAR and has_whole_years(filters) and not (self._programme and self._district):
            years = (Period(PeriodUnit.YEAR, year) for year in range(filters.since.year, filters.until.year + 1))
            return {year.key: self._counts.get(_Slot(self._programme, self._district, year), 0) for year in years}
        return None

    def _rows_of_places(self) -> dict[str, int] | None:
        period = self._period
        if period is None or period.unit is PeriodUnit.MONTH:
            return None
        counts = {slot: people for slot, people in self._counts.items() if slot.period == period}
        if self._filters.grouping is Grouping.PROGRAMME and not self._district:
            return {
                slot.programme: people
                for slot, people in counts.items()
                if slot.programme and self._programme in {EVERY_PROGRAMME, slot.programme}
            }
        if self._filters.grouping is Grouping.DISTRICT and not self._programme:
            return {
                str(slot.district): people
                for slot, people in counts.items()
                if slot.district and self._district in {WHOLE_BRANCH, slot.district}
            }
        return None

    def _count(self, slot: _Slot) -> int | None:
        return self._counts.get(slot, 0) if slot.is_kept else None

    def _kept_period(self) -> Period | None:
        """The period of the question: a month, a year, or all time where nothing was counted outside of it."""
        if not self._counts:
            return None
        first, last = (Period.containing(day, PeriodUnit.MONTH) for day in (self._filters.since, self._filters.until))
        if first == last:
            return first
        if has_whole_years(self._filters) and first.year == last.year:
            return Period(PeriodUnit.YEAR, first.year)
        months = [slot.period for slot in self._counts if slot.period.unit is PeriodUnit.MONTH]
        all_inside = not months or (first <= min(months) and max(months) <= last)
        return ALL_TIME if all_inside else None


def _kept_counts(db: Session) -> dict[_Slot, int]:
    return {
        _Slot(key.programme, key.district, parsed_period(key.period)): people
        for key, people in participation.stored_counts(db).items()
    }


class _CountedParticipations:
    """The trainees of each row, read once and counted in this process: some 25 MB for ten years of the whole branch.

    PostgreSQL's own DISTINCT over the same five million participations took 8 to 10 seconds.
    """

    def __init__(self, db: Session, question: Question, *, branch: bool) -> None:
        """branch: read the trainees of the rest of the branch too."""
        entry = entries(question, branch=branch)
        row_key = case((entry.c.in_rows, entry.c.key))
        # Hosts and instructors are thousands of rows, none of them large, so each comes in one piece.
        whole = question.filters.grouping in {Grouping.HOST, Grouping.INSTRUCTOR}
        pieces: dict[str | None, list[TraineeIds]] = defaultdict(list)
        for key, trainees in trainee_ids.arrays(db, participants_by(entry, row_key, whole=whole)):
            pieces[key].append(trainees)
        self._outside_rows = pieces.pop(None, [])
        self._rows = {key: trainees for key, trainees in pieces.items() if key is not None}

    def rows(self) -> dict[str, int]:
        """The people of each row."""
        return {key: trainee_ids.count_distinct(trainees) for key, trainees in self._rows.items()}

    def all_rows(self) -> int:
        """The people of all rows together."""
        return trainee_ids.count_distinct(self._in_rows())

    def branch(self) -> int:
        """The people of the whole branch."""
        return trainee_ids.count_distinct(self._in_rows() + self._outside_rows)

    def _in_rows(self) -> "list[TraineeIds]":
        return list(chain.from_iterable(self._rows.values()))


def participants_by(entry: Subquery, key: ColumnElement[Any], *, whole: bool = False) -> Select[*tuple[Any, ...]]:
    """SELECT the trainees of the closings among ledger entries, packed by a key, for `trainee_ids.arrays`.

    whole: one piece for each key, however many trainees it holds.
    """
    parts = [] if whole else [entry.c.offering_id // trainee_ids.OFFERINGS_PER_ARRAY]
    return (
        select(key, trainee_ids.packed())
        .select_from(entry)
        .join(Participation, Participation.offering_id == entry.c.offering_id)
        .where(entry.c.kind == EntryKind.CLOSING)
        .group_by(key, *parts)
    )
