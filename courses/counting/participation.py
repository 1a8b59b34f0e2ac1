"""Participation: the trainees present at each counted offering, and the numbers of distinct people that follow from it.

Distinct people do not add up: a trainee who came in March and in May is one person of the year. Therefore the numbers
that are asked for most are stored: by month, year, programme and district. They are exact, and updated when an offering
closes or is corrected; `courses.counting.recount` compares them with the attendances.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Date, Select, any_, bindparam, cast, delete, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from courses.counting import trainee_ids
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.rollups import Participation, PeopleCount
from lms.core import binary

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

    The closing line of the offering must be in the ledger: its date decides in which periods the people count.
    """
    db.flush()
    lock(db)
    stored = db.scalar(select(Participation.trainees).where(Participation.offering_id == offering_id))
    before, now = set(stored or ()), set(db.scalars(_present(Enrolment.offering_id == offering_id)))
    if stored is not None and before == now:
        return
    _count(db, offering_id, now - before, +1)
    _count(db, offering_id, before - now, -1)
    statement = insert(Participation).values(offering_id=offering_id, trainees=sorted(now))
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[Participation.offering_id], set_={"trainees": statement.excluded.trainees}
        )
    )


def _present(condition: ColumnElement[bool]) -> Select[int]:
    return select(Enrolment.trainee_id).where(
        condition, select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    )


def _count(db: Session, offering_id: int, people: Collection[int], sign: int) -> None:
    """Add to each number the people who are new to it through this offering; with sign -1, subtract those it loses."""
    if not people:
        return
    closings = (
        select(Course.programme_code, Offering.district_id, PersonTimeEntry.dated_on)
        .select_from(Offering)
        .join(Course, Course.id == Offering.course_id)
        .join(PersonTimeEntry, PersonTimeEntry.offering_id == Offering.id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING)
    )
    keys = count_keys(*db.execute(closings.where(Offering.id == offering_id)).one())
    elsewhere = closings.add_columns(Enrolment.trainee_id).join(Enrolment, Enrolment.offering_id == Offering.id)
    is_present = select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    counted_elsewhere: dict[CountKey, set[int]] = {key: set() for key in keys}
    for programme, district, day, trainee in db.execute(
        elsewhere.where(Enrolment.trainee_id == any_(_array(people)), Offering.id != offering_id, is_present)
    ):
        for key in count_keys(programme, district, day) & keys:
            counted_elsewhere[key].add(trainee)
    rows = [
        {"programme_code": key.programme, "district_id": key.district, "period": key.period,
         "people": sign * (len(people) - len(counted_elsewhere[key]))}
        for key in sorted(keys)
    ]  # fmt: skip
    _add(db, rows)


def _add(db: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add to stored numbers of people; `people` of a row is a difference."""
    statement = insert(PeopleCount).values(rows)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[PeopleCount.programme_code, PeopleCount.district_id, PeopleCount.period],
            set_={"people": PeopleCount.people + statement.excluded.people},
        )
    )


def follow(db: Session, people: Collection[int], move: Callable[[], Collection[int]]) -> None:
    """Let enrolments pass between people, and bring participation and the numbers of people to what holds afterwards.

    move: changes the `trainee_id` of enrolments of these people, and returns the ids of their offerings. Person-times stay
    as they are: the caller has made sure that nobody attended one offering with two enrolments of these people.
    """
    db.flush()
    lock(db)
    before = _counted_in(db, people)
    offering_ids = move()
    db.flush()
    db.execute(_PARTICIPANTS_AGAIN, {"offerings": sorted(offering_ids)})
    changes = _counted_in(db, people)
    changes.subtract(before)
    rows = [
        {"programme_code": key.programme, "district_id": key.district, "period": key.period, "people": number}
        for key, number in sorted(changes.items())
        if number
    ]
    if rows:
        _add(db, rows)
    forget_zeros(db)


_PARTICIPANTS_AGAIN = text(
    "UPDATE participation SET trainees = ARRAY(SELECT DISTINCT enrolment.trainee_id FROM enrolment"
    " WHERE enrolment.offering_id = participation.offering_id AND EXISTS"
    " (SELECT FROM attendance WHERE attendance.enrolment_id = enrolment.id) ORDER BY 1)"
    " WHERE participation.offering_id = ANY (CAST(:offerings AS bigint[]))"
)


def _counted_in(db: Session, people: Collection[int]) -> Counter[CountKey]:
    """Return in which numbers these people count, and how many of them in each."""
    is_present = select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    rows = db.execute(
        select(Enrolment.trainee_id, Course.programme_code, Offering.district_id, PersonTimeEntry.dated_on)
        .select_from(Enrolment)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(PersonTimeEntry, PersonTimeEntry.offering_id == Offering.id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING, Enrolment.trainee_id == any_(_array(people)), is_present)
    )
    keys: dict[int, set[CountKey]] = defaultdict(set)
    for trainee, programme, district, day in rows:
        keys[trainee] |= count_keys(programme, district, day)
    return Counter(key for of_person in keys.values() for key in of_person)


def _array(numbers: Collection[int]) -> ColumnElement[Any]:
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
    return counts | {CountKey(*place, ""): int(np.count_nonzero(years)) for place, years in last_year.items()}


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
