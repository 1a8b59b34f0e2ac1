"""Proof that the ledger is right: every closed offering recounted from its attendances and headcounts, and compared."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, cast, func, or_, select, text
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.offerings import Offering, OfferingState
from courses.models.person_time import PersonTimeEntry
from courses.person_time import recounted
from lms.organisations.models import Organisation

FIGURES = ("enrolled", "named", "counted", "minutes", "passed", "certificates")
MEMORY = "64MB"  # a slice is added up in memory
SLICE = 5_000  # offerings a statement: about a second's work at the branch's size, and a step of the progress bar


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
class Slice:
    """A step of the check: how many offerings it looked at, and what differed."""

    offerings: int
    differences: list[Difference]


def count(db: Session) -> int:
    """How many offerings a check looks at."""
    return db.scalar(select(func.count()).where(_in_question())) or 0


def check(db: Session) -> Iterator[Slice]:
    """Recount everything, each attendance read once, a slice of offerings a statement; the site stays up meanwhile.

    An offering's ledger lines and attendances are committed together, so a slice needs no lock to be consistent.
    """
    db.execute(text("SET LOCAL statement_timeout = 0"))  # a page must end by itself; this may take its time
    db.execute(text(f"SET LOCAL work_mem = '{MEMORY}'"))
    last = 0
    while True:
        ids = select(Offering.id).where(_in_question(), Offering.id > last).order_by(Offering.id).limit(SLICE)
        chunk = ids.subquery()
        size, upto = db.execute(select(func.count(), func.max(chunk.c.id))).one()
        if upto is None:
            return
        yield Slice(size, list(_differences(db, last, upto)))
        last = upto


def _in_question() -> ColumnElement[bool]:
    """Closed offerings, and any other that has lines it should not have."""
    counted = select(PersonTimeEntry.offering_id).where(PersonTimeEntry.offering_id == Offering.id).exists()
    return or_(Offering.state == OfferingState.CLOSED, counted)


def _differences(db: Session, after: int, upto: int) -> Iterator[Difference]:
    lines = PersonTimeEntry
    ledger = (
        select(
            lines.offering_id,
            *(cast(func.sum(getattr(lines, name)), BigInteger).label(name) for name in FIGURES),
        )
        .where(lines.offering_id > after, lines.offering_id <= upto)
        .group_by(lines.offering_id)
        .subquery("ledger")
    )
    again = recounted(Offering.state == OfferingState.CLOSED, ids=(after + 1, upto))
    actual = {name: func.coalesce(again.c["certified" if name == "certificates" else name], 0) for name in FIGURES}
    noted = {name: func.coalesce(ledger.c[name], 0) for name in FIGURES}
    either = func.coalesce(ledger.c.offering_id, again.c.offering_id)
    statement = (
        select(Offering.id, Course.name_zh, Organisation.name_zh, *noted.values(), *actual.values())
        .select_from(ledger)
        .join(again, again.c.offering_id == ledger.c.offering_id, full=True)
        .join(Offering, Offering.id == either)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(or_(*(noted[name] != actual[name] for name in FIGURES)))
        .order_by(Offering.id)
    )
    for offering_id, course, host, *figures in db.execute(statement):
        half = len(FIGURES)
        for name, in_ledger, counted in zip(FIGURES, figures[:half], figures[half:], strict=True):
            if in_ledger != counted:
                yield Difference(offering_id, course, host, name, in_ledger, counted)
