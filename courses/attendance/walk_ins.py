"""Walk-ins at the roster: a person who came without a place is registered, enrolled and checked in, all or nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.attendance import check_in_window, recording
from courses.attendance.check_ins import AttendanceInput, CheckInAnswer
from courses.enrolment import places, trainees
from courses.enrolment.trainees import TraineeFacts
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.models.enrolment import Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from lms.core import audit
from lms.core.errors import NotFound
from lms.core.scope import Scope


def admit(
    db: Session, meeting: CourseSession, facts: TraineeFacts, scope: Scope, *, event_id: UUID, now: datetime
) -> CheckInAnswer:
    """Find or register a person, enrol them (beyond the capacity where the training is full), and check them in.

    A person who is enrolled is only checked in; a person on the waiting list gets a place. Raises DomainError where the
    session takes no check-ins, and whatever `trainees.register` and `recording.record` refuse.
    """
    check_in_window.refuse_unless_running(meeting, meeting.offering.state, now)
    trainee = trainees.register(db, facts, meeting.offering.district_id, scope=scope)
    return _check_in(db, meeting, trainee, facts, method=AttendanceMethod.WALK_IN, event_id=event_id, now=now)


def let_in(db: Session, meeting: CourseSession, enrolment_id: int, *, event_id: UUID, now: datetime) -> CheckInAnswer:
    """Enrol a trainee of the waiting list who came to the session, and check them in. Raises NotFound and DomainError."""
    check_in_window.refuse_unless_running(meeting, meeting.offering.state, now)
    trainee = db.scalars(
        select(Trainee)
        .join(Enrolment)
        .where(Enrolment.id == enrolment_id, Enrolment.offering_id == meeting.offering_id)
    ).one_or_none()
    if trainee is None:
        raise NotFound
    return _check_in(db, meeting, trainee, None, method=AttendanceMethod.TAP, event_id=event_id, now=now)


def ensure_place(db: Session, offering: Offering, trainee: Trainee, *, given: TraineeFacts | None = None) -> Enrolment:
    """Return the enrolment of a trainee who was present by a decision in review; enrol them where they have no place.

    The caller has locked the offering. `places.enrol` refuses a closed offering, so there the enrolment is inserted as
    incomplete, and the judging that follows the correction sets its state. given: as in `places.enrol`.
    """
    enrolment = places.find_enrolment(db, offering.id, trainee.id)
    if enrolment is not None and enrolment.state != EnrolmentState.WAITLISTED:
        return enrolment
    if offering.state != OfferingState.CLOSED:
        return places.enrol(db, offering.id, trainee, source=EnrolmentSource.WALK_IN, given=given, over_capacity=True)
    enrolment = Enrolment(
        offering_id=offering.id,
        trainee_id=trainee.id,
        state=EnrolmentState.INCOMPLETE,
        source=EnrolmentSource.WALK_IN,
    )
    if given is not None:
        enrolment.phone, enrolment.email = given.phone, given.email
    db.add(enrolment)
    db.flush()
    after = {"state": enrolment.state, "source": enrolment.source, "trainee": trainee.id}
    audit.record(db, "enrolment.create", enrolment, after=after)
    return enrolment


def _check_in(
    db: Session,
    meeting: CourseSession,
    trainee: Trainee,
    given: TraineeFacts | None,
    *,
    method: AttendanceMethod,
    event_id: UUID,
    now: datetime,
) -> CheckInAnswer:
    enrolment = places.find_enrolment(db, meeting.offering_id, trainee.id)
    if enrolment is None or enrolment.state == EnrolmentState.WAITLISTED:
        enrolment = places.enrol(
            db, meeting.offering_id, trainee, source=EnrolmentSource.WALK_IN, given=given, over_capacity=True
        )
    event = AttendanceInput(event_id, meeting.id, enrolment.id, AttendanceKind.ARRIVE, method)
    return recording.record(db, event, now=now)
