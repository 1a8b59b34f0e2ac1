"""The recount: proof that the ledger agrees with attendances and headcounts, and the rollups with the ledger.

`flask person-time check` runs it over every offering.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Select,
    SmallInteger,
    Subquery,
    and_,
    cast,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session, class_mapper, sessionmaker

from courses.counting import participation
from courses.counting.person_time import recounted
from courses.models.catalogue import Course
from courses.models.offerings import Offering, OfferingState
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.rollups import Participation, PersonTimeHost, PersonTimeLead, PersonTimeMonth
from lms.organisations.models import Organisation

FIGURES = ("enrolled", "named", "counted", "minutes", "passed", "certificates")
# The statement timeout of a web request would end a check, which reads everything. Sequential scans are off because the
# planner would read all attendances again for each range; parallel workers are off because CONNECTIONS run already.
SETTINGS = ("statement_timeout = 0", "work_mem = '64MB'", "enable_seqscan = off", "max_parallel_workers_per_gather = 0")
# Each rollup table with the period of a ledger line in it.
ROLLUPS: dict[type[PersonTimeMonth | PersonTimeHost | PersonTimeLead], ColumnElement[Any]] = {
    PersonTimeMonth: cast(func.date_trunc("month", PersonTimeEntry.dated_on), Date),
    PersonTimeHost: cast(func.extract("year", PersonTimeEntry.dated_on), SmallInteger),
    PersonTimeLead: cast(func.extract("year", PersonTimeEntry.dated_on), SmallInteger),
}
ROLLUP_STEPS = len(ROLLUPS) + 1
OFFERINGS_PER_RANGE = 5_000  # a statement of some tenths of a second, and a step of the progress bar
CONNECTIONS = 2  # more would leave the site too little of the database


@dataclass(frozen=True)
class LedgerDifference:
    """A figure of an offering that differs between the ledger and the attendances."""

    offering_id: int
    course: str
    host: str
    figure: str
    in_ledger: int
    recounted: int


@dataclass(frozen=True)
class RollupDifference:
    """A stored sum or number of people that differs from what it is derived from.

    place: the table and the key of the row, as text. Example: "person_time_month 2025-03-01 4 1".
    """

    place: str
    stored: int
    recounted: int


@dataclass(frozen=True)
class OfferingRange:
    """A step of the check: the number of its offerings, and the ids of the first and the last."""

    offerings: int
    first: int
    last: int


def ranges(db: Session) -> list[OfferingRange]:
    """Divide the offerings to check into ranges of OFFERINGS_PER_RANGE, in the order of their ids."""
    number = (func.row_number().over(order_by=Offering.id) - 1) // OFFERINGS_PER_RANGE
    offerings = select(Offering.id, number.label("number")).where(_to_check()).subquery("offerings")
    statement = (
        select(func.count(), func.min(offerings.c.id), func.max(offerings.c.id))
        .group_by(offerings.c.number)
        .order_by(offerings.c.number)
    )
    return [OfferingRange(*row) for row in db.execute(statement)]


def _to_check() -> ColumnElement[bool]:
    """Closed offerings, and offerings that are not closed and yet have ledger lines, which would be an error."""
    has_lines = select(PersonTimeEntry.offering_id).where(PersonTimeEntry.offering_id == Offering.id).exists()
    return or_(Offering.state == OfferingState.CLOSED, has_lines)


def check(db: Session, part: OfferingRange) -> list[LedgerDifference]:
    """Recount the offerings of a range, reading each attendance once.

    The ledger lines and the attendances of an offering are committed together, so no lock is needed.
    """
    return list(_ledger_differences(db, part))


def check_all(sessions: sessionmaker[Session], all_ranges: Sequence[OfferingRange]) -> Iterator[list[LedgerDifference]]:
    """Yield the differences of each range, in the order of the ranges. CONNECTIONS ranges are checked at once.

    Each check has a session of its own, with SETTINGS for its transaction; the site stays up meanwhile.
    """

    def check_one(part: OfferingRange) -> list[LedgerDifference]:
        with sessions() as db:
            for setting in SETTINGS:
                db.execute(text(f"SET LOCAL {setting}"))
            return check(db, part)

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        yield from threads.map(check_one, all_ranges)


def check_rollups(db: Session) -> Iterator[list[RollupDifference]]:
    """Compare the sums with the ledger, and the numbers of people with the participations (which `check` has compared).

    Yields ROLLUP_STEPS lists. Takes no lock: a number that a closing changes during the check is left for the next one.
    """
    for table, period in ROLLUPS.items():
        yield [RollupDifference(*row) for row in db.execute(_differing_sums(table, period))]
    before = participation.stored_counts(db)
    recomputed = participation.recomputed_counts(db)
    after = participation.stored_counts(db)
    yield [
        RollupDifference(
            f"people {key.programme} {key.district} {key.period}", after.get(key, 0), recomputed.get(key, 0)
        )
        for key in sorted(after.keys() | recomputed.keys())
        if before.get(key, 0) == after.get(key, 0) != recomputed.get(key, 0)
    ]


def _differing_sums(
    table: type[PersonTimeMonth | PersonTimeHost | PersonTimeLead], period: ColumnElement[Any]
) -> Select[Any]:
    """A SELECT of the rollup rows with a wrong figure: place, person-times stored, person-times recounted."""
    lines = PersonTimeEntry
    first, *rest = class_mapper(table).primary_key
    own = {"organisation_id": Offering.organisation_id, "instructor_id": func.coalesce(Offering.lead_instructor_id, 0)}
    key_of_line = [
        period,
        *(own[column.name] if column.name in own else getattr(Offering, column.name) for column in rest),
    ]
    recomputed = (
        select(
            *(expression.label(column.name) for expression, column in zip(key_of_line, (first, *rest), strict=True)),
            func.count().filter(lines.kind == EntryKind.CLOSING).label("offerings"),
            *(cast(func.sum(getattr(lines, name)), BigInteger).label(name) for name in FIGURES),
        )
        .join(Offering, Offering.id == lines.offering_id)
        .group_by(*key_of_line)
        .subquery("recomputed")
    )
    same_key = and_(*(column == recomputed.c[column.name] for column in (first, *rest)))
    figures = ("offerings", *FIGURES)
    stored = {name: func.coalesce(getattr(table, name), 0) for name in figures}
    counted = {name: func.coalesce(recomputed.c[name], 0) for name in figures}
    place = func.concat_ws(
        " ", table.__tablename__, *(func.coalesce(column, recomputed.c[column.name]) for column in (first, *rest))
    )
    return (
        select(place, stored["named"] + stored["counted"], counted["named"] + counted["counted"])
        .select_from(table)
        .join(recomputed, same_key, full=True)
        .where(or_(*(stored[name] != counted[name] for name in figures)))
        .order_by(place)
    )


def _ledger_differences(db: Session, part: OfferingRange) -> Iterator[LedgerDifference]:
    lines = PersonTimeEntry
    ledger = (
        select(
            lines.offering_id,
            *(cast(func.sum(getattr(lines, name)), BigInteger).label(name) for name in FIGURES),
        )
        .where(lines.offering_id.between(part.first, part.last))
        .group_by(lines.offering_id)
        .subquery("ledger")
    )
    counted = recounted(Offering.state == OfferingState.CLOSED, ids=(part.first, part.last))
    in_ledger = {name: func.coalesce(ledger.c[name], 0) for name in FIGURES}
    actual = {name: func.coalesce(counted.c["certified" if name == "certificates" else name], 0) for name in FIGURES}
    people = _people_stored(part)
    # `who` differs when the two sets of people differ, even where they are equally many.
    other_people = func.coalesce(people.c.who, 0) != func.coalesce(counted.c.who, 0)
    offering_id = func.coalesce(ledger.c.offering_id, counted.c.offering_id)
    differs = or_(other_people, *(in_ledger[name] != actual[name] for name in FIGURES))
    statement = (
        select(
            Offering.id, Course.name_zh, Organisation.name_zh, other_people, func.coalesce(people.c.people, 0),
            *in_ledger.values(), *actual.values(),
        )
        .select_from(ledger)
        .join(counted, counted.c.offering_id == ledger.c.offering_id, full=True)
        .join(Offering, Offering.id == offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .outerjoin(people, people.c.offering_id == offering_id)
        .where(Offering.id.between(part.first, part.last), differs)
        .order_by(Offering.id)
    )  # fmt: skip
    for identity, course, host, others, number, *figures in db.execute(statement):
        half = len(FIGURES)
        if others:
            yield LedgerDifference(identity, course, host, "people", number, figures[half + FIGURES.index("named")])
        for name, noted, recounted_figure in zip(FIGURES, figures[:half], figures[half:], strict=True):
            if noted != recounted_figure:
                yield LedgerDifference(identity, course, host, name, noted, recounted_figure)


def _people_stored(part: OfferingRange) -> Subquery:
    """A subquery of the stored participations of a range: offering_id, people, and `who` as in `person_time.recounted`."""
    participant = (
        select(Participation.offering_id, func.unnest(Participation.trainees).label("trainee_id"))
        .where(Participation.offering_id.between(part.first, part.last))
        .subquery("participant")
    )
    return (
        select(
            participant.c.offering_id,
            func.count().label("people"),
            func.bit_xor(func.hashint8extended(participant.c.trainee_id, 0)).label("who"),
        )
        .group_by(participant.c.offering_id)
        .subquery("people")
    )
