"""People who come without a place: registered, enrolled and checked in at once, or not at all."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.attendance import recording
from courses.attendance.recording import AttendanceInput, Recorded
from courses.enrolment import places, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from lms.core import audit
from lms.core.errors import NotFound


def admit(db: Session, meeting: CourseSession, facts: TraineeFacts, *, event_id: UUID, now: datetime) -> Recorded:
    """Find or register a person, give them a place beyond the capacity if need be, and check them in.

    Whoever is enrolled already is only checked in; whoever waits gets the place. Raises DomainError.
    """
    recording.refuse_unless_running(meeting, meeting.offering.state, now)
    trainee = trainees.register(db, facts, meeting.offering.district_id)
    return _check_in(db, meeting, trainee, method=AttendanceMethod.WALK_IN, event_id=event_id, now=now)


def let_in(db: Session, meeting: CourseSession, enrolment_id: int, *, event_id: UUID, now: datetime) -> Recorded:
    """Give somebody on the waiting list, who stands at the door, a place, and check them in."""
    recording.refuse_unless_running(meeting, meeting.offering.state, now)
    trainee = db.scalars(
        select(Trainee)
        .join(Enrolment)
        .where(Enrolment.id == enrolment_id, Enrolment.offering_id == meeting.offering_id)
    ).one_or_none()
    if trainee is None:
        raise NotFound
    return _check_in(db, meeting, trainee, method=AttendanceMethod.TAP, event_id=event_id, now=now)


def place(db: Session, offering: Offering, trainee: Trainee) -> Enrolment:
    """The place of somebody who is known to have been there, given where they have none. The offering is locked.

    A closed offering takes nobody any more, so there the place is made by hand; judging it again says what it comes to.
    """
    row = places.of_trainee(db, offering.id, trainee.id)
    if row is not None and row.state != EnrolmentState.WAITLISTED:
        return row
    if offering.state != OfferingState.CLOSED:
        return places.enrol(db, offering.id, trainee, source=EnrolmentSource.WALK_IN, over_capacity=True)
    row = Enrolment(
        offering_id=offering.id,
        trainee_id=trainee.id,
        state=EnrolmentState.INCOMPLETE,
        source=EnrolmentSource.WALK_IN,
    )
    db.add(row)
    db.flush()
    after = {"state": row.state, "source": row.source, "trainee": trainee.id}
    audit.record(db, "enrolment.create", row, after=after)
    return row


def _check_in(
    db: Session, meeting: CourseSession, trainee: Trainee, *, method: AttendanceMethod, event_id: UUID, now: datetime
) -> Recorded:
    row = places.of_trainee(db, meeting.offering_id, trainee.id)
    if row is None or row.state == EnrolmentState.WAITLISTED:
        row = places.enrol(db, meeting.offering_id, trainee, source=EnrolmentSource.WALK_IN, over_capacity=True)
    event = AttendanceInput(event_id, meeting.id, row.id, AttendanceKind.ARRIVE, method)
    return recording.record(db, event, now=now)
