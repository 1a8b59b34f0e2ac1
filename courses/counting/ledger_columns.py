"""The ledger and its participants as columns in memory: numpy's arrays, which answer any question of a report.

The ledger of ten years is 170,000 lines and five million participations: 50 MB. A sum over all of them takes numpy some
milliseconds, whatever the filters are; PostgreSQL takes a third of a second to join and group them.

A line never changes. What a line says of its offering (course, host, district, lead instructor, sessions) cannot change
once the offering has lines; only its day can, and then a line is written with it. Participants change with a correction
or a merge, and `Participation.changed_in` tells when.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from courses.counting import participants
from courses.counting.participants import NO_DAY, DistinctPeople, Ints, Longs, Participants, Stretches
from lms.core import binary

FIGURES = ("enrolled", "named", "counted", "minutes", "passed", "certificates")
CLOSING, WITHDRAWAL = 1, 2  # the kinds of lines; 0 stands for all others
FIRST_DAY = date(2000, 1, 1)  # PostgreSQL counts days and microseconds from here

NEVER = -(2**31)  # a day before all days
REMEMBERED = 64

_OF_LINE = {
    "number": "i8", "offering_id": "i8", "recorded_at": "i8", "day": "i4", "kind": "i4", "late": "u1",
    **dict.fromkeys(FIGURES, "i4"),
}  # fmt: skip
_LINES = """
SELECT transaction_number, offering_id, recorded_at, dated_on,
    CASE kind WHEN 'closing' THEN 1 WHEN 'withdrawal' THEN 2 ELSE 0 END, late,
    enrolled::integer, named::integer, counted::integer, minutes::integer, passed::integer, certificates::integer
FROM person_time_entry WHERE transaction_number >= %(since)s ORDER BY transaction_number
"""
_OF_OFFERING = {
    "id": "i8", "course": "i8", "organisation": "i8", "district": "i2", "lead": "i8", "day": "i4", "sessions": "i8",
}  # fmt: skip
_OFFERINGS = """
SELECT offering.id, course_id, organisation_id, district_id, coalesce(lead_instructor_id, 0),
    coalesce(counted_on - %(first_day)s, %(no_day)s), coalesce(meetings.number, 0)
FROM offering
LEFT JOIN (SELECT offering_id, count(*) AS number FROM course_session {of_session} GROUP BY offering_id) AS meetings
    ON meetings.offering_id = offering.id
WHERE {of_offering} ORDER BY offering.id
"""
_DAYS = {"first_day": FIRST_DAY, "no_day": NO_DAY}
_EVERY_OFFERING = _OFFERINGS.format(
    of_session="", of_offering="EXISTS (SELECT FROM person_time_entry AS line WHERE line.offering_id = offering.id)"
)
_SOME_OFFERINGS = _OFFERINGS.format(
    of_session="WHERE offering_id = ANY (%(ids)s)", of_offering="offering.id = ANY (%(ids)s)"
)
_CHANGED = """
SELECT offering_id FROM participation WHERE changed_in >= %(since)s
UNION SELECT offering_id FROM former_participation WHERE changed_in >= %(since)s
"""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of the ledger by the number of their transaction.

    offering: the place of the offering in `Offerings`. day: since FIRST_DAY. recorded_at: microseconds since then.
    """

    number: Longs
    offering: Ints
    recorded_at: Longs
    day: Ints
    kind: NDArray[np.int8]
    late: NDArray[np.bool_]
    figures: Mapping[str, Ints]


@dataclass(frozen=True, slots=True)
class Offerings:
    """The offerings that have lines.

    lead: 0 for none. day: NO_DAY for an offering that is not counted; it sorts last, as PostgreSQL's NULL does. sessions:
    how many. changed: the number of the transaction that wrote the participation.
    """

    id: Longs
    course: Ints
    organisation: Ints
    district: Ints
    lead: Ints
    day: Ints
    sessions: Ints
    changed: Longs


@dataclass(frozen=True, slots=True)
class Former:
    """The former people of offerings (`courses.models.rollups.FormerParticipation`).

    offering: the place of the offering. until: the last day on which a period may end that counts these people; NEVER
    where they are not to be seen.
    """

    offering: Ints
    until: Ints


