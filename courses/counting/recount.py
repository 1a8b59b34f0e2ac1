"""The recount: proof that the ledger agrees with attendances and headcounts, and the rollups with the ledger.

Each figure of a report is recounted from the rows that it is derived from. `flask person-time check` runs the recount
over every offering.

- Of an offering, from its state, its sessions, attendances, headcounts, enrolments and certificates: whether it counts
  as an offering, its sessions, people, person-times, minutes, results, certificates, and what corrects frozen quarters.
- Of enrolments, from attendances: the sessions and minutes that lists of people show.
- Of rollups, from the ledger, each column; of the people that reports count in memory, from the participations.
- Of frozen quarters, each figure that was frozen, from the ledger and the participations as they were reported.
- Of opening balances, from their sources: a balance counts unless its source is withdrawn.

Rates, shares and class sizes are divisions of these figures. Teaching hours, waiting lists, valid certificates and
offerings in progress are read from their source rows whenever a report is made, so there is nothing to compare.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    case,
    cast,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session, aliased, class_mapper, sessionmaker

from courses.counting import frozen_figures
from courses.counting.person_time import recounted
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.rollups import Participation, PersonTimeHost, PersonTimeMonth
from lms.organisations.models import Organisation

FIGURES = ("enrolled", "named", "counted", "minutes", "passed", "certificates")
ROLLUP_FIGURES = ("offerings", *FIGURES, "adjusted")
# The figures of an offering, in the order in which differences are named.
OFFERING_FIGURES = (*FIGURES, "offerings", "sessions", "adjusted", "attended sessions", "attended minutes")
# The statement timeout of a web request would end a check, which reads everything. Sequential scans are off because the
# planner would read all attendances again for each range; parallel workers are off because CONNECTIONS run already.
SETTINGS = ("statement_timeout = 0", "work_mem = '64MB'", "enable_seqscan = off", "max_parallel_workers_per_gather = 0")
# Each rollup table with the period of a ledger line in it.
ROLLUPS: dict[type[PersonTimeMonth | PersonTimeHost], ColumnElement[Any]] = {
    PersonTimeMonth: cast(func.date_trunc("month", PersonTimeEntry.dated_on), Date),
    PersonTimeHost: cast(func.extract("year", PersonTimeEntry.dated_on), SmallInteger),
}
ROLLUP_STEPS = len(ROLLUPS) + 3
OFFERINGS_PER_RANGE = 5_000  # a statement of some tenths of a second, and a step of the progress bar
CONNECTIONS = 2  # more would leave the site too little of the database
# Counts the certificates of a range of offerings, by offering, where a package above `courses` issues them.
CertificateCounter = Callable[[Session, int, int], Mapping[int, int]]
certificate_counters: list[CertificateCounter] = []


@dataclass(frozen=True)
class LedgerDifference:
    """A figure of an offering that differs between the ledger (or the enrolments) and the rows that it is derived from."""

    offering_id: int
    course: str
    host: str
    figure: str
    in_ledger: int
    recounted: int


@dataclass(frozen=True)
class RollupDifference:
    """A stored sum or number of people that differs from what it is derived from.

    place: the table, the key of the row and the figure, as text. Example: "person_time_month 2025-03-01 4 1 offerings".
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
    """Closed offerings, and offerings that are not closed and yet have ledger lines or participants.

    Such lines must add up to nothing, as those of an undone import do.
    """
    has_lines = select(PersonTimeEntry.offering_id).where(PersonTimeEntry.offering_id == Offering.id).exists()
    has_people = select(Participation.offering_id).where(Participation.offering_id == Offering.id).exists()
    return or_(Offering.state == OfferingState.CLOSED, has_lines, has_people)


def check(db: Session, part: OfferingRange) -> list[LedgerDifference]:
    """Recount the offerings of a range, reading each attendance once.

    The ledger lines and the attendances of an offering are committed together, so no lock is needed.
    """
    return [*_ledger_differences(db, part), *_certificate_differences(db, part)]


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
    """Compare the sums with the ledger, and the people of the copy in memory with the participations.

    `check` has compared the participations.


    Yields ROLLUP_STEPS lists. Takes no lock: a number that a closing changes during the check is left for the next one.
    """
    for table, period in ROLLUPS.items():
        yield list(_rollup_differences(db, table, period))
    yield [RollupDifference(*row) for row in db.execute(_DIFFERING_BALANCES)]
    yield _people_differences(db)
    yield [RollupDifference(*difference) for difference in frozen_figures.differences(db)]


