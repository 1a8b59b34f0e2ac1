"""Participation: the trainees present at each counted offering, and the numbers of distinct people that follow from it.

Distinct people do not add up: a trainee who came in March and in May is one person of the year. Therefore the numbers
that are asked for most are stored: by month, year, programme and district. They are exact, and updated when an offering
closes or is corrected; `courses.counting.recount` compares them with the attendances.

What was reported does not change. A correction of an offering in a frozen quarter changes the people of the periods that
end after the latest frozen quarter only: those that end before keep the trainees as they were reported
(`FormerParticipation`, which a trigger writes).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    Subquery,
    any_,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlalchemy.orm import Session

from courses.counting import trainee_ids
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.rollups import FormerParticipation, Participation, PeopleCount
from lms.core import binary, clock

if TYPE_CHECKING:
    from numpy import uint8
    from numpy.typing import NDArray

    from courses.counting.trainee_ids import TraineeIds

# An advisory lock: without it, two concurrent closings would both count the same new person.
_LOCK = 0x70656F706C65

_COUNTS = select(PeopleCount.programme_code, PeopleCount.district_id, PeopleCount.period, PeopleCount.people)


class CountKey(NamedTuple):
    """The key of a stored number of people: a programme, a district or the branch, and a month, a year or all time.

    programme "" and district 0 stand for all; period is "2017-03" (for the branch only), "2017", or "" for all time.
    """

    programme: str
    district: int
    period: str

    @property
    def last_day(self) -> date:
        """The last day of the period; the last day there is for all time."""
        if not self.period:
            return date.max
        year, month = int(self.period[:4]), int(self.period[5:] or 12)
        return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def count_keys(programme: str, district: int, day: date) -> set[CountKey]:
    """Return the keys of all numbers in which a participation counts. `day`: the day its offering is dated by."""
    places = ((programme, 0), ("", district), ("", 0))
    keys = {CountKey(code, number, period) for code, number in places for period in (f"{day:%Y}", "")}
    return keys | {CountKey("", 0, f"{day:%Y-%m}")}


def lock(db: Session) -> None:
    """Keep other transactions from counting people until this one ends."""
    db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def update(db: Session, offering_id: int) -> None:
    """Bring the participation of an offering, and the numbers that depend on it, to what its attendances say now.

    The closing line of the offering must be in the ledger: its date decides in which periods the people count. The
    numbers of periods that were reported with a frozen quarter stay as they are.
    """
    db.flush()
    lock(db)
    stored = db.scalar(select(Participation.trainees).where(Participation.offering_id == offering_id))
    before, now = set(stored or ()), set(db.scalars(_present(Enrolment.offering_id == offering_id)))
    if stored is not None and before == now:
        return
    programme, district, day = db.execute(closings().where(Offering.id == offering_id)).one()
    reported_until = None if stored is None else db.scalar(select(func.reported_until(day)))
    keys = {
        key for key in count_keys(programme, district, day) if reported_until is None or key.last_day > reported_until
    }
    _count(db, offering_id, keys, now - before, +1)
    _count(db, offering_id, keys, before - now, -1)
    statement = insert(Participation).values(offering_id=offering_id, trainees=sorted(now))
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[Participation.offering_id], set_={"trainees": statement.excluded.trainees}
        )
    )


def former_at(last_day: date) -> Subquery:
    """A subquery of the offerings whose trainees were others when a period that ends on a day was reported.

    Columns: offering_id and trainees. The trainees of all other offerings are those of `Participation`.
    """
    return (
        select(FormerParticipation.offering_id, FormerParticipation.trainees)
        .ext(distinct_on(FormerParticipation.offering_id))
        .where(FormerParticipation.until >= last_day)
        .order_by(FormerParticipation.offering_id, FormerParticipation.until)
        .subquery("former")
    )


def _present(condition: ColumnElement[bool]) -> Select[int]:
    return select(Enrolment.trainee_id).where(
        condition, select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    )


def closings() -> Select[str, int, date]:
    """A SELECT of the programme, the district and the day of each counted offering."""
    return (
        select(Course.programme_code, Offering.district_id, PersonTimeEntry.dated_on)
        .select_from(Offering)
        .join(Course, Course.id == Offering.course_id)
        .join(PersonTimeEntry, PersonTimeEntry.offering_id == Offering.id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING)
    )


def _count(db: Session, offering_id: int, keys: Collection[CountKey], people: Collection[int], sign: int) -> None:
    """Add to each number the people who are new to it through this offering; with sign -1, subtract those it loses."""
    if not people or not keys:
        return
    elsewhere = (
        closings()
        .add_columns(Enrolment.offering_id, Enrolment.trainee_id)
        .join(Enrolment, Enrolment.offering_id == Offering.id)
    )
    is_present = select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    present = [
        (set(keys) & count_keys(programme, district, day), number, trainee)
        for programme, district, day, number, trainee in db.execute(
            elsewhere.where(Enrolment.trainee_id == any_(as_array(people)), Offering.id != offering_id, is_present)
        )
    ]
    former = _Former(db, offering_id, keys, people, {number for _keys, number, _trainee in present})
    counted_elsewhere: dict[CountKey, set[int]] = {key: former.people_of(key) for key in keys}
    for its_keys, number, trainee in present:
        for key in its_keys:
            if not former.replaces(number, key):
                counted_elsewhere[key].add(trainee)
    rows = [
        {"programme_code": key.programme, "district_id": key.district, "period": key.period,
         "people": sign * (len(people) - len(counted_elsewhere[key]))}
        for key in sorted(keys)
    ]  # fmt: skip
    add_counts(db, rows)


def add_counts(db: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to stored numbers of people; `people` of a row is a difference."""
    statement = insert(PeopleCount).values(rows)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[PeopleCount.programme_code, PeopleCount.district_id, PeopleCount.period],
            set_={"people": PeopleCount.people + statement.excluded.people},
        )
    )


