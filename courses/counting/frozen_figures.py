"""The figures that a quarter froze: stored when it is frozen, read by reports and public figures, and never changed.

Person-times, hours, results and certificates of a frozen quarter cannot change, because the ledger writes no line into
it. Its people cannot either: a later change of an offering's trainees leaves the former ones to the periods that were
reported (`courses.counting.participation`). The stored figures prove both, and `flask person-time check` compares them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import BigInteger, case, cast, func, insert, select, tuple_
from sqlalchemy.orm import Session

from courses.counting import participation, trainee_ids
from courses.counting.calendar_quarters import Quarter
from courses.models.catalogue import Course
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.quarters import FrozenFigures
from courses.models.rollups import Participation, PersonTimeMonth
from lms.core import binary

if TYPE_CHECKING:
    from courses.counting.trainee_ids import TraineeIds

ALL_PROGRAMMES, ALL_DISTRICTS, WHOLE_QUARTER = "", 0, 0
FIGURES = ("offerings", "enrolled", "named", "counted", "refresher", "minutes", "passed", "certificates", "adjusted")
COLUMNS = (*FIGURES, "people")


class Place(NamedTuple):
    """A part of a quarter: a month or the whole (0), a programme or all (""), a district or all (0)."""

    month: int = WHOLE_QUARTER
    programme: str = ALL_PROGRAMMES
    district: int = ALL_DISTRICTS


@dataclass(frozen=True)
class QuarterFigures:
    """The figures of a part of a quarter, in the order of COLUMNS. `people` do not add up."""

    offerings: int = 0
    enrolled: int = 0
    named: int = 0
    counted: int = 0
    refresher: int = 0
    minutes: int = 0
    passed: int = 0
    certificates: int = 0
    adjusted: int = 0
    people: int = 0

    @property
    def person_times(self) -> int:
        """人次: people by name and people by headcount together."""
        return self.named + self.counted


class FrozenDifference(NamedTuple):
    """A figure that a quarter froze and that is another one now. place: the quarter, the part of it, and the figure."""

    place: str
    frozen: int
    recounted: int


def store(db: Session, quarter: Quarter, at: datetime) -> None:
    """Store the figures of a quarter as they are now. The caller holds the lock that keeps ledger lines out of it."""
    rows = [
        {
            "year": quarter.year, "quarter": quarter.number, "month": place.month, "programme_code": place.programme,
            "district_id": place.district, "frozen_at": at, **{name: getattr(figures, name) for name in COLUMNS},
        }
        for place, figures in sorted(computed(db, quarter).items())
    ]  # fmt: skip
    if rows:
        db.execute(insert(FrozenFigures), rows)


def stored(db: Session, quarters: Collection[Quarter]) -> dict[Quarter, dict[Place, QuarterFigures]]:
    """Return the figures that the quarters froze, in one statement. A quarter that is not frozen has none."""
    chosen = [(quarter.year, quarter.number) for quarter in quarters]
    statement = select(
        FrozenFigures.year,
        FrozenFigures.quarter,
        FrozenFigures.month,
        FrozenFigures.programme_code,
        FrozenFigures.district_id,
        *(getattr(FrozenFigures, name) for name in COLUMNS),
    ).where(tuple_(FrozenFigures.year, FrozenFigures.quarter).in_(chosen))
    figures: dict[Quarter, dict[Place, QuarterFigures]] = defaultdict(dict)
    for year, number, month, programme, district, *values in db.execute(statement):
        figures[Quarter(year, number)][Place(month, programme, district)] = QuarterFigures(*values)
    return figures


def computed(db: Session, quarter: Quarter) -> dict[Place, QuarterFigures]:
    """Compute the figures of a quarter: the sums from the ledger's sums, the people from the trainees as reported."""
    sums = _sums(db, quarter)
    people = _people(db, quarter)
    return {
        place: QuarterFigures(**dict(zip(COLUMNS, (*figures, people.get(place, 0)), strict=True)))
        for place, figures in sums.items()
        if any(figures) or people.get(place)
    }


def differences(db: Session) -> Iterator[FrozenDifference]:
    """Compare what each frozen quarter froze with what its ledger lines and trainees give now."""
    frozen = select(FrozenFigures.year, FrozenFigures.quarter).distinct()
    for year, number in db.execute(frozen.order_by(FrozenFigures.year, FrozenFigures.quarter)).all():
        quarter = Quarter(year, number)
        before, now = stored(db, [quarter])[quarter], computed(db, quarter)
        for place in sorted(before.keys() | now.keys()):
            for name in COLUMNS:
                then, recounted = (getattr(of.get(place, QuarterFigures()), name) for of in (before, now))
                if then != recounted:
                    part = f"{place.month} {place.programme or '-'} {place.district}"
                    yield FrozenDifference(f"frozen_figures {quarter} {part} {name}", then, recounted)


def _places(month: int, programme: str, district: int) -> list[Place]:
    """The parts of the quarter in which a programme's figures in a district and month count."""
    return [
        Place(of_month, code, number)
        for of_month in (month, WHOLE_QUARTER)
        for code in (programme, ALL_PROGRAMMES)
        for number in (district, ALL_DISTRICTS)
    ]


def _sums(db: Session, quarter: Quarter) -> dict[Place, list[int]]:
    refresher = case((Course.refresher, PersonTimeMonth.named + PersonTimeMonth.counted), else_=0)
    columns = [refresher if name == "refresher" else getattr(PersonTimeMonth, name) for name in FIGURES]
    keys = (PersonTimeMonth.month, Course.programme_code, PersonTimeMonth.district_id)
    statement = (
        select(*keys, *(cast(func.sum(column), BigInteger) for column in columns))
        .join(Course, Course.id == PersonTimeMonth.course_id)
        .where(PersonTimeMonth.month.between(quarter.first, quarter.last))
        .group_by(*keys)
    )
    sums: dict[Place, list[int]] = defaultdict(lambda: [0] * len(FIGURES))
    for month, programme, district, *values in db.execute(statement):
        for place in _places(month.month, programme, district):
            sums[place] = [before + more for before, more in zip(sums[place], values, strict=True)]
    return sums


def _people(db: Session, quarter: Quarter) -> dict[Place, int]:
    former = participation.former_at(quarter.last)
    month = cast(func.extract("month", PersonTimeEntry.dated_on), BigInteger)
    keys = (month, Course.programme_code, Offering.district_id)
    statement = (
        select(*keys, trainee_ids.packed(func.coalesce(former.c.trainees, Participation.trainees)))
        .select_from(PersonTimeEntry)
        .join(Participation, Participation.offering_id == PersonTimeEntry.offering_id)
        .join(Offering, Offering.id == PersonTimeEntry.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .outerjoin(former, former.c.offering_id == PersonTimeEntry.offering_id)
        .where(
            PersonTimeEntry.kind == EntryKind.CLOSING,
            PersonTimeEntry.dated_on.between(quarter.first, quarter.last),
        )
        .group_by(*keys)
    )
    pieces: dict[Place, list[TraineeIds]] = defaultdict(list)
    for number, programme, district, joined in binary.rows(db, statement):
        trainees = trainee_ids.unpack(joined)
        for place in _places(int(number), programme, district):
            pieces[place].append(trainees)
    return {place: trainee_ids.count_distinct(sets) for place, sets in pieces.items()}
