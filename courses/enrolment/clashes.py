"""Clashes: sessions of an offering at whose time a trainee is enrolled in another offering."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from courses.models.enrolment import ACTIVE_STATES, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState


def find(db: Session, trainee_id: int, offering_id: int) -> Sequence[CourseSession]:
    """The sessions of an offering at whose time a trainee is enrolled, or waits, in another offering."""
    return db.scalars(
        select(CourseSession)
        .where(CourseSession.offering_id == offering_id, _overlaps_other_enrolment(trainee_id, offering_id))
        .order_by(CourseSession.starts_at)
    ).all()


def others(db: Session, trainee_id: int, offering_id: int) -> Sequence[CourseSession]:
    """The sessions of other offerings in which a trainee is enrolled, or waits, at the time of an offering's sessions."""
    own = aliased(CourseSession)
    return db.scalars(
        select(CourseSession)
        .join(Enrolment, Enrolment.offering_id == CourseSession.offering_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(
            Enrolment.trainee_id == trainee_id,
            Enrolment.offering_id != offering_id,
            Enrolment.state.in_(ACTIVE_STATES),
            Offering.state == OfferingState.PUBLISHED,
            exists().where(own.offering_id == offering_id, own.during.op("&&")(CourseSession.during)),
        )
    ).all()


def find_of_enrolment(db: Session, enrolment: Enrolment) -> Sequence[CourseSession]:
    """The sessions of the enrolment's offering at whose time its trainee is enrolled elsewhere."""
    return find(db, enrolment.trainee_id, enrolment.offering_id)


def _overlaps_other_enrolment(trainee_id: int, offering_id: int) -> ColumnElement[bool]:
    other_session, other_enrolment = aliased(CourseSession), aliased(Enrolment)
    return exists(
        select(1)
        .select_from(other_enrolment)
        .join(other_session, other_session.offering_id == other_enrolment.offering_id)
        .join(Offering, Offering.id == other_enrolment.offering_id)
        .where(
            other_enrolment.trainee_id == trainee_id,
            other_enrolment.offering_id != offering_id,
            other_enrolment.state.in_(ACTIVE_STATES),
            Offering.state == OfferingState.PUBLISHED,
            other_session.during.op("&&")(CourseSession.during),
        )
    )
