"""Moving a person to another class of the same course: the place is there, and what was attended stays where it was attended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from courses.enrolment import clashes, mail, place_counts, places
from courses.enrolment.trainees import TraineeFacts
from courses.models.enrolment import ACTIVE_STATES, Enrolment, EnrolmentMove, EnrolmentSource
from courses.models.offerings import CourseSession, Offering, OfferingState
from lms.core import audit, clock
from lms.core.errors import N_, DomainError
from lms.core.languages import chinese
from lms.core.scope import Scope

MOST = 30  # classes that the page offers
_REASON = N_("Moved to another class")


@dataclass(frozen=True)
class TargetClass:
    """A class to which a person can be moved. free: places. starts_at: of its first session that is to come."""

    offering: Offering
    starts_at: datetime
    free: int


def list_targets(db: Session, enrolment: Enrolment, scope: Scope) -> Sequence[TargetClass]:
    """The classes of the same course within the scope with a session to come and a free place, the soonest first.

    Classes in which the person is enrolled are left out, and those with a waiting list: their places go in its order.
    """
    starts_at = (
        select(func.min(CourseSession.starts_at))
        .where(CourseSession.offering_id == Offering.id, CourseSession.starts_at > clock.now())
        .scalar_subquery()
    )
    taken = select(func.count()).where(Enrolment.offering_id == Offering.id, Enrolment.takes_place()).scalar_subquery()
    queue = (
        select(func.count())
        .where(Enrolment.offering_id == Offering.id, Enrolment.state == "waitlisted")
        .scalar_subquery()
    )
    own = select(Enrolment.offering_id).where(
        Enrolment.trainee_id == enrolment.trainee_id, Enrolment.state != "cancelled"
    )
    statement = (
        select(Offering, starts_at.label("starts_at"), (Offering.capacity - taken).label("free"))
        .join(Offering.organisation)
        .options(contains_eager(Offering.organisation))
        .where(
            Offering.visible_to(scope),
            Offering.course_id == enrolment.offering.course_id,
            Offering.state == OfferingState.PUBLISHED,
            Offering.id.not_in(own),
            starts_at.is_not(None),
            taken < Offering.capacity,
            queue == 0,
        )
        .order_by("starts_at", Offering.id)
        .limit(MOST)
    )
    return [TargetClass(row.Offering, row.starts_at, row.free) for row in db.execute(statement)]


def move(db: Session, enrolment: Enrolment, target: Offering) -> Enrolment:
    """Move a person to another class and return the enrolment there; the person is told, with the new ticket.

    Whoever was present at a session of the former class stays in it, with what was attended, beside the new place; anybody
    else leaves it, and the first of its waiting list gets the place. Raises DomainError where the class is of another course,
    where no place is free, where sessions overlap, and where the enrolment or the classes are closed.
    """
    former = enrolment.offering
    places.lock_offerings(db, [former.id, target.id])
    db.refresh(enrolment)
    if enrolment.state not in ACTIVE_STATES or former.state != OfferingState.PUBLISHED:
        raise DomainError("not_movable", N_("This enrolment can no longer be moved."))
    if target.course_id != former.course_id or target.id == former.id:
        raise DomainError("move_course", N_("Choose another class of the same course."))
    if place_counts.count_places(db, target).free < 1:
        raise DomainError("move_full", N_("No place is free in that class any more. Choose another one."))
    if any(other.offering_id != former.id for other in clashes.others(db, enrolment.trainee_id, target.id)):
        raise DomainError("move_clash", N_("The person is enrolled elsewhere at the time of that class."))
    given = TraineeFacts(name=enrolment.trainee.name, phone=enrolment.phone, email=enrolment.email)
    moved = places.enrol(db, target.id, enrolment.trainee, source=EnrolmentSource.STAFF, given=given, tell=False)
    if not places.has_attended(db, enrolment):
        places.cancel(db, enrolment, f"{chinese().gettext(_REASON)} / {_REASON}")
    db.add(EnrolmentMove(enrolment_id=enrolment.id, moved_to_id=moved.id, moved_by=audit.actor(db)))
    audit.record(
        db,
        "enrolment.move",
        enrolment,
        before={"offering": former.id},
        after={"offering": target.id, "enrolment": moved.id},
    )
    mail.send_moved(db, moved)
    db.flush()
    return moved


def moved_to(db: Session, enrolment_id: int) -> Enrolment | None:
    """The enrolment to which a person was moved, of the last move; None for an enrolment that was not moved."""
    return db.scalars(
        select(Enrolment)
        .join(EnrolmentMove, EnrolmentMove.moved_to_id == Enrolment.id)
        .where(EnrolmentMove.enrolment_id == enrolment_id)
        .order_by(EnrolmentMove.moved_to_id.desc())
        .limit(1)
    ).one_or_none()