@dataclass(frozen=True, slots=True)
class LedgerColumns:
    """The ledger in memory. Nothing in it is ever altered: `followed` makes a new one.

    horizon: the transactions before this number were finished when the columns were read. answers: the numbers of people
    that were asked for last, by a digest of what was counted.
    """

    lines: Lines
    offerings: Offerings
    participants: Participants
    former: Former
    horizon: int
    answers: "OrderedDict[bytes, DistinctPeople]" = field(default_factory=OrderedDict, compare=False)

    @property
    def places(self) -> int:
        """How many places `count_people` needs a group for: one for each offering, then those of former people."""
        return self.offerings.id.size + self.former.offering.size

    def reported(self, offering: Ints, last_day: Ints) -> Ints:
        """The places of the people of offerings, for periods that end on these days: former people where reported.

        Places of former people are counted from the end: -1 is that of the first of `former`.
        """
        former = self.former
        if not former.offering.size:
            return offering
        ends = np.full(self.offerings.id.size, NO_DAY, np.int32)
        ends[offering] = last_day
        place = np.arange(self.offerings.id.size, dtype=np.int32)
        order = np.argsort(former.until)[::-1]  # of several that count, the one of the earliest day is written last
        order = order[ends[former.offering[order]] <= former.until[order]]
        place[former.offering[order]] = -1 - order
        return place[offering]

    def count_people(self, group_of: Ints, groups: int) -> DistinctPeople:
        """Count the distinct people of each group, as `participants.count` does, and remember the last answers."""
        key = blake2b(np.append(group_of, groups).tobytes()).digest()
        answer = self.answers.get(key)
        if answer is None:
            answer = self.answers[key] = participants.count(self.participants, group_of, groups)
            while len(self.answers) > REMEMBERED:
                self.answers.popitem(last=False)
        return answer

    def holds_from(self, number: int) -> bool:
        """True if a line or a participation is of the transaction `number` or a later one."""
        numbers, changed = self.lines.number, self.offerings.changed
        return bool((numbers.size and numbers[-1] >= number) or (changed.size and changed.max() >= number))


_NO_FORMER = Former(np.zeros(0, np.int32), np.zeros(0, np.int32))


def day_number(day: date) -> int:
    """The number that stands for a day in the columns."""
    return (day - FIRST_DAY).days


def moment_number(moment: datetime) -> int:
    """The number that stands for a moment in the columns."""
    epoch = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
    return (moment - epoch) // timedelta(microseconds=1)


def read(connection: Connection, horizon: int) -> LedgerColumns:
    """Read the whole ledger. connection: whose transaction sees one snapshot, and has `horizon` as its oldest number."""
    driver = connection.connection.driver_connection
    rows = binary.columns(driver, _EVERY_OFFERING, _OF_OFFERING, _DAYS)
    lines = binary.columns(driver, _LINES, _OF_LINE, {"since": 0})
    stretches = participants.read(driver)
    offerings = _with_changed(_offerings(rows), stretches)
    former, place = _placed(_NO_FORMER, offerings, stretches, np.zeros(0, np.int64))
    people = participants.arranged(place, stretches.people, stretches.trainee)
    return LedgerColumns(_lines(lines, offerings.id), offerings, people, former, horizon)


def followed(columns: LedgerColumns, connection: Connection, since: int, horizon: int) -> LedgerColumns:
    """Return the columns with all that transactions from the number `since` on wrote, as this connection sees it.

    What they wrote and the connection does not see is taken out.
    """
    driver = connection.connection.driver_connection
    lines = binary.columns(driver, _LINES, _OF_LINE, {"since": since})
    changed = binary.columns(driver, _CHANGED, {"id": "i8"}, {"since": since})["id"]
    rewritten = columns.offerings.id[columns.offerings.changed >= since]
    ids = np.unique(np.concatenate([lines["offering_id"], changed, rewritten]))
    kept = _first_lines(columns.lines, int(np.searchsorted(columns.lines.number, since)))
    if not ids.size:
        return LedgerColumns(kept, columns.offerings, columns.participants, columns.former, horizon)
    rows = binary.columns(driver, _SOME_OFFERINGS, _OF_OFFERING, {**_DAYS, "ids": ids.tolist()})
    stretches = participants.read(driver, ids).with_nobody_in(ids)
    offerings = _with_changed(_merged(columns.offerings, _offerings(rows)), stretches)
    former, place = _placed(columns.former, offerings, stretches, ids)
    return LedgerColumns(
        lines=_joined_lines(kept, _lines(lines, offerings.id)),
        offerings=offerings,
        participants=participants.replaced(columns.participants, place, stretches.people, stretches.trainee),
        former=former,
        horizon=horizon,
    )


