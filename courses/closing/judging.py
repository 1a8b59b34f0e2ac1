"""Judging the enrolments of an offering: attendances and results are compared with what the course requires.

The rule itself is `courses.assessment.entitlement`; this module reads its input from the database and writes its
verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from courses.assessment import assessment
from courses.assessment.entitlement import (
    CourseRequirements,
    EntitlementVerdict,
    TraineeResults,
    judge,
)
from courses.assessment.requirements import of_course
from courses.counting.person_time import attended_minutes
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering
from courses.models.trainees import Trainee
from courses.offerings.class_hours import planned_minutes
from lms.core.name_order import by_sound


@dataclass(frozen=True)
class Judgement:
    """The verdict on one enrolment, with the facts that it rests on. `minutes`: attended, summed over all sessions."""

    demand: CourseRequirements
    enrolment: Enrolment
    sessions_attended: int
    minutes: int
    results: TraineeResults
    verdict: EntitlementVerdict


def judgements(db: Session, offering_id: int) -> list[Judgement]:
    """Judge every enrolment that holds a place, by what is recorded now; in the order of names. Writes nothing."""
    demand = requirements(db, offering_id)
    rows = db.execute(
        select(Enrolment, Trainee.name)
        .join(Enrolment.trainee)
        .where(Enrolment.offering_id == offering_id, Enrolment.state.in_(HOLDS_PLACE))
        .options(contains_eager(Enrolment.trainee))
    ).all()
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
        verdict = judge(demand, name=name, sessions_attended=sessions, minutes_attended=minutes, results=results)
        judged.append(Judgement(demand, enrolment, sessions, minutes, results, verdict))
    return judged


def requirements(db: Session, offering_id: int) -> CourseRequirements:
    """Return what the course of an offering requires, over the sessions that the offering plans now."""
    course = db.scalars(select(Course).join(Offering).where(Offering.id == offering_id)).one()
    times = db.execute(
        select(CourseSession.starts_at, CourseSession.ends_at).where(CourseSession.offering_id == offering_id)
    )
    return of_course(course, [planned_minutes(starts_at, ends_at) for starts_at, ends_at in times])


def write(db: Session, judged: Sequence[Judgement]) -> None:
    """Write each judgement to its enrolment. Writing the same judgements again changes nothing."""
    for judgement in judged:
        enrolment, verdict = judgement.enrolment, judgement.verdict
        enrolment.sessions_attended, enrolment.minutes_attended = judgement.sessions_attended, judgement.minutes
        enrolment.state = verdict.state
        enrolment.shortfalls = [str(shortfall) for shortfall in verdict.shortfalls]
        enrolment.certificate_due = verdict.certificate_due
    db.flush()
