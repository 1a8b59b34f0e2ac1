"""The list of pairs of records that may be of one person, and the decision that they are of two."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from courses.enrolment import trainees_rights
from courses.models.merges import TraineeMerge, TraineePair
from courses.models.trainees import Trainee
from lms.core import audit, clock
from lms.core.errors import N_, NotFound
from lms.core.paging import Page, page_of
from lms.core.scope import Scope

STRONGEST = 5_000  # pairs that a list looks at, so that it costs the same however many there are
REASONS = {
    "id_number": N_("Same number, registered as two kinds of document"),
    "phone_name": N_("Same phone, same name"),
    "phone_sound": N_("Same phone, name read alike"),
    "host_name": N_("Same host, name and year of birth"),
    "host_sound": N_("Same host and year of birth, name read alike"),
}


@dataclass(frozen=True, slots=True)
class MergeLine:
    """A merge as the page of the record that was kept tells it. by: the name of the user; None for the system."""

    merge: TraineeMerge
    by: str | None


def listing(db: Session, scope: Scope, page: int, *, apart: bool = False) -> Page[TraineePair]:
    """A page of the pairs of which the scope covers both records as a whole, the strongest reason first.

    apart: those of which somebody said that they are two people.
    """
    decided = TraineePair.apart_at.is_not(None) if apart else TraineePair.apart_at.is_(None)
    order = (TraineePair.weight.desc(), TraineePair.first_id, TraineePair.second_id)
    strongest = select(TraineePair.first_id, TraineePair.second_id).where(decided).order_by(*order).limit(STRONGEST)
    chosen = strongest.subquery()
    statement = (
        select(TraineePair)
        .join(chosen, (chosen.c.first_id == TraineePair.first_id) & (chosen.c.second_id == TraineePair.second_id))
        .where(_covered(TraineePair.first_id, scope), _covered(TraineePair.second_id, scope))
        .options(joinedload(TraineePair.first), joinedload(TraineePair.second))
        .order_by(*order)
    )
    return page_of(db, statement, page)


def count_open(db: Session, scope: Scope) -> int:
    """The number of pairs to decide on."""
    return listing(db, scope, 1).total


def set_apart(db: Session, first_id: int, second_id: int, scope: Scope, *, apart: bool) -> None:
    """Remember that two records are of two people, or take that back. Raises NotFound."""
    first_id, second_id = sorted((first_id, second_id))
    pair = db.scalars(
        select(TraineePair)
        .where(TraineePair.first_id == first_id, TraineePair.second_id == second_id)
        .where(_covered(TraineePair.first_id, scope), _covered(TraineePair.second_id, scope))
        .with_for_update()
    ).one_or_none()
    if pair is None:
        raise NotFound
    if (pair.apart_at is not None) == apart:
        return
    pair.apart_at, pair.apart_by = (clock.now(), audit.actor(db)) if apart else (None, None)
    action = "trainee.tell_apart" if apart else "trainee.tell_apart_undo"
    for own, other in ((first_id, second_id), (second_id, first_id)):
        audit.record(db, action, f"trainee:{own}", after={"trainee": other})
    db.flush()


def of_person(db: Session, trainee: Trainee, scope: Scope) -> list[tuple[TraineePair, Trainee]]:
    """The open pairs of a person within the scope, each with the other record."""
    either = or_(TraineePair.first_id == trainee.id, TraineePair.second_id == trainee.id)
    rows = db.scalars(
        select(TraineePair)
        .where(either, TraineePair.apart_at.is_(None))
        .where(_covered(TraineePair.first_id, scope), _covered(TraineePair.second_id, scope))
        .order_by(TraineePair.weight.desc(), TraineePair.first_id, TraineePair.second_id)
        .limit(20)
    )
    return [(row, row.second if row.first_id == trainee.id else row.first) for row in rows]


def _covered(column: InstrumentedAttribute[int], scope: Scope) -> ColumnElement[bool]:
    """The condition that a record is one that the scope covers as a whole."""
    return exists(
        select(1)
        .select_from(Trainee)
        .where(Trainee.id == column, Trainee.visible_to(scope), trainees_rights.is_covered(scope))
        .correlate(TraineePair)
    )
