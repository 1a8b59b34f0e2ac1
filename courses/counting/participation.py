"""Who took part in what was counted, and how many people that makes by month, year, programme and district.

People do not add up: somebody who came in March and in May is one person of the year. So the numbers are kept where they
are asked for most, exactly, when an offering closes or is corrected; `courses.counting.recount` proves them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.rollups import Participation, PeopleCount
from lms.core import binary

# Whoever counts people waits for whoever does so already: both would take the same newcomer for theirs.
_LOCK = 0x70656F706C65
if TYPE_CHECKING:
    from numpy import uint32
    from numpy.typing import NDArray

    Ids = NDArray[uint32]

_KEPT = select(PeopleCount.programme_code, PeopleCount.district_id, PeopleCount.period, PeopleCount.people)
TOGETHER = 16_384  # offerings whose people come in one piece: some 8 MB
MEMORY = "64MB"  # ten years' pieces while they are gathered
CROWDED = 16  # an id in so many and more: counted by a byte an id, not by sorting


class Level(NamedTuple):
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


def packed() -> ColumnElement[Any]:
    """The ids of offerings in one piece of bytes, an aggregate: twelve bytes each, a length and a value, as PostgreSQL sends them.

    Taken apart by numpy without an object a person. What stands before the ids of an array goes: 20 bytes, 12 of an empty one.
    """
    return func.string_agg(func.substr(func.array_send(Participation.trainees), 21), literal(b""))


def ids(sent: bytes) -> "Ids":
    """The ids of a `packed` piece. Raises OverflowError for an id beyond four bytes."""
    import numpy as np  # noqa: PLC0415  # 30 MB that only a process needs that counts people

    words = np.frombuffer(sent, np.dtype([("length", ">i4"), ("high", ">u4"), ("low", ">u4")]))
    if words["high"].any():
        raise OverflowError("a trainee's id is beyond four bytes")
    return words["low"].astype(np.uint32)


def pieces(db: Session, took_part: Select[*tuple[Any, ...]]) -> Iterator[tuple[Any, "Ids"]]:
    """The rows of a SELECT of a key and a `packed` piece, the ids unpacked; one row in memory."""
    # Sorted in memory by one process, which leaves the others theirs; three would sort on disk.
    db.execute(text(f"SET LOCAL work_mem = '{MEMORY}'"))
    for key, sent in binary.rows(db, took_part):
        yield key, ids(sent)


def distinct(people: "Sequence[Ids]") -> int:
    """How many different ids pieces hold: by sorting when they are few among all, else by a byte an id."""
    import numpy as np  # noqa: PLC0415

    most = max((int(some.max()) for some in people if some.size), default=0)
    if sum(some.size for some in people) * CROWDED < most:
        return int(np.unique(np.concatenate(people)).size)
    seen = np.zeros(most + 1, np.bool_)
    for some in people:
        seen[some] = True
    return int(np.count_nonzero(seen))


def attending(people: "Iterable[Ids]") -> "NDArray[uint32]":
    """How often each id comes, at its place."""
    import numpy as np  # noqa: PLC0415

    times = np.zeros(1, np.uint32)
    for some in people:
        counted = np.bincount(some).astype(np.uint32)
        if counted.size > times.size:
            times, counted = counted, times
        times[: counted.size] += counted
    return times


def recounted(db: Session) -> dict[Level, int]:
    """Every kept number, counted anew from who took part, in one pass over the offerings in the order of time.

    For each place a byte a trainee says in which year the person was last seen there: after a year's offerings, as many bytes
    have its sign as people came in it, and after all, as many have any sign as ever came. The database's own DISTINCT took
    ten times as long over ten years. At four million trainees a row of bytes is 4 MB, and there are some twenty.
    """
    import numpy as np  # noqa: PLC0415

    most = db.scalar(select(func.max(Enrolment.trainee_id))) or 0
    found: dict[Level, int] = {}
    ever: dict[tuple[str, int], NDArray[np.uint8]] = defaultdict(lambda: np.zeros(most + 1, np.uint8))
    month = cast(func.date_trunc("month", PersonTimeEntry.dated_on), Date).label("month")
    held = (
        select(month, Course.programme_code, Offering.district_id, packed())
        .join(Participation, Participation.offering_id == PersonTimeEntry.offering_id)
        .join(Offering, Offering.id == PersonTimeEntry.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING)
        .group_by(month, Course.programme_code, Offering.district_id)
        .order_by(month)
    )
    for sign, (year, of_year) in enumerate(groupby(binary.rows(db, held), key=lambda row: f"{row[0]:%Y}"), 1):
        came: set[tuple[str, int]] = set()
        for period, of_month in groupby(of_year, key=lambda row: f"{row[0]:%Y-%m}"):
            everybody: list[Ids] = []
            for _month, programme, district, sent in of_month:
                people = ids(sent)
                everybody.append(people)
                for place in ((programme, 0), ("", district)):
                    ever[place][people] = sign
                    came.add(place)
                ever["", 0][people] = sign
            found[Level("", 0, period)] = distinct(everybody)
        for place in (*came, ("", 0)):
            found[Level(*place, year)] = int(np.count_nonzero(ever[place] == sign))
    return found | {Level(*place, ""): int(np.count_nonzero(marks)) for place, marks in ever.items()}


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


def kept(db: Session) -> dict[Level, int]:
    """Every kept number."""
    return {Level(programme, district, period): people for programme, district, period, people in db.execute(_KEPT)}
