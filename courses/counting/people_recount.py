"""The recount of distinct people: by marking each trainee, and by the copy of the ledger in memory that reports ask.

Both count the same numbers in different ways, from the participations that `courses.counting.recount` has compared with
the attendances. Only `flask person-time check` loads this module.
"""

from collections import defaultdict
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Date, cast, func, select
from sqlalchemy.orm import Session

from courses.counting import ledger_copy, participants
from courses.counting.ledger_columns import CLOSING, FIRST_DAY, LedgerColumns
from courses.counting.participants import NOBODY, Ints
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.rollups import Participation
from lms.core import binary


class CountKey(NamedTuple):
    """The key of a number of people: a programme, a district or the branch, and a month, a year or all time.

    programme "" and district 0 stand for all; period is "2017-03" (for the branch only), "2017", or "" for all time.
    """

    programme: str
    district: int
    period: str


def by_marking(db: Session) -> dict[CountKey, int]:
    """Compute every number of people from the participations, in one pass over the offerings in the order of time.

    For each programme, district and the branch an array of one byte for each trainee holds the year in which the
    trainee was last present there, as 1, 2, … After the offerings of a year, the bytes with its number are its people;
    after all offerings, the bytes that are not 0 are the people of all time. DISTINCT in the database took ten times as
    long over ten years. With four million trainees an array has 4 MB, and there are some twenty.
    """
    largest = db.scalar(select(func.max(Enrolment.trainee_id))) or 0
    counts: dict[CountKey, int] = {}
    last_year: dict[tuple[str, int], NDArray[np.uint8]] = defaultdict(lambda: np.zeros(largest + 1, np.uint8))
    month = cast(func.date_trunc("month", PersonTimeEntry.dated_on), Date).label("month")
    participations = (
        select(month, Course.programme_code, Offering.district_id, participants.packed())
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
            people_of_month: list[Ints] = []
            for _month, programme, district, joined in of_month:
                people = participants.unpack(joined)
                people_of_month.append(people)
                for place in ((programme, 0), ("", district)):
                    last_year[place][people] = number
                    places_of_year.add(place)
                last_year["", 0][people] = number
            counts[CountKey("", 0, period)] = np.unique(np.concatenate(people_of_month)).size
        for place in (*places_of_year, ("", 0)):
            counts[CountKey(*place, year)] = int(np.count_nonzero(last_year[place] == number))
    return counts | {CountKey(*place, ""): int(np.count_nonzero(years)) for place, years in last_year.items()}


def by_copy(db: Session) -> dict[CountKey, int]:
    """Count the same numbers by the copy of the ledger in memory, as reports do."""
    columns = ledger_copy.current(db)
    programmes = {course: programme for course, programme in db.execute(select(Course.id, Course.programme_code))}
    closings = np.flatnonzero(columns.lines.kind == CLOSING)
    place = columns.lines.offering[closings]
    months = (np.datetime64(FIRST_DAY) + columns.lines.day[closings].astype("m8[D]")).astype("M8[M]").astype(np.int64)
    district = columns.offerings.district[place]
    programme = np.array([programmes[course] for course in columns.offerings.course[place].tolist()])
    everywhere = np.ones(place.size, np.bool_)
    places = {("", 0): everywhere}
    places |= {(str(code), 0): programme == code for code in np.unique(programme)}
    places |= {("", int(number)): district == number for number in np.unique(district)}
    counts: dict[CountKey, int] = {}
    for (code, number), inside in places.items():
        by_year = _counted(columns, place[inside], months[inside] // 12)
        counts |= {CountKey(code, number, f"{1970 + year:04d}"): people for year, people in by_year.items()}
        counts[CountKey(code, number, "")] = sum(_counted(columns, place[inside], months[inside] * 0).values())
    by_month = _counted(columns, place, months)
    return counts | {
        CountKey("", 0, f"{1970 + month // 12:04d}-{month % 12 + 1:02d}"): people for month, people in by_month.items()
    }


def _counted(columns: LedgerColumns, place: Ints, period: NDArray[np.int64]) -> dict[int, int]:
    """The people of each period that has an offering. place, period: of each closing."""
    if not place.size:
        return {}
    first = int(period.min())
    group_of = np.full(columns.offerings.id.size, NOBODY, np.int32)
    group_of[place] = period - first
    groups = columns.count_people(group_of, int(period.max()) - first + 1).groups
    return {int(number): int(groups[number - first]) for number in np.unique(period)}