def _offerings(rows: Mapping[str, NDArray[Any]]) -> Offerings:
    size = rows["id"].size
    attributes = {name: rows[name].astype(np.int32) for name in _OF_OFFERING if name != "id"}
    return Offerings(id=rows["id"], changed=np.zeros(size, np.int64), **attributes)


def _merged(offerings: Offerings, fresh: Offerings) -> Offerings:
    """The offerings with the fresh ones in the places of the same ids, and the others behind. No place changes."""
    places = places_of(offerings.id, fresh.id)
    known, added = places >= 0, places < 0
    columns = {}
    for name in Offerings.__slots__:
        column = np.concatenate([getattr(offerings, name), getattr(fresh, name)[added]])
        column[places[known]] = getattr(fresh, name)[known]
        columns[name] = column
    return Offerings(**columns)


def _with_changed(offerings: Offerings, stretches: Stretches) -> Offerings:
    """The offerings with the numbers of the transactions that wrote the stretches."""
    place = places_of(offerings.id, stretches.id)
    counted = place >= 0  # a participation without a line counts nowhere
    changed = offerings.changed.copy()
    changed[np.unique(place[counted])] = 0
    np.maximum.at(changed, place[counted], stretches.changed[counted])
    return replace(offerings, changed=changed)


def _placed(former: Former, offerings: Offerings, stretches: Stretches, ids: Longs) -> tuple[Former, Ints]:
    """The former people with those of the stretches, and the place of each stretch as `Participants` has it.

    ids: the offerings that were read; of these, only the former people that were found are to be seen.
    """
    place = places_of(offerings.id, stretches.id).astype(np.int32)
    until = former.until.copy()
    until[np.isin(former.offering, places_of(offerings.id, ids))] = NEVER
    known = {
        pair: number for number, pair in enumerate(zip(former.offering.tolist(), former.until.tolist(), strict=True))
    }
    added: list[tuple[int, int]] = []
    for number in np.flatnonzero(stretches.until != NO_DAY).tolist():
        pair = int(place[number]), int(stretches.until[number])
        if pair not in known:
            known[pair] = former.offering.size + len(added)
            added.append(pair)
        elif known[pair] < until.size:
            until[known[pair]] = pair[1]
        place[number] = -2 - known[pair]  # -1 is the place of nobody
    more = np.array(added, np.int32).reshape(-1, 2)
    return Former(np.concatenate([former.offering, more[:, 0]]), np.concatenate([until, more[:, 1]])), place


def places_of(ids: Longs, of: Longs) -> Longs:
    """The place in `ids` of each id of `of`, -1 for an id that is not there."""
    if not ids.size:
        return np.full(of.size, -1, np.int64)
    order = np.argsort(ids, kind="stable")
    places = order[np.minimum(np.searchsorted(ids, of, sorter=order), ids.size - 1)]
    return np.where(ids[places] == of, places, -1)


def _lines(rows: Mapping[str, NDArray[Any]], offering_ids: Longs) -> Lines:
    return Lines(
        number=rows["number"],
        offering=places_of(offering_ids, rows["offering_id"]).astype(np.int32),
        recorded_at=rows["recorded_at"],
        day=rows["day"],
        kind=rows["kind"].astype(np.int8),
        late=rows["late"].astype(np.bool_),
        figures={name: rows[name] for name in FIGURES},
    )


def _first_lines(lines: Lines, size: int) -> Lines:
    figures = {name: column[:size] for name, column in lines.figures.items()}
    plain = {name: getattr(lines, name)[:size] for name in Lines.__slots__ if name != "figures"}
    return Lines(**plain, figures=figures)


def _joined_lines(first: Lines, second: Lines) -> Lines:
    figures = {name: np.concatenate([first.figures[name], second.figures[name]]) for name in FIGURES}
    plain = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in Lines.__slots__
        if name != "figures"
    }
    return Lines(**plain, figures=figures)
