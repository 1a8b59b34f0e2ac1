"""Who took part in what was counted, and how many people that makes by month, year, programme and district.

People do not add up: somebody who came in March and in May is one person of the year. So the numbers are kept where they
are asked for most, exactly, when an offering closes or is corrected; `courses.recount` proves them.
"""

import sys
from array import array
from collections import defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from itertools import groupby, repeat
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, LargeBinary, Select, Subquery, any_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.kept import Participation, PeopleCount
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry

# Whoever counts people waits for whoever does so already: both would take the same newcomer for theirs.
_LOCK = 0x70656F706C65
BATCH = 2_000  # offerings fetched at a time
FEW = 200_000  # ids that a set takes in no time


@dataclass(frozen=True, order=True)
class Level:
    """One kept number: of a programme, of a district or of the branch, in a month, a year or all time."""

    programme: str
    district: int
    period: str


def levels(programme: str, district: int, day: date) -> set[Level]:
    """The numbers that somebody's participation belongs to."""
    places = ((programme, 0), ("", district), ("", 0))
    each = {Level(code, number, period) for code, number in places for period in (f"{day:%Y}", "")}
    return each | {Level("", 0, f"{day:%Y-%m}")}


def hold(db: Session) -> None:
    """Let nobody else count people until this unit of work ends."""
    db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def follow(db: Session, offering_id: int) -> None:
    """Bring what is kept about an offering's people to what its attendances say. Its closing line must be written."""
    db.flush()
    hold(db)
    noted = db.scalar(select(Participation.trainees).where(Participation.offering_id == offering_id))
    before, now = set(noted or ()), set(db.scalars(_present(Enrolment.offering_id == offering_id)))
    if noted is not None and before == now:
        return
    _count(db, offering_id, now - before, +1)
    _count(db, offering_id, before - now, -1)
    statement = insert(Participation).values(offering_id=offering_id, trainees=sorted(now))
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[Participation.offering_id], set_={"trainees": statement.excluded.trainees}
        )
    )


def _present(which: ColumnElement[bool]) -> Select[int]:
    return select(Enrolment.trainee_id).where(
        which, select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    )


def _count(db: Session, offering_id: int, people: Collection[int], sign: int) -> None:
    """Add those who come new to each number (or leave it for good) through this offering."""
    if not people:
        return
    counted = (
        select(Course.programme_code, Offering.district_id, PersonTimeEntry.dated_on)
        .select_from(Offering)
        .join(Course, Course.id == Offering.course_id)
        .join(PersonTimeEntry, PersonTimeEntry.offering_id == Offering.id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING)
    )
    mine = levels(*db.execute(counted.where(Offering.id == offering_id)).one())
    elsewhere = counted.add_columns(Enrolment.trainee_id).join(Enrolment, Enrolment.offering_id == Offering.id)
    there = select(Attendance.enrolment_id).where(Attendance.enrolment_id == Enrolment.id).exists()
    known: dict[Level, set[int]] = {level: set() for level in mine}
    for programme, district, day, trainee in db.execute(
        elsewhere.where(Enrolment.trainee_id == any_(_list(people)), Offering.id != offering_id, there)
    ):
        for level in levels(programme, district, day) & mine:
            known[level].add(trainee)
    rows = [
        {"programme_code": level.programme, "district_id": level.district, "period": level.period,
         "people": sign * (len(people) - len(known[level]))}
        for level in sorted(mine)
    ]  # fmt: skip
    statement = insert(PeopleCount).values(rows)
    key = [PeopleCount.programme_code, PeopleCount.district_id, PeopleCount.period]
    db.execute(
        statement.on_conflict_do_update(
            index_elements=key, set_={"people": PeopleCount.people + statement.excluded.people}
        )
    )


def _list(numbers: Collection[int]) -> ColumnElement[Any]:
    """Numbers as one array parameter, however many they are."""
    return bindparam(None, list(numbers), type_=ARRAY(BigInteger))


