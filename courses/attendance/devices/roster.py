"""The data that a paired device stores of its sessions for work without a network.

Names are masked and tickets hashed: enough to check people in, and too little to look anybody up on a lost device. People
are found by keyed hashes of what is typed (`search_hashes`).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from courses.assessment import assessment
from courses.assessment.entitlement import TraineeResults
from courses.attendance import check_in_window
from courses.attendance.devices import closing_facts
from courses.attendance.devices.search_hashes import SearchKey
from courses.attendance.devices.session_version import read_version
from courses.attendance.roster import load_session
from courses.enrolment import namesakes
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from courses.models.trainees import Trainee, open_phone
from instructors.models import Instructor
from lms.accounts.devices import Caller
from lms.core.masks import mask_name
from lms.core.name_order import by_sound
from lms.core.scope import Scope

# The sessions on a device: those that ended less than a day ago up to those that start within a week.
ENDED_SINCE, STARTING_WITHIN = timedelta(days=1), timedelta(days=7)


def read_device_roster(db: Session, session_id: int, scope: Scope, caller: Caller) -> dict[str, Any]:
    """Read a session, its trainees by the pinyin of their names, and its course's skills; values for JSON, and moments.

    `ticket` is the SHA-256 of the ticket in hex. `skills` of a person: the id of each examined skill, and whether it is
    passed in any attempt; `attempts`: the marks of each attempt. `find`: what finds the person, hashed with `search_key`.
    `hint`: tells people of one masked name apart. `own`: the check-in of the device's user, who may teach at the session.
    `version`: what changes with the rest (`session_version`). Raises NotFound.
    """
    # The version first: what changes after this statement is asked for again, and not missed.
    version = read_version(db, session_id, scope)
    key = SearchKey.of_device(caller.device_id)
    meeting = load_session(db, session_id, scope)
    offering = meeting.offering
    rows = db.execute(
        select(
            Enrolment.id,
            Trainee.id,
            Enrolment.held_elsewhere,
            Trainee.name,
            Trainee.ref,
            Trainee.phone_sealed,
            Enrolment.ticket_hash,
            Enrolment.state,
            Attendance.arrived_at,
            Attendance.left_at,
        )
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(
            Attendance,
            and_(Attendance.enrolment_id == Enrolment.id, Attendance.course_session_id == meeting.id),
        )
        .where(Enrolment.offering_id == offering.id, Enrolment.state.in_(HOLDS_PLACE))
    ).all()
    facts = closing_facts.read(db, meeting, {row[1]: row[2] for row in rows})
    attempts = assessment.attempts_by_enrolment(db, offering.id)
    hints = namesakes.hints(db, {row[0]: row[3] for row in rows}, masked=True)
    return {
        "version": str(version),
        "search_key": key.as_json(),
        "session": session_facts(meeting, offering, offering.course),
        "closing": facts.session,
        "own": _own_check_in(meeting, caller.user_id),
        "offering": {
            "id": offering.id,
            "theory": offering.course.pass_mark is not None,
            "pass_mark": offering.course.pass_mark,
        },
        "people": [
            {
                "enrolment": enrolment_id,
                "name": mask_name(name),
                "hint": hints.get(enrolment_id, ""),
                "find": key.hashes(name, open_phone(ref, phone_sealed)),
                "ticket": ticket_hash.hex(),
                "state": state,
                "present": arrived_at is not None,
                "arrived_at": arrived_at,
                "left_at": left_at,
                "elsewhere": facts.elsewhere.get(enrolment_id, {}),
                "named": any(letter.isalpha() for letter in name),
                "holds": trainee_id not in facts.not_holding,
                "skills": _skill_states(assessment.results_of(attempts.get(enrolment_id, ()))),
                "attempts": [
                    {"attempt": attempt.attempt, "theory": attempt.theory, "skills": attempt.skills}
                    for attempt in attempts.get(enrolment_id, ())
                ],
            }
            for enrolment_id, trainee_id, _, name, ref, phone_sealed, ticket_hash, state, arrived_at, left_at in sorted(
                rows, key=lambda row: (by_sound(row[3]), row[0])
            )
        ],
        "skills": [
            {"id": skill.id, "name": {"zh": skill.name_zh, "en": skill.name_en}}
            for skill in sorted(offering.course.skills, key=lambda skill: skill.position)
            if skill.active
        ],
    }


def trainee_names(db: Session, enrolment_ids: Collection[int]) -> dict[int, str]:
    """Read the names of enrolments' trainees by the enrolment's id, with what tells namesakes apart.

    The caller has checked that the user may see them.
    """
    rows = db.execute(
        select(Enrolment.id, Trainee.name)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(Enrolment.id.in_(enrolment_ids))
    )
    hints = namesakes.beside(db, enrolment_ids)
    return {enrolment_id: f"{name} {hints.get(enrolment_id, '')}".rstrip() for enrolment_id, name in rows}


def device_sessions(db: Session, user_id: int, now: datetime) -> list[dict[str, Any]]:
    """Read the sessions that a user teaches, from a day back to a week ahead, by time."""
    rows = db.execute(
        select(CourseSession, Offering, Course)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(SessionInstructor, SessionInstructor.course_session_id == CourseSession.id)
        .join(Instructor, Instructor.id == SessionInstructor.instructor_id)
        .where(
            Instructor.user_id == user_id,
            Offering.state.in_((OfferingState.PUBLISHED, OfferingState.CLOSED)),
            CourseSession.ends_at > now - ENDED_SINCE,
            CourseSession.starts_at < now + STARTING_WITHIN,
        )
        .order_by(CourseSession.starts_at, CourseSession.id)
    )
    return [session_facts(*row) for row in rows]


def session_facts(meeting: CourseSession, offering: Offering, course: Course) -> dict[str, Any]:
    """The facts of a session that a device shows, as values for JSON, and moments."""
    return {
        "id": meeting.id,
        "title": {"zh": course.name_zh, "en": course.name_en},
        "place": meeting.place or offering.place,
        "starts_at": meeting.starts_at,
        "ends_at": meeting.ends_at,
        "opens_at": check_in_window.opens_at(meeting),
        "headcount": meeting.headcount,
        "closed": meeting.closed_at is not None or offering.state != OfferingState.PUBLISHED,
    }


def _own_check_in(meeting: CourseSession, user_id: int) -> dict[str, Any] | None:
    for teaching in meeting.instructors:
        if teaching.instructor.user_id == user_id:
            return {
                "arrived_at": teaching.arrived_at,
                "left_at": teaching.left_at,
                "opens_at": check_in_window.instructors_open_at(meeting),
            }
    return None


def _skill_states(results: TraineeResults) -> dict[int, bool | None]:
    return {skill_id: results.skill(skill_id) for skill_id, _ in results.skills}