def _people_differences(db: Session) -> list[RollupDifference]:
    from courses.counting import people_recount  # noqa: PLC0415  # numpy, for a process that counts

    by_copy, by_marking = people_recount.by_copy(db), people_recount.by_marking(db)
    again = people_recount.by_copy(db)  # an offering may have been closed meanwhile
    return [
        RollupDifference(
            f"people {key.programme} {key.district} {key.period}", by_copy.get(key, 0), by_marking.get(key, 0)
        )
        for key in sorted(by_copy.keys() | by_marking.keys())
        if by_copy.get(key, 0) == again.get(key, 0) != by_marking.get(key, 0)
    ]


_DIFFERING_BALANCES = (
    select(
        func.concat_ws(" ", "opening_source", OpeningSource.id, "balances"),
        func.count().filter(OpeningBalance.active),
        func.count().filter(OpeningSource.withdrawn_at.is_(None)),
    )
    .join(OpeningSource, OpeningSource.id == OpeningBalance.source_id)
    .where(OpeningBalance.active != OpeningSource.withdrawn_at.is_(None))
    .group_by(OpeningSource.id)
    .order_by(OpeningSource.id)
)


def _differing_sums(table: type[PersonTimeMonth | PersonTimeHost], period: ColumnElement[Any]) -> Select[Any]:
    """A SELECT of the rollup rows with a wrong figure: place, the figures stored, the figures recounted."""
    lines = PersonTimeEntry
    first, *rest = class_mapper(table).primary_key
    key_of_line = [period, *(getattr(Offering, column.name) for column in rest)]
    recomputed = (
        select(
            *(expression.label(column.name) for expression, column in zip(key_of_line, (first, *rest), strict=True)),
            func.sum(lines.offerings()).label("offerings"),
            *(cast(func.sum(getattr(lines, name)), BigInteger).label(name) for name in FIGURES),
            func.sum(lines.named + lines.counted).filter(lines.late).label("adjusted"),
        )
        .join(Offering, Offering.id == lines.offering_id)
        .group_by(*key_of_line)
        .subquery("recomputed")
    )
    same_key = and_(*(column == recomputed.c[column.name] for column in (first, *rest)))
    stored = {name: func.coalesce(getattr(table, name), 0) for name in ROLLUP_FIGURES}
    counted = {name: func.coalesce(recomputed.c[name], 0) for name in ROLLUP_FIGURES}
    place = func.concat_ws(
        " ", table.__tablename__, *(func.coalesce(column, recomputed.c[column.name]) for column in (first, *rest))
    )
    return (
        select(place, *stored.values(), *counted.values())
        .select_from(table)
        .join(recomputed, same_key, full=True)
        .where(or_(*(stored[name] != counted[name] for name in ROLLUP_FIGURES)))
        .order_by(place)
    )


def _rollup_differences(
    db: Session, table: type[PersonTimeMonth | PersonTimeHost], period: ColumnElement[Any]
) -> Iterator[RollupDifference]:
    for place, *figures in db.execute(_differing_sums(table, period)):
        half = len(ROLLUP_FIGURES)
        stored, recounted_figures = (
            dict(zip(ROLLUP_FIGURES, part, strict=True)) for part in (figures[:half], figures[half:])
        )
        for both in (stored, recounted_figures):
            both["person-times"] = both["named"] + both["counted"]
        for name, number in stored.items():
            if number != recounted_figures[name]:
                yield RollupDifference(f"{place} {name}", number, recounted_figures[name])


