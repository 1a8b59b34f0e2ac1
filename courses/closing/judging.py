"""Enrolments held against their course: what attendances and results come to, and what that earns."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from courses.assessment import assessment
from courses.assessment.entitlement import Demand, Results, Verdict, judge, minutes_needed
from courses.attendance.punctuality import planned_minutes
from courses.counting.person_time import attended_minutes
from courses.models.attendance import Attendance
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering
from courses.models.trainees import Trainee
from lms.core import names


@dataclass(frozen=True)
class Judged:
    """One enrolment held against its course. `minutes` are attended minutes over all sessions."""

    demand: Demand
    enrolment: Enrolment
    sessions_attended: int
    minutes: int
    results: Results
    verdict: Verdict


def judgements(db: Session, offering_id: int) -> list[Judged]:
    """Everybody who holds a place, held against the course by what is recorded now; in the order of names."""
    course = db.scalars(select(Course).join(Offering).where(Offering.id == offering_id)).one()
    hours = db.execute(
        select(CourseSession.starts_at, CourseSession.ends_at).where(CourseSession.offering_id == offering_id)
    )
    planned = sum(planned_minutes(starts_at, ends_at) for starts_at, ends_at in hours)
    demand = Demand(
        sessions_needed=course.sessions_needed,
        minutes_planned=planned,
        minutes_needed=minutes_needed(planned, course.minutes_share),
        pass_mark=course.pass_mark,
        skills=frozenset(skill.id for skill in course.skills if skill.active),
        certificate=course.certificate_type is not None,
    )
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
    shown = assessment.results(db, offering_id)
    found = []
    for enrolment, name in sorted(rows, key=lambda row: (names.by_sound(row[1]), row[0].id)):
        sessions, minutes = presence.get(enrolment.id, (0, 0))
        results = shown.get(enrolment.id, Results())
        verdict = judge(demand, name=name, sessions_attended=sessions, minutes_attended=minutes, results=results)
        found.append(Judged(demand, enrolment, sessions, minutes, results, verdict))
    return found


def finalise(db: Session, offering_id: int) -> list[Judged]:
    """Write to each enrolment what its attendances and results come to. Doing it again changes nothing more."""
    judged = judgements(db, offering_id)
    for one in judged:
        row = one.enrolment
        row.sessions_attended, row.minutes_attended = one.sessions_attended, one.minutes
        row.state = one.verdict.state
        row.shortfalls = [str(shortfall) for shortfall in one.verdict.shortfalls]
        row.certificate_due = one.verdict.certificate_due
    db.flush()
    return judged
