"""Judging the enrolments of an offering: attendances and results are compared with what the course requires.

The rule itself is `courses.assessment.entitlement`; this module reads its input from the database and writes its
verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload, undefer

from courses.assessment import assessment
from courses.assessment.entitlement import (
    CourseRequirements,
    EntitlementVerdict,
    TraineeResults,
    judge,
)
from courses.assessment.requirements import of_course
from courses.counting.person_time import attended_minutes
from courses.enrolment import prerequisites
from courses.enrolment.prerequisites import HoldingStanding
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering
from courses.models.trainees import Trainee
from courses.offerings.class_hours import planned_minutes
from lms.core import clock
from lms.core.name_order import by_sound

Times = tuple[datetime, datetime]


@dataclass(frozen=True)
class Judgement:
    """The verdict on one enrolment, with the facts that it rests on. `minutes`: attended, summed over all sessions.
    `standing`: how the trainee stands against what the course demands to be held; None where it demands nothing.
    """

    demand: CourseRequirements
    enrolment: Enrolment
    sessions_attended: int
    minutes: int
    results: TraineeResults
    verdict: EntitlementVerdict
    standing: HoldingStanding | None = None


def judgements(db: Session, offering_id: int) -> list[Judgement]:
    """Judge every enrolment that holds a place, by what is recorded now; in the order of names. Writes nothing."""
    course, times = _course_and_times(db, offering_id)
    demand = of_course(course, _minutes(times))
    rows = db.execute(
        select(Enrolment, Trainee.name)
        .join(Enrolment.trainee)
        .where(Enrolment.offering_id == offering_id, Enrolment.state.in_(HOLDS_PLACE))
        .options(contains_eager(Enrolment.trainee), undefer(Enrolment.held_elsewhere))
    ).all()
    standings = _standings(db, offering_id, course, times, [enrolment for enrolment, _ in rows])
    presence = {
        enrolment_id: (sessions, int(minutes))
        for enrolment_id, sessions, minutes in db.execute(
            select(Attendance.enrolment_id, func.count(), func.sum(attended_minutes()))
            .join(CourseSession, CourseSession.id == Attendance.course_session_id)
            .where(CourseSession.offering_id == offering_id)
            .group_by(Attendance.enrolment_id)
        )
    }
    results_of = assessment.results_by_enrolment(db, offering_id)
    judged = []
    for enrolment, name in sorted(rows, key=lambda row: (by_sound(row[1]), row[0].id)):
        sessions, minutes = presence.get(enrolment.id, (0, 0))
        results = results_of.get(enrolment.id, TraineeResults())
        standing = standings.get(enrolment.trainee_id)
        verdict = judge(
            demand,
            name=name,
            sessions_attended=sessions,
            minutes_attended=minutes,
            results=results,
            holds=standing is None or standing.met,
        )
        judged.append(Judgement(demand, enrolment, sessions, minutes, results, verdict, standing))
    return judged


def requirements(db: Session, offering_id: int) -> CourseRequirements:
    """Return what the course of an offering requires, over the sessions that the offering plans now."""
    course, times = _course_and_times(db, offering_id)
    return of_course(course, _minutes(times))


def _course_and_times(db: Session, offering_id: int) -> tuple[Course, Sequence[Times]]:
    """Read the course of an offering with its prerequisites, and the times of the sessions. Two statements."""
    course = (
        db.scalars(
            select(Course).join(Offering).where(Offering.id == offering_id).options(joinedload(Course.prerequisites))
        )
        .unique()
        .one()
    )
    times = db.execute(
        select(CourseSession.starts_at, CourseSession.ends_at).where(CourseSession.offering_id == offering_id)
    )
    return course, [(starts_at, ends_at) for starts_at, ends_at in times]


def _minutes(times: Sequence[Times]) -> list[int]:
    return [planned_minutes(starts_at, ends_at) for starts_at, ends_at in times]


def _standings(
    db: Session, offering_id: int, course: Course, times: Sequence[Times], enrolments: Sequence[Enrolment]
) -> dict[int, HoldingStanding]:
    """How the trainees stand against what the course demands to be held, by trainee: one statement where it demands it.

    A course that gives no certificate refuses none.
    """
    day = clock.last_branch_day([starts_at for starts_at, _ in times])
    demands = prerequisites.in_force(course, day) if course.certificate_type is not None else ()
    return prerequisites.of_enrolments(db, demands, enrolments, day=day, offering_id=offering_id)


def write(db: Session, judged: Sequence[Judgement]) -> None:
    """Write each judgement to its enrolment. Writing the same judgements again changes nothing."""
    for judgement in judged:
        enrolment, verdict = judgement.enrolment, judgement.verdict
        enrolment.sessions_attended, enrolment.minutes_attended = judgement.sessions_attended, judgement.minutes
        enrolment.state = verdict.state
        enrolment.shortfalls = [str(shortfall) for shortfall in verdict.shortfalls]
        enrolment.certificate_due = verdict.certificate_due
    db.flush()