def _ledger_differences(db: Session, part: OfferingRange) -> Iterator[LedgerDifference]:
    counted = recounted(Offering.state == OfferingState.CLOSED, ids=(part.first, part.last))
    ledger, attended, people = _ledger_sums(part), _attended_stored(part), _people_stored(part)
    closed = case((Offering.state == OfferingState.CLOSED, 1), else_=0)
    meetings = (
        select(CourseSession.offering_id, func.count().label("sessions"))
        .where(CourseSession.offering_id.between(part.first, part.last))
        .group_by(CourseSession.offering_id)
        .subquery("meetings")
    )
    sessions = func.coalesce(meetings.c.sessions, 0)
    offerings = func.coalesce(ledger.c.offerings, 0)
    stored = [
        *(func.coalesce(ledger.c[name], 0) for name in FIGURES),
        offerings, offerings * sessions, func.coalesce(ledger.c.adjusted, 0),
        func.coalesce(attended.c.sessions, 0), func.coalesce(attended.c.minutes, 0),
    ]  # fmt: skip
    actual = [
        *(func.coalesce(counted.c["certified" if name == "certificates" else name], 0) for name in FIGURES),
        closed, closed * sessions, func.coalesce(ledger.c.late, 0),
        func.coalesce(counted.c.presences, 0), func.coalesce(counted.c.minutes, 0),
    ]  # fmt: skip
    # `who` differs when the two sets of people differ, even where they are equally many.
    other_people = func.coalesce(people.c.who, 0) != func.coalesce(counted.c.who, 0)
    differs = or_(other_people, *(before != now for before, now in zip(stored, actual, strict=True)))
    statement = (
        select(
            Offering.id, Course.name_zh, Organisation.name_zh, other_people, func.coalesce(people.c.people, 0),
            *stored, *actual,
        )
        .select_from(Offering)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .outerjoin(ledger, ledger.c.offering_id == Offering.id)
        .outerjoin(counted, counted.c.offering_id == Offering.id)
        .outerjoin(attended, attended.c.offering_id == Offering.id)
        .outerjoin(people, people.c.offering_id == Offering.id)
        .outerjoin(meetings, meetings.c.offering_id == Offering.id)
        .where(Offering.id.between(part.first, part.last), differs)
        .order_by(Offering.id)
    )  # fmt: skip
    half = len(OFFERING_FIGURES)
    for identity, course, host, others, number, *figures in db.execute(statement):
        if others:
            yield LedgerDifference(identity, course, host, "people", number, figures[half + FIGURES.index("named")])
        for name, noted, recounted_figure in zip(OFFERING_FIGURES, figures[:half], figures[half:], strict=True):
            if noted != recounted_figure:
                yield LedgerDifference(identity, course, host, name, int(noted), int(recounted_figure))


def _ledger_sums(part: OfferingRange) -> Subquery:
    """A subquery of the ledger of a range: offering_id, FIGURES, offerings, `adjusted` as marked and `late` as it is due."""
    lines, closing = PersonTimeEntry, aliased(PersonTimeEntry)
    late = case(
        (lines.kind == EntryKind.CLOSING, (Offering.state == OfferingState.CLOSED) & (lines.dated_on != Offering.counted_on)),
        (lines.kind == EntryKind.WITHDRAWAL, closing.late | (lines.dated_on != closing.dated_on)),
        else_=lines.kind == EntryKind.ADJUSTMENT,
    )  # fmt: skip
    # A withdrawn closing was dated when its offering was counted: the day is no longer known, and the mark is taken.
    was_withdrawn = (lines.kind == EntryKind.CLOSING) & (Offering.state != OfferingState.CLOSED)
    person_times = lines.named + lines.counted
    return (
        select(
            lines.offering_id,
            *(cast(func.sum(getattr(lines, name)), BigInteger).label(name) for name in FIGURES),
            func.sum(lines.offerings()).label("offerings"),
            func.sum(person_times).filter(lines.late).label("adjusted"),
            func.sum(person_times).filter(late | (was_withdrawn & lines.late)).label("late"),
        )
        .join(Offering, Offering.id == lines.offering_id)
        .outerjoin(closing, closing.id == lines.corrects_id)
        .where(lines.offering_id.between(part.first, part.last))
        .group_by(lines.offering_id)
        .subquery("ledger")
    )


def _attended_stored(part: OfferingRange) -> Subquery:
    """A subquery of what the enrolments of a range have stored: offering_id, sessions, minutes."""
    return (
        select(
            Enrolment.offering_id,
            func.sum(Enrolment.sessions_attended).label("sessions"),
            func.sum(Enrolment.minutes_attended).label("minutes"),
        )
        .where(Enrolment.offering_id.between(part.first, part.last))
        .group_by(Enrolment.offering_id)
        .subquery("attended")
    )


def _certificate_differences(db: Session, part: OfferingRange) -> Iterator[LedgerDifference]:
    """Compare the enrolments marked as certified with the certificates, in offerings for which this system issued some."""
    issued: dict[int, int] = {}
    for counter in certificate_counters:
        issued |= counter(db, part.first, part.last)
    if not issued:
        return
    certified = (
        select(Offering.id, Course.name_zh, Organisation.name_zh, func.count(Enrolment.certified_at))
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(Enrolment, Enrolment.offering_id == Offering.id)
        .where(Offering.id.in_(issued))
        .group_by(Offering.id, Course.name_zh, Organisation.name_zh)
        .order_by(Offering.id)
    )
    for identity, course, host, number in db.execute(certified):
        if number != issued[identity]:
            yield LedgerDifference(identity, course, host, "certificates issued", number, issued[identity])


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
