"""Enrolments as pages show them: of an offering, of a person, of a ticket."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from courses.models.attendance import Attendance
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core.errors import N_, NotFound
from lms.core.scope import Scope, fetch, visible

STATES = {
    EnrolmentState.ENROLLED: (N_("Place confirmed"), "primary"),
    EnrolmentState.WAITLISTED: (N_("On the waiting list"), "warning"),
    EnrolmentState.CANCELLED: (N_("Cancelled"), "secondary"),
    EnrolmentState.COMPLETED: (N_("Completed"), "success"),
    EnrolmentState.FAILED: (N_("Not passed"), "danger"),
    EnrolmentState.INCOMPLETE: (N_("Incomplete"), "secondary"),
}
SOURCES = {
    EnrolmentSource.SELF: N_("Self-enrolment"),
    EnrolmentSource.STAFF: N_("By staff"),
    EnrolmentSource.IMPORT: N_("From a spreadsheet"),
    EnrolmentSource.WALK_IN: N_("Walk-in"),
}


@dataclass(frozen=True)
class Listed:
    """A line of an offering's list. `position` counts the waiting from 1; `attended` forbids cancelling."""

    enrolment: Enrolment
    position: int | None
    attended: bool


def by_ticket(db: Session, ticket: str) -> Enrolment:
    """The enrolment of a ticket, with its offering. Raises NotFound."""
    row = db.scalars(_with_offering(select(Enrolment)).where(Enrolment.ticket == ticket)).one_or_none()
    if row is None:
        raise NotFound
    return row


def of_offering(db: Session, offering_id: int, enrolment_id: int, scope: Scope) -> Enrolment:
    """One enrolment of an offering, if the reader may see the offering. Raises NotFound."""
    fetch(db, Offering, offering_id, scope)
    statement = _with_offering(select(Enrolment)).where(
        Enrolment.id == enrolment_id, Enrolment.offering_id == offering_id
    )
    row = db.scalars(statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def listing(db: Session, offering_id: int) -> Sequence[Listed]:
    """Everybody of an offering: those with a place by name, then the waiting in their order, then the cancelled."""
    attended = exists(select(1).where(Attendance.enrolment_id == Enrolment.id))
    rows = db.execute(
        select(Enrolment, attended)
        .join(Enrolment.trainee)
        .options(contains_eager(Enrolment.trainee))
        .where(Enrolment.offering_id == offering_id)
        .order_by(Trainee.name_key, Enrolment.id)
    ).all()
    settled = [(row, came) for row, came in rows if row.state in HOLDS_PLACE]
    waiting = sorted(
        ((row, came) for row, came in rows if row.state == EnrolmentState.WAITLISTED),
        key=lambda pair: (pair[0].queued_at, pair[0].id),
    )
    gone = [(row, came) for row, came in rows if row.state == EnrolmentState.CANCELLED]
    return [
        *(Listed(row, None, came) for row, came in settled),
        *(Listed(row, place, came) for place, (row, came) in enumerate(waiting, 1)),
        *(Listed(row, None, came) for row, came in gone),
    ]


def of_person(db: Session, trainee_id: int, scope: Scope) -> Sequence[Enrolment]:
    """A trainee's enrolments that the reader may see, newest first."""
    statement = _with_offering(visible(select(Enrolment), Enrolment, scope))
    return db.scalars(statement.where(Enrolment.trainee_id == trainee_id).order_by(Enrolment.id.desc())).all()


def of_user(db: Session, user_id: int) -> Sequence[Enrolment]:
    """The enrolments of a signed-in trainee, newest first."""
    statement = _with_offering(select(Enrolment)).join(Enrolment.trainee)
    return db.scalars(statement.where(Trainee.user_id == user_id).order_by(Enrolment.id.desc())).all()


def _with_offering(statement: Select[Enrolment]) -> Select[Enrolment]:
    offering = joinedload(Enrolment.offering)
    return statement.options(
        joinedload(Enrolment.trainee),
        offering.joinedload(Offering.course),
        offering.joinedload(Offering.organisation),
        offering.joinedload(Offering.district),
        selectinload(Enrolment.offering, Offering.sessions),
    )