class _Former:
    """The former trainees of other offerings, for the numbers of periods that are over: the year of an open quarter.

    Nothing is read where all periods go on, as in most closings.
    """

    def __init__(
        self,
        db: Session,
        offering_id: int,
        keys: Iterable[CountKey],
        people: Collection[int],
        offerings: Collection[int],
    ) -> None:
        """offering_id: the offering that is counted. offerings: those where the people are present now."""
        self._people = frozenset(people)
        self._versions: dict[int, list[tuple[date, set[int]]]] = defaultdict(list)
        self._keys: dict[int, set[CountKey]] = {}
        ended = [key.last_day for key in keys if key.last_day <= clock.now().date()]
        if not ended:
            return
        rows = (
            closings()
            .add_columns(Offering.id, FormerParticipation.until, FormerParticipation.trainees)
            .join(FormerParticipation, FormerParticipation.offering_id == Offering.id)
            .where(FormerParticipation.until >= min(ended), Offering.id != offering_id)
            .where(
                or_(
                    FormerParticipation.trainees.overlap(as_array(people)),
                    Offering.id == any_(as_array(offerings)),
                )
            )
            .order_by(FormerParticipation.until)
        )
        for programme, district, day, number, until, trainees in db.execute(rows):
            self._versions[number].append((until, set(trainees)))
            self._keys[number] = count_keys(programme, district, day)

    def replaces(self, offering_id: int, key: CountKey) -> bool:
        """True if the number counts former trainees of the offering in place of those present now."""
        return any(until >= key.last_day for until, _trainees in self._versions.get(offering_id, ()))

    def people_of(self, key: CountKey) -> set[int]:
        """The part of the people that counts in the number as former trainees of some offering."""
        counted: set[int] = set()
        for number, versions in self._versions.items():
            if key in self._keys[number]:
                trainees = next((trainees for until, trainees in versions if until >= key.last_day), set())
                counted |= trainees & self._people
        return counted


def as_array(numbers: Collection[int]) -> ColumnElement[Any]:
    """The numbers as one array parameter, so that the statement is the same for any count of them."""
    return bindparam(None, list(numbers), type_=ARRAY(BigInteger))


