"""Withdrawal: a published offering without people is made a draft again, so that it can be planned anew."""

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from courses.enrolment.place_counts import PlaceCounts
from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.session_events import SessionEvent
from courses.models.walk_ins import WalkInPerson
from lms.core import audit
from lms.core.errors import N_, DomainError


def withdraw(db: Session, offering: Offering) -> None:
    """Make a published offering a draft again. It leaves the public list, and its public page answers 404.

    Raises DomainError `not_published`, `has_people` while somebody is enrolled or waits, and `has_begun_work` where
    somebody attended or its instructors have begun their work at a session.
    """
    # Enrolling locks the offering's row, check-ins share the lock, and acts at a session lock the row of the session.
    db.flush()
    db.refresh(offering, with_for_update={"of": Offering})
    db.execute(select(CourseSession.id).where(CourseSession.offering_id == offering.id).with_for_update())
    if offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_published", N_("Only a published offering can be made a draft again."))
    if db.scalar(
        select(exists().where(Enrolment.offering_id == offering.id, Enrolment.state != EnrolmentState.CANCELLED))
    ):
        raise DomainError(
            "has_people",
            N_("People are enrolled in this offering. Cancel the offering instead, so that they are told."),
        )
    if _is_begun(db, offering):
        raise DomainError(
            "has_begun_work", N_("There are check-ins or headcounts of this offering. Close it, so that it counts.")
        )
    offering.state, offering.published_at = OfferingState.DRAFT, None
    offering.certificate_hours = offering.hours_reason = None
    db.flush()
    audit.record(db, "offering.withdraw", offering, before={"state": "published"}, after={"state": "draft"})


def is_possible(offering: Offering, places: PlaceCounts) -> bool:
    """Tell whether the page of an offering shows the button: it is published, and nobody is enrolled or waits."""
    return offering.state == OfferingState.PUBLISHED and not (places.taken or places.waiting)


def _is_begun(db: Session, offering: Offering) -> bool:
    """Tell whether anything happened at a session of an offering."""
    records = (
        Attendance.course_session_id,
        AttendanceEvent.course_session_id,
        SessionEvent.course_session_id,
        WalkInPerson.course_session_id,
    )
    happened = or_(
        CourseSession.closed_at.is_not(None),
        CourseSession.headcount > 0,
        *(exists().where(column == CourseSession.id) for column in records),
    )
    return bool(db.scalar(select(exists().where(CourseSession.offering_id == offering.id, happened))))
