"""What a device keeps of its sessions while it has no network: enough to check people in, too little to look anybody up."""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from courses.assessment import assessment
from courses.assessment.entitlement import Results
from courses.attendance.recording import OPENS_BEFORE
from courses.attendance.roster import meeting
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from courses.models.trainees import Trainee
from instructors.models import Instructor
from lms.core import names
from lms.core.masks import mask_name
from lms.core.scope import Scope

BACK, AHEAD = timedelta(days=1), timedelta(days=7)


def read(db: Session, session_id: int, scope: Scope) -> dict[str, Any]:
    """The session, its people in the order of their names, and its course's skills, as JSON's own values and moments.

    A ticket is told by the SHA-256 of what is scanned; `skills` of a person: those tried, and whether they are passed now.
    Raises NotFound.
    """
    gathering = meeting(db, session_id, scope)
    offering = gathering.offering
    rows = db.execute(
        select(Enrolment.id, Trainee.name, Enrolment.ticket, Enrolment.state, Attendance.arrived_at, Attendance.left_at)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(
            Attendance,
            and_(Attendance.enrolment_id == Enrolment.id, Attendance.course_session_id == gathering.id),
        )
        .where(Enrolment.offering_id == offering.id, Enrolment.state.in_(HOLDS_PLACE))
    ).all()
    results = assessment.results(db, offering.id)
    return {
        "session": described(gathering, offering, offering.course),
        "people": [
            {
                "enrolment": enrolment_id,
                "name": mask_name(name),
                "ticket": hashlib.sha256(ticket.encode()).hexdigest(),
                "state": state,
                "present": arrived_at is not None,
                "arrived_at": arrived_at,
                "left_at": left_at,
                "skills": _shown(results.get(enrolment_id, Results())),
            }
            for enrolment_id, name, ticket, state, arrived_at, left_at in sorted(
                rows, key=lambda row: (names.by_sound(row[1]), row[0])
            )
        ],
        "skills": [
            {"id": skill.id, "name": {"zh": skill.name_zh, "en": skill.name_en}}
            for skill in sorted(offering.course.skills, key=lambda skill: skill.position)
            if skill.active
        ],
    }


def names_of(db: Session, enrolment_ids: Collection[int]) -> dict[int, str]:
    """Whose enrolments these are; for an instructor who may see their sessions."""
    rows = db.execute(
        select(Enrolment.id, Trainee.name)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(Enrolment.id.in_(enrolment_ids))
    )
    return {enrolment_id: name for enrolment_id, name in rows}


def sessions_of(db: Session, user_id: int, now: datetime) -> list[dict[str, Any]]:
    """The sessions that a user teaches from yesterday to a week ahead, by time."""
    rows = db.execute(
        select(CourseSession, Offering, Course)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(SessionInstructor, SessionInstructor.course_session_id == CourseSession.id)
        .join(Instructor, Instructor.id == SessionInstructor.instructor_id)
        .where(
            Instructor.user_id == user_id,
            Offering.state.in_((OfferingState.PUBLISHED, OfferingState.CLOSED)),
            CourseSession.ends_at > now - BACK,
            CourseSession.starts_at < now + AHEAD,
        )
        .order_by(CourseSession.starts_at, CourseSession.id)
    )
    return [described(*row) for row in rows]


def described(gathering: CourseSession, offering: Offering, course: Course) -> dict[str, Any]:
    """A session as a device shows it."""
    return {
        "id": gathering.id,
        "title": {"zh": course.name_zh, "en": course.name_en},
        "place": gathering.place or offering.place,
        "starts_at": gathering.starts_at,
        "ends_at": gathering.ends_at,
        "opens_at": gathering.starts_at - OPENS_BEFORE,
        "closed": gathering.closed_at is not None or offering.state != OfferingState.PUBLISHED,
    }


def _shown(results: Results) -> dict[int, bool | None]:
    return {skill_id: results.skill(skill_id) for skill_id, _ in results.skills}
