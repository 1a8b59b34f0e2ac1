"""Proof that the ledger and what is kept beside it are right: all recounted from attendances and headcounts, and compared."""

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
# A page must end by itself; a check may take its time, adds a part up in memory, and is two processes already.
SETTINGS = ("statement_timeout = 0", "work_mem = '64MB'", "enable_seqscan = off", "max_parallel_workers_per_gather = 0")
SUMS: dict[type[PersonTimeMonth | PersonTimeHost | PersonTimeLead], ColumnElement[Any]] = {
    PersonTimeMonth: cast(func.date_trunc("month", PersonTimeEntry.dated_on), Date),
    PersonTimeHost: cast(func.extract("year", PersonTimeEntry.dated_on), SmallInteger),
    PersonTimeLead: cast(func.extract("year", PersonTimeEntry.dated_on), SmallInteger),
}
KEPT_STEPS = len(SUMS) + 1
SLICE = 5_000  # offerings a statement: some tenths of a second's work, and a step of the progress bar
AT_ONCE = 2  # parts; more would leave the site too little of the database


@dataclass(frozen=True)
class Difference:
    """One figure of one offering that the ledger has otherwise than the attendances."""

    offering_id: int
    course: str
    host: str
    figure: str
    in_ledger: int
    recounted: int


@dataclass(frozen=True)
class Stale:
    """A kept number that is otherwise than what it is kept of. place: which, in words of the tables."""

    place: str
    kept: int
    recounted: int


@dataclass(frozen=True)
class Part:
    """A step of the check: how many offerings, and the ids of the first and the last."""

    offerings: int
    first: int
    last: int


def parts(db: Session) -> list[Part]:
    """Every offering that a check looks at, some thousands a part, in the order of their ids."""
    turn = (func.row_number().over(order_by=Offering.id) - 1) // SLICE
    each = select(Offering.id, turn.label("turn")).where(_in_question()).subquery("each")
    statement = (
        select(func.count(), func.min(each.c.id), func.max(each.c.id)).group_by(each.c.turn).order_by(each.c.turn)
    )
    return [Part(*row) for row in db.execute(statement)]


def check(db: Session, part: Part) -> list[Difference]:
    """Recount a part, each attendance read once.

    An offering's ledger lines and attendances are committed together, so a part needs no lock to be consistent.
    """
    return list(_differences(db, part))


def check_all(sessions: sessionmaker[Session], all_parts: Sequence[Part]) -> Iterator[list[Difference]]:
    """Each part's differences, in their order. Two connections work at once; the site stays up meanwhile.

    Parts are read by index, whatever the planner thinks: it would rather read all attendances for each of them.
    """

    def checked(part: Part) -> list[Difference]:
        with sessions() as db:
            for setting in SETTINGS:
                db.execute(text(f"SET LOCAL {setting}"))
            return check(db, part)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(checked, all_parts)


def check_kept(db: Session) -> Iterator[list[Stale]]:
    """Hold the sums against the ledger, and the numbers of people against who took part (which `check` has proven).

    KEPT_STEPS lists, one a step. Nothing waits for it: a number that a closing changes meanwhile is left for the next check.
    """
    for table, key in SUMS.items():
        yield [Stale(*row) for row in db.execute(_sums_differ(table, key))]
    before, again, after = participation.kept(db), participation.recounted(db), participation.kept(db)
    yield [
        Stale(f"people {level.programme} {level.district} {level.period}", after.get(level, 0), again.get(level, 0))
        for level in sorted(after.keys() | again.keys())
        if before.get(level, 0) == after.get(level, 0) != again.get(level, 0)
    ]


def _sums_differ(
    table: type[PersonTimeMonth | PersonTimeHost | PersonTimeLead], key: ColumnElement[Any]
) -> Select[Any]:
    """The cells of a table of sums whose person-times, minutes or other figures are not those of the ledger."""
    lines = PersonTimeEntry
    first, *rest = class_mapper(table).primary_key
    last = {"organisation_id": Offering.organisation_id, "instructor_id": func.coalesce(Offering.lead_instructor_id, 0)}
    of_line = [
        key,
        *(last[column.name] if column.name in last else getattr(Offering, column.name) for column in rest),
    ]
    again = (
        select(
            *(expression.label(column.name) for expression, column in zip(of_line, (first, *rest), strict=True)),
            func.count().filter(lines.kind == EntryKind.CLOSING).label("offerings"),
            *(cast(func.sum(getattr(lines, name)), BigInteger).label(name) for name in FIGURES),
        )
        .join(Offering, Offering.id == lines.offering_id)
        .group_by(*of_line)
        .subquery("again")
    )
    same = and_(*(column == again.c[column.name] for column in (first, *rest)))
    figures = ("offerings", *FIGURES)
    kept = {name: func.coalesce(getattr(table, name), 0) for name in figures}
    counted = {name: func.coalesce(again.c[name], 0) for name in figures}
    place = func.concat_ws(
        " ", table.__tablename__, *(func.coalesce(column, again.c[column.name]) for column in (first, *rest))
    )
    return (
        select(place, kept["named"] + kept["counted"], counted["named"] + counted["counted"])
        .select_from(table)
        .join(again, same, full=True)
        .where(or_(*(kept[name] != counted[name] for name in figures)))
        .order_by(place)
    )


def _in_question() -> ColumnElement[bool]:
    """Closed offerings, and any other that has lines it should not have."""
    counted = select(PersonTimeEntry.offering_id).where(PersonTimeEntry.offering_id == Offering.id).exists()
    return or_(Offering.state == OfferingState.CLOSED, counted)


def _differences(db: Session, part: Part) -> Iterator[Difference]:
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
    again = recounted(Offering.state == OfferingState.CLOSED, ids=(part.first, part.last))
    actual = {name: func.coalesce(again.c["certified" if name == "certificates" else name], 0) for name in FIGURES}
    noted = {name: func.coalesce(ledger.c[name], 0) for name in FIGURES}
    one = (
        select(Participation.offering_id, func.unnest(Participation.trainees).label("trainee_id"))
        .where(Participation.offering_id.between(part.first, part.last))
        .subquery("one")
    )
    took_part = (
        select(
            one.c.offering_id,
            func.count().label("people"),
            func.bit_xor(func.hashint8extended(one.c.trainee_id, 0)).label("who"),
        )
        .group_by(one.c.offering_id)
        .subquery("took_part")
    )
    either = func.coalesce(ledger.c.offering_id, again.c.offering_id)
    others = func.coalesce(took_part.c.who, 0) != func.coalesce(again.c.who, 0)
    statement = (
        select(
            Offering.id, Course.name_zh, Organisation.name_zh, others, func.coalesce(took_part.c.people, 0),
            *noted.values(), *actual.values(),
        )
        .select_from(ledger)
        .join(again, again.c.offering_id == ledger.c.offering_id, full=True)
        .join(Offering, Offering.id == either)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .outerjoin(took_part, took_part.c.offering_id == either)
        .where(Offering.id.between(part.first, part.last), or_(others, *(noted[name] != actual[name] for name in FIGURES)))
        .order_by(Offering.id)
    )  # fmt: skip
    for offering_id, course, host, other_people, people, *figures in db.execute(statement):
        half = len(FIGURES)
        if other_people:
            yield Difference(offering_id, course, host, "people", people, figures[half + FIGURES.index("named")])
        for name, in_ledger, counted in zip(FIGURES, figures[:half], figures[half:], strict=True):
            if in_ledger != counted:
                yield Difference(offering_id, course, host, name, in_ledger, counted)
