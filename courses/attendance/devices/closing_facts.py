"""The facts with which a device foresees what closing a session would do, where it has no network.

The rule is `courses.assessment.entitlement`; `lms/static/foreseeing.js` repeats it. A device knows the attendances at the
other sessions of the offering as they were when it fetched the roster, and its own events since.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.assessment import requirements
from courses.enrolment import prerequisites
from courses.models.attendance import Attendance, AttendanceEvent, AttendanceMethod
from courses.models.offerings import CourseSession, Offering
from courses.offerings import class_hours

Times = list[datetime | None]


@dataclass(frozen=True)
class ClosingFacts:
    """The facts of one session. elsewhere: by enrolment, the arrival and leaving at each other session, by its id.
    not_holding: the trainees who do not hold what the course demands.
    """

    session: dict[str, Any]
    elsewhere: dict[int, dict[int, Times]]
    not_holding: frozenset[int] = frozenset()


def read(db: Session, meeting: CourseSession, people: Mapping[int, str | None]) -> ClosingFacts:
    """Read the attendances of the offering, in one statement, and what its course requires.

    people: by trainee, what was accepted of another branch. What they hold is read where the course demands something.
    """
    offering = meeting.offering
    elsewhere: dict[int, dict[int, Times]] = defaultdict(dict)
    by_self = 0
    for session_id, enrolment_id, arrived_at, left_at, method in db.execute(
        select(
            Attendance.course_session_id,
            Attendance.enrolment_id,
            Attendance.arrived_at,
            Attendance.left_at,
            AttendanceEvent.method,
        )
        .join(AttendanceEvent, AttendanceEvent.id == Attendance.event_id)
        .where(Attendance.course_session_id.in_([other.id for other in offering.sessions]))
    ):
        if session_id == meeting.id:
            by_self += method == AttendanceMethod.SELF
        else:
            elsewhere[enrolment_id][session_id] = [arrived_at, left_at]
    return ClosingFacts(_session_facts(meeting, by_self), elsewhere, _not_holding(db, offering, people))


def _not_holding(db: Session, offering: Offering, people: Mapping[int, str | None]) -> frozenset[int]:
    if offering.course.certificate_type is None:
        return frozenset()
    standings = prerequisites.standings(
        db,
        prerequisites.of_offering(offering),
        people,
        day=prerequisites.last_day_of(offering),
        offering_id=offering.id,
    )
    return frozenset(trainee_id for trainee_id, standing in standings.items() if not standing.met)


def _session_facts(meeting: CourseSession, by_self: int) -> dict[str, Any]:
    offering = meeting.offering
    planned = class_hours.planned_total(offering)
    demand = requirements.of_course(
        offering.course, [class_hours.planned_minutes(other.starts_at, other.ends_at) for other in offering.sessions]
    )
    return {
        "sessions": [
            {
                "id": other.id,
                "starts_at": other.starts_at,
                "ends_at": other.ends_at,
                "closed": other.closed_at is not None,
                "headcount": other.headcount,
            }
            for other in offering.sessions
        ],
        "sessions_needed": demand.sessions_needed,
        "minutes_planned": demand.minutes_planned,
        "minutes_needed": demand.minutes_needed,
        "pass_mark": demand.pass_mark,
        "skills": sorted(demand.skills),
        "certificate": demand.certificate,
        "by_self": by_self,
        "hours": {
            "course": float(offering.course.hours),
            "given": float(class_hours.given_hours(planned)),
            "choice": "given"
            if offering.certificate_hours is not None
            else "course"
            if offering.hours_reason
            else None,
            "reason": offering.hours_reason,
        }
        if class_hours.needs_decision(offering)
        else None,
    }
