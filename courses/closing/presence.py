"""Absence, late arrival and early leaving of each trainee, as the closing page names them before anything is final.

The sessions of an offering that are closed, and the one about to close, are looked at. What follows is judged by the rule
of the course (`courses.assessment.entitlement`): after the last session finally, before it by what can still be reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.assessment.entitlement import CourseRequirements, Shortfall, missing_presence
from courses.attendance import punctuality
from courses.attendance.punctuality import Punctuality
from courses.models.attendance import Attendance
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession
from courses.models.trainees import Trainee
from courses.offerings.class_hours import planned_minutes
from lms.core.name_order import by_sound


@dataclass(frozen=True)
class SessionPresence:
    """The presence of one trainee at one session. `punctuality` is None for an absence."""

    starts_at: datetime
    punctuality: Punctuality | None

    @property
    def complete(self) -> bool:
        """True where the trainee was neither absent nor late nor left early."""
        return self.punctuality is not None and not self.punctuality.late and not self.punctuality.early


@dataclass(frozen=True)
class PersonPresence:
    """The presence of one trainee who missed something.

    incomplete: the sessions that were missed in part or in whole. minutes: attended at the sessions so far. planned: the
    minutes of these sessions. missing: of the presence that the course requires, what can no longer be reached.
    """

    enrolment_id: int
    name: str
    incomplete: Sequence[SessionPresence]
    minutes: int
    planned: int
    missing: Sequence[Shortfall]


def read(db: Session, meeting: CourseSession, requirements: CourseRequirements) -> list[PersonPresence]:
    """Return who was absent, late or left early at the sessions up to the closing of this one, in the order of names."""
    so_far = [other for other in meeting.offering.sessions if other.id == meeting.id or other.closed_at is not None]
    still_open = [other for other in meeting.offering.sessions if other not in so_far]
    open_minutes = sum(planned_minutes(other.starts_at, other.ends_at) for other in still_open)
    planned = sum(planned_minutes(other.starts_at, other.ends_at) for other in so_far)
    times = {
        (session_id, enrolment_id): (arrived_at, left_at)
        for session_id, enrolment_id, arrived_at, left_at in db.execute(
            select(
                Attendance.course_session_id, Attendance.enrolment_id, Attendance.arrived_at, Attendance.left_at
            ).where(Attendance.course_session_id.in_([other.id for other in so_far]))
        )
    }
    people = db.execute(
        select(Enrolment.id, Trainee.name)
        .join(Enrolment.trainee)
        .where(Enrolment.offering_id == meeting.offering_id, Enrolment.state.in_(HOLDS_PLACE))
    ).all()
    rows = []
    for enrolment_id, name in sorted(people, key=lambda row: (by_sound(row[1]), row[0])):
        sessions = [_at_session(other, times.get((other.id, enrolment_id))) for other in so_far]
        incomplete = [session for session in sessions if not session.complete]
        if not incomplete:
            continue
        stays = [session.punctuality for session in sessions if session.punctuality is not None]
        minutes = sum(stay.minutes for stay in stays)
        missing = missing_presence(requirements, len(stays) + len(still_open), minutes + open_minutes)
        rows.append(PersonPresence(enrolment_id, name, incomplete, minutes, planned, missing))
    return rows


def _at_session(meeting: CourseSession, times: tuple[datetime, datetime | None] | None) -> SessionPresence:
    measured = punctuality.measure(meeting.starts_at, meeting.ends_at, *times) if times is not None else None
    return SessionPresence(meeting.starts_at, measured)
