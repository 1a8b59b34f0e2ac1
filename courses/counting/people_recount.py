"""The recount of distinct people: by marking each trainee, and by the copy of the ledger in memory that reports ask.

Both count the same numbers in different ways, from the participations that `courses.counting.recount` has compared with
the attendances. Only `flask person-time check` loads this module.
"""

from collections import defaultdict
from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Date, Select, cast, func, select
from sqlalchemy.orm import Session

from courses.counting import ledger_copy, trainee_ids
from courses.counting.ledger_columns import CLOSING, FIRST_DAY, LedgerColumns
from courses.counting.participants import NO_DAY, NOBODY, Ints
from courses.counting.participation import former_at
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.rollups import FormerParticipation, Participation
from lms.core import binary


class CountKey(NamedTuple):
    """The key of a number of people: a programme, a district or the branch, and a month, a year or all time.

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
            people_of_month: list[NDArray[np.uint32]] = []
            for _month, programme, district, joined in of_month:
                people = trainee_ids.unpack(joined)
                people_of_month.append(people)
                for place in ((programme, 0), ("", district)):
                    last_year[place][people] = number
                    places_of_year.add(place)
                last_year["", 0][people] = number
            counts[CountKey("", 0, period)] = np.unique(np.concatenate(people_of_month)).size
        for place in (*places_of_year, ("", 0)):
            counts[CountKey(*place, year)] = int(np.count_nonzero(last_year[place] == number))
    counts |= {CountKey(*place, ""): int(np.count_nonzero(years)) for place, years in last_year.items()}
    for period in sorted(_changed_periods(db)):
        counts |= _reported_counts(db, period)
    return counts


def _closings() -> Select[str, int, date]:
    return (
        select(Course.programme_code, Offering.district_id, PersonTimeEntry.dated_on)
        .select_from(Offering)
        .join(Course, Course.id == Offering.course_id)
        .join(PersonTimeEntry, PersonTimeEntry.offering_id == Offering.id)
        .where(PersonTimeEntry.kind == EntryKind.CLOSING)
    )


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
        _closings()
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
    pieces: dict[tuple[str, int], list[NDArray[np.uint32]]] = defaultdict(list)
    for programme, district, joined in binary.rows(db, rows):
        places = {("", 0)} if len(period) > 4 else {(programme, 0), ("", district), ("", 0)}
        for place in places:
            pieces[place].append(trainee_ids.unpack(joined))
    return {CountKey(*place, period): trainee_ids.count_distinct(sets) for place, sets in pieces.items()}


def by_copy(db: Session) -> dict[CountKey, int]:
    """Count the same numbers by the copy of the ledger in memory, as reports do."""
    columns = ledger_copy.current(db)
    programmes = {course: programme for course, programme in db.execute(select(Course.id, Course.programme_code))}
    closings = np.flatnonzero(columns.lines.kind == CLOSING)
    place = columns.lines.offering[closings]
    months = (np.datetime64(FIRST_DAY) + columns.lines.day[closings].astype("m8[D]")).astype("M8[M]")
    month, year = months.astype(np.int64), months.astype("M8[Y]").astype(np.int64)
    month_ends, year_ends = _last_days(months), _last_days(months.astype("M8[Y]"))
    district = columns.offerings.district[place]
    programme = np.array([programmes[course] for course in columns.offerings.course[place].tolist()])
    places = {("", 0): np.ones(place.size, np.bool_)}
    places |= {(str(code), 0): programme == code for code in np.unique(programme)}
    places |= {("", int(number)): district == number for number in np.unique(district)}
    counts: dict[CountKey, int] = {}
    for (code, number), inside in places.items():
        by_year = _counted(columns, place[inside], year[inside], year_ends[inside])
        counts |= {CountKey(code, number, f"{1970 + of_year:04d}"): people for of_year, people in by_year.items()}
        ever = _counted(columns, place[inside], year[inside] * 0, year_ends[inside] * 0 + NO_DAY)
        counts[CountKey(code, number, "")] = sum(ever.values())
    by_month = _counted(columns, place, month, month_ends)
    return counts | {
        CountKey("", 0, f"{1970 + number // 12:04d}-{number % 12 + 1:02d}"): people
        for number, people in by_month.items()
    }


def _last_days(periods: NDArray[Any]) -> Ints:
    return ((periods + 1).astype("M8[D]") - np.datetime64(FIRST_DAY)).astype(np.int32) - 1


def _counted(columns: LedgerColumns, place: Ints, period: NDArray[np.int64], last_day: Ints) -> dict[int, int]:
    """The people of each period that has an offering. place, period, last_day: of each closing."""
    if not place.size:
        return {}
    first = int(period.min())
    group_of = np.full(columns.places, NOBODY, np.int32)
    group_of[columns.reported(place, last_day)] = period - first
    groups = columns.count_people(group_of, int(period.max()) - first + 1).groups
    return {int(number): int(groups[number - first]) for number in np.unique(period)}