def ids(sent: bytes) -> "array[int]":
    """The ids of a bigint[] as `array_send` gives it: 20 bytes of head (12 when empty), then for each its length and value.

    Taken apart in words of four bytes, without an object a person: ten times as fast as reading a list. Raises OverflowError
    for an id beyond four bytes.
    """
    words = array("I", sent[20:])
    if sys.byteorder == "little":
        words.byteswap()
    if words[1::3].tobytes().strip(b"\0"):
        raise OverflowError("a trainee's id is beyond four bytes")
    return words[2::3]


def mark(seen: bytearray, people: "array[int]", sign: int) -> None:
    """Write a sign (1–255) at the place of each id."""
    deque(map(seen.__setitem__, people, repeat(sign)), maxlen=0)


def distinct(people: "array[int]") -> int:
    """How many different ids there are: by a set when they are few, else by a byte an id, which is a tenth of its memory."""
    if len(people) < FEW:
        return len(set(people))
    seen = bytearray(max(people) + 1)
    for start in range(0, len(people), FEW):
        mark(seen, people[start : start + FEW], 1)
    return seen.count(1)


def recounted(db: Session) -> dict[Level, int]:
    """Every kept number, counted anew from who took part, in one pass over the offerings in the order of time.

    For each place a byte a trainee says in which year the person was last seen there: after a year's offerings, as many bytes
    have its sign as people came in it, and after all, as many have any sign as ever came. The database's own DISTINCT took
    ten times as long over ten years. At four million trainees a row of bytes is 4 MB, and there are some twenty.
    """
    most = db.scalar(select(func.max(Enrolment.trainee_id))) or 0
    found: dict[Level, int] = {}
    ever: dict[tuple[str, int], bytearray] = defaultdict(lambda: bytearray(most + 1))
    held = (
        select(
            PersonTimeEntry.dated_on,
            Course.programme_code,
            Offering.district_id,
            func.array_send(Participation.trainees, type_=LargeBinary),
        )
        .join(Participation, Participation.offering_id == PersonTimeEntry.offering_id)
        .join(Offering, Offering.id == PersonTimeEntry.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING)
        .order_by(PersonTimeEntry.dated_on)
        .execution_options(yield_per=BATCH)
    )
    for sign, (year, of_year) in enumerate(groupby(db.execute(held), key=lambda row: f"{row.dated_on:%Y}"), 1):
        came: set[tuple[str, int]] = set()
        for period, of_month in groupby(of_year, key=lambda row: f"{row.dated_on:%Y-%m}"):
            places: dict[tuple[str, int], array[int]] = defaultdict(lambda: array("I"))
            for _day, programme, district, sent in of_month:
                people = ids(sent)
                for place in ((programme, 0), ("", district), ("", 0)):
                    places[place].extend(people)
            found[Level("", 0, period)] = distinct(places["", 0])
            for place, there in places.items():
                mark(ever[place], there, sign)
            came |= places.keys()
        for place in came:
            found[Level(*place, year)] = ever[place].count(sign)
    return found | {Level(*place, ""): most + 1 - marks.count(0) for place, marks in ever.items()}


def rebuild_counts(db: Session) -> None:
    """Set every kept number anew, after participations came in by other ways than closing."""
    db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    db.execute(delete(PeopleCount))
    rows = [
        {"programme_code": level.programme, "district_id": level.district, "period": level.period, "people": people}
        for level, people in recounted(db).items()
    ]
    if rows:
        db.execute(insert(PeopleCount), rows)


def distinct_of(offerings: Subquery) -> Select[int]:
    """How many people took part in offerings, given as a subquery with `offering_id`."""
    each = (
        select(func.unnest(Participation.trainees).label("trainee_id"))
        .join(offerings, offerings.c.offering_id == Participation.offering_id)
        .subquery("each")
    )
    people = select(each.c.trainee_id).distinct().subquery("people")
    return select(func.count()).select_from(people)


def kept(db: Session) -> dict[Level, int]:
    """Every kept number."""
    rows = db.execute(
        select(PeopleCount.programme_code, PeopleCount.district_id, PeopleCount.period, PeopleCount.people)
    )
    return {Level(programme, district, period): people for programme, district, period, people in rows}