def recomputed_counts(db: Session) -> dict[CountKey, int]:
    """Compute every number of people from the participations, in one pass over the offerings in the order of time.

    For each programme, district and the branch an array of one byte for each trainee holds the year in which the
    trainee was last present there, as 1, 2, … After the offerings of a year, the bytes with its number are its people;
    after all offerings, the bytes that are not 0 are the people of all time. DISTINCT in the database took ten times as
    long over ten years. With four million trainees an array has 4 MB, and there are some twenty.
    """
    import numpy as np  # noqa: PLC0415  # 30 MB, loaded only by a process that counts people

    largest = db.scalar(select(func.max(Enrolment.trainee_id))) or 0
    counts: dict[CountKey, int] = {}
    last_year: dict[tuple[str, int], NDArray[uint8]] = defaultdict(lambda: np.zeros(largest + 1, np.uint8))
    month = cast(func.date_trunc("month", PersonTimeEntry.dated_on), Date).label("month")
    participations = (
        select(month, Course.programme_code, Offering.district_id, trainee_ids.packed())
        .join(Participation, Participation.offering_id == PersonTimeEntry.offering_id)
        .join(Offering, Offering.id == PersonTimeEntry.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING)
        .group_by(month, Course.programme_code, Offering.district_id)
        .order_by(month)
    )
    for number, (year, of_year) in enumerate(
        groupby(binary.rows(db, participations), key=lambda row: f"{row[0]:%Y}"), 1
    ):
        places_of_year: set[tuple[str, int]] = set()
        for period, of_month in groupby(of_year, key=lambda row: f"{row[0]:%Y-%m}"):
            people_of_month: list[TraineeIds] = []
            for _month, programme, district, joined in of_month:
                people = trainee_ids.unpack(joined)
                people_of_month.append(people)
                for place in ((programme, 0), ("", district)):
                    last_year[place][people] = number
                    places_of_year.add(place)
                last_year["", 0][people] = number
            counts[CountKey("", 0, period)] = trainee_ids.count_distinct(people_of_month)
        for place in (*places_of_year, ("", 0)):
            counts[CountKey(*place, year)] = int(np.count_nonzero(last_year[place] == number))
    counts |= {CountKey(*place, ""): int(np.count_nonzero(years)) for place, years in last_year.items()}
    for period in sorted(_changed_periods(db)):
        counts |= _reported_counts(db, period)
    return counts


def _changed_periods(db: Session) -> set[str]:
    """The months and years whose numbers count former trainees."""
    former = (
        select(PersonTimeEntry.dated_on, func.max(FormerParticipation.until))
        .join(FormerParticipation, FormerParticipation.offering_id == PersonTimeEntry.offering_id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING)
        .group_by(PersonTimeEntry.dated_on)
    )
    return {key.period for day, until in db.execute(former) for key in count_keys("", 0, day) if key.last_day <= until}


def _reported_counts(db: Session, period: str) -> dict[CountKey, int]:
    """Compute the numbers of a month or a year as they were reported, each zero of its places included."""
    last_day = CountKey("", 0, period).last_day
    former = former_at(last_day)
    rows = (
        closings()
        .with_only_columns(
            Course.programme_code,
            Offering.district_id,
            trainee_ids.packed(func.coalesce(former.c.trainees, Participation.trainees)),
        )
        .join(Participation, Participation.offering_id == Offering.id)
        .outerjoin(former, former.c.offering_id == Offering.id)
        .where(
            PersonTimeEntry.dated_on.between(
                date(last_day.year, 1, 1) if len(period) == 4 else last_day.replace(day=1), last_day
            )
        )
        .group_by(Course.programme_code, Offering.district_id)
    )
    pieces: dict[tuple[str, int], list[TraineeIds]] = defaultdict(list)
    for programme, district, joined in binary.rows(db, rows):
        places = {("", 0)} if len(period) > 4 else {(programme, 0), ("", district), ("", 0)}
        for place in places:
            pieces[place].append(trainee_ids.unpack(joined))
    return {CountKey(*place, period): trainee_ids.count_distinct(sets) for place, sets in pieces.items()}


def rebuild_counts(db: Session) -> None:
    """Compute and store every number of people again, after participations were written other than by `update`."""
    lock(db)
    db.execute(delete(PeopleCount))
    rows = [
        {"programme_code": key.programme, "district_id": key.district, "period": key.period, "people": people}
        for key, people in recomputed_counts(db).items()
    ]
    if rows:
        db.execute(insert(PeopleCount), rows)


def forget_zeros(db: Session) -> None:
    """Delete the numbers that fell to nothing, so that they are as if nobody had been counted in them. Call `lock` first."""
    db.execute(delete(PeopleCount).where(PeopleCount.people == 0))


def stored_counts(db: Session) -> dict[CountKey, int]:
    """Return every stored number of people."""
    return {
        CountKey(programme, district, period): people for programme, district, period, people in db.execute(_COUNTS)
    }
