"""Queries for enrolments as pages show them: by ticket, of an offering, of a trainee, of a signed-in user."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload, undefer

from courses.enrolment import waiting_list
from courses.models.attendance import Attendance
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentGroup, EnrolmentState
from courses.models.offerings import Offering
from courses.models.trainees import ANONYMOUS_REF, Trainee
from lms.core.errors import N_, NotFound
from lms.core.scope import Scope, fetch, visible


@dataclass(frozen=True)
class EnrolmentRow:
    """A row in the list of an offering's enrolments.

    `position` is the position on the waiting list, counted from 1, or None for an enrolment that does not wait, or to which
    a place is offered. An enrolment with `attended` cannot be cancelled. `group` is that of people who wait together.
    """

    enrolment: Enrolment
    position: int | None
    attended: bool
    group: EnrolmentGroup | None = None


def get_by_ticket(db: Session, ticket: str) -> Enrolment:
    """The enrolment of a ticket, with its offering. Raises NotFound."""
    enrolment = db.scalars(_with_offering(select(Enrolment)).where(Enrolment.has_ticket(ticket))).one_or_none()
    if enrolment is None:
        raise NotFound
    return enrolment


def get_in_offering(db: Session, offering_id: int, enrolment_id: int, scope: Scope) -> Enrolment:
    """An enrolment of an offering that the scope covers. Raises NotFound, also where the import of it was undone."""
    fetch(db, Offering, offering_id, scope)
    statement = (
        _with_offering(select(Enrolment))
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(Enrolment.id == enrolment_id, Enrolment.offering_id == offering_id, Trainee.ref != ANONYMOUS_REF)
    )
    enrolment = db.scalars(statement).one_or_none()
    if enrolment is None:
        raise NotFound
    return enrolment


def list_of_offering(db: Session, offering_id: int) -> Sequence[EnrolmentRow]:
    """All enrolments of an offering: those with a place by name, then those to whom one is offered, by the end of the offer,
    then the waiting list in its order, then the cancelled. Those of an undone import are not listed.
    """
    has_attended = exists(select(1).where(Attendance.enrolment_id == Enrolment.id))
    rows = db.execute(
        select(Enrolment, has_attended, EnrolmentGroup)
        .join(Enrolment.trainee)
        .outerjoin(EnrolmentGroup, EnrolmentGroup.id == Enrolment.group_id)
        .options(contains_eager(Enrolment.trainee), undefer(Enrolment.held_elsewhere), undefer(Enrolment.offered_until))
        .where(Enrolment.offering_id == offering_id, Trainee.ref != ANONYMOUS_REF)
        .order_by(Trainee.name_sound, Enrolment.id)
    ).all()
    by_id = {enrolment.id: EnrolmentRow(enrolment, None, attended, group) for enrolment, attended, group in rows}
    offered = sorted(
        (row for row in by_id.values() if row.enrolment.is_offered),
        key=lambda row: (row.enrolment.offered_until, row.enrolment.queued_at, row.enrolment.id),
    )
    waiting = [row for row in by_id.values() if row.enrolment.state == EnrolmentState.WAITLISTED and row not in offered]
    in_order = waiting_list.in_order([(row.enrolment, row.group) for row in waiting])
    line = [by_id[member.id] for party in in_order for member in party.members]
    return [
        *(row for row in by_id.values() if row.enrolment.state in HOLDS_PLACE),
        *offered,
        *(replace(row, position=position) for position, row in enumerate(line, 1)),
        *(row for row in by_id.values() if row.enrolment.state == EnrolmentState.CANCELLED),
    ]


def list_of_trainee(db: Session, trainee_id: int, scope: Scope) -> Sequence[Enrolment]:
    """The enrolments of a trainee that the scope covers, newest first."""
    statement = _with_offering(visible(select(Enrolment), Enrolment, scope))
    return db.scalars(statement.where(Enrolment.trainee_id == trainee_id).order_by(Enrolment.id.desc())).all()


def list_of_user(db: Session, user_id: int) -> Sequence[Enrolment]:
    """The enrolments of a signed-in trainee, newest first."""
    statement = _with_offering(select(Enrolment)).join(Enrolment.trainee)
    return db.scalars(statement.where(Trainee.user_id == user_id).order_by(Enrolment.id.desc())).all()


def list_where(db: Session, *conditions: ColumnElement[bool]) -> Sequence[Enrolment]:
    """The enrolments under conditions, with their offerings, newest first."""
    return db.scalars(_with_offering(select(Enrolment)).where(*conditions).order_by(Enrolment.id.desc())).all()


def find_record_id(db: Session, user_id: int) -> int | None:
    """The id of the record that is linked to a user's account, or None."""
    return db.scalar(select(Trainee.id).where(Trainee.user_id == user_id))


def record_of_user(db: Session, user_id: int) -> Trainee:
    """The record that is linked to a user's account. Raises NotFound."""
    trainee = db.scalars(select(Trainee).where(Trainee.user_id == user_id)).one_or_none()
    if trainee is None:
        raise NotFound("no_record", N_("No training record is linked to your account."))
    return trainee


def _with_offering(statement: Select[Enrolment]) -> Select[Enrolment]:
    offering = joinedload(Enrolment.offering)
    return statement.options(
        joinedload(Enrolment.trainee),
        undefer(Enrolment.offered_until),
        offering.joinedload(Offering.course),
        offering.joinedload(Offering.organisation),
        offering.joinedload(Offering.district),
        selectinload(Enrolment.offering, Offering.sessions),
    )
