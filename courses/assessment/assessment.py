"""Results: attempts with a theory score, the skills checklist and the examiner. A retest is a new attempt."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from courses.assessment import late_results, marking, skill_results
from courses.assessment.entitlement import Results
from courses.assessment.marking import Marks
from courses.models.assessment import Assessment, SkillResult
from courses.models.attendance import Attendance
from courses.models.catalogue import CourseSkill
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor, TeachingRole
from courses.models.trainees import Trainee
from instructors import register
from instructors.models import Instructor
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound
from lms.core.names import by_sound
from lms.core.scope import Scope, visible

NOTE_LIMIT = 500


@dataclass(frozen=True)
class Line:
    """One trainee on the list of results."""

    enrolment_id: int
    name: str
    attended: bool
    results: Results
    attempts: int


def results(db: Session, offering_id: int) -> dict[int, Results]:
    """What each enrolment of an offering showed over all attempts; those without any are left out."""
    of_offering = Assessment.enrolment_id.in_(select(Enrolment.id).where(Enrolment.offering_id == offering_id))
    theory: dict[int, list[int]] = defaultdict(list)
    skills: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for enrolment_id, score in db.execute(
        select(Assessment.enrolment_id, Assessment.theory_score).where(of_offering).order_by(Assessment.attempt)
    ):
        theory[enrolment_id] += [score] if score is not None else []
    for enrolment_id, skill_id, passed in db.execute(
        select(Assessment.enrolment_id, SkillResult.skill_id, SkillResult.passed)
        .join(SkillResult, SkillResult.assessment_id == Assessment.id)
        .where(of_offering)
        .order_by(Assessment.attempt)
    ):
        skills[enrolment_id].append((skill_id, passed))
    return {
        enrolment_id: Results(tuple(scores), tuple(skills.get(enrolment_id, ())))
        for enrolment_id, scores in theory.items()
    }


def listing(db: Session, offering_id: int) -> list[Line]:
    """Everybody with a place, by name, with what they showed."""
    came = exists(select(1).where(Attendance.enrolment_id == Enrolment.id))
    attempts = (
        select(func.count()).where(Assessment.enrolment_id == Enrolment.id).correlate(Enrolment).scalar_subquery()
    )
    rows = db.execute(
        select(Enrolment.id, Trainee.name, came, attempts)
        .join(Enrolment.trainee)
        .where(Enrolment.offering_id == offering_id, Enrolment.state.in_(HOLDS_PLACE))
    ).all()
    shown = results(db, offering_id)
    lines = [
        Line(enrolment_id, name, present, shown.get(enrolment_id, Results()), number)
        for enrolment_id, name, present, number in rows
    ]
    return sorted(lines, key=lambda line: (by_sound(line.name), line.enrolment_id))


def enrolment_in(db: Session, offering_id: int, enrolment_id: int, scope: Scope) -> Enrolment:
    """One enrolment of an offering with its trainee and course, if the reader may see it. Raises NotFound."""
    row = db.scalars(
        visible(select(Enrolment), Enrolment, scope)
        .where(Enrolment.id == enrolment_id, Enrolment.offering_id == offering_id, Enrolment.state.in_(HOLDS_PLACE))
        .options(joinedload(Enrolment.trainee), joinedload(Enrolment.offering).joinedload(Offering.course))
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def attempts_of(db: Session, enrolment_id: int) -> Sequence[Assessment]:
    """A trainee's attempts, the first first."""
    return db.scalars(
        select(Assessment)
        .where(Assessment.enrolment_id == enrolment_id)
        .options(joinedload(Assessment.examiner), selectinload(Assessment.skills))
        .order_by(Assessment.attempt)
        .execution_options(populate_existing=True)
    ).all()


def version(attempts: Sequence[Assessment], waiting: int = 0) -> str:
    """What a form is filled in against: the latest attempt's number, how many late results wait, and what stands there.

    It is sent back with the form, so that only what was changed on it is written (`marking.merged`).
    """
    stands = marking.cells_of(marks_of(attempts[-1])) if attempts else {}
    return marking.written(attempts[-1].attempt if attempts else 0, waiting, stands)


def marks_of(attempt: Assessment | None) -> Marks:
    """An attempt as marks; empty ones for none."""
    if attempt is None:
        return Marks(None)
    skills = {result.skill_id: result.passed for result in attempt.skills}
    return Marks(attempt.theory_score, skills, attempt.examiner_id, attempt.note)


def examiners(db: Session, offering: Offering, day: date) -> list[Instructor]:
    """Who may examine: qualified for the programme on that day and registered in the offering's district, or teaching it."""
    found = register.qualified(
        db, offering.course.programme_code, day, Scope(district_ids=frozenset({offering.district_id}))
    )
    known = {person.id for person in found}
    return found + [person for person in teachers(db, offering.id) if person.id not in known]


def teachers(db: Session, offering_id: int) -> Sequence[Instructor]:
    """Those who lead or assist at any session of an offering."""
    teaching = (
        select(SessionInstructor.instructor_id)
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .where(CourseSession.offering_id == offering_id, SessionInstructor.role != TeachingRole.EXAMINER)
    )
    return db.scalars(select(Instructor).where(Instructor.id.in_(teaching)).order_by(Instructor.name)).all()


def instructor_of(db: Session, user_id: int | None) -> Instructor | None:
    """The instructor whose account this is, if it is one's."""
    return db.scalars(select(Instructor).where(Instructor.user_id == user_id)).one_or_none() if user_id else None


def next_without(db: Session, offering_id: int, after: int) -> int | None:
    """The next trainee of the list who was present and has no result yet; None when all have one."""
    lines = listing(db, offering_id)
    place = next((index for index, line in enumerate(lines) if line.enrolment_id == after), -1)
    turned = lines[place + 1 :] + lines[: max(place, 0)]
    return next((line.enrolment_id for line in turned if line.attended and not line.attempts), None)


def save(
    db: Session, enrolment: Enrolment, marks: Marks, *, seen: str, retest: bool, reason: str | None = None
) -> Assessment:
    """Save the latest attempt, or a new one.

    seen: the `version` that the form was filled in against. Only what differs from it is written, so that two examiners
    of one trainee take nothing from each other; DomainError `result_changed` where both changed the same. A closed
    offering needs a reason; only `courses.closing.correction` calls with one, for it makes the totals follow.
    """
    offering = db.scalars(select(Offering).where(Offering.id == enrolment.offering_id).with_for_update(read=True)).one()
    _refuse_unless_open(offering, reason)
    db.execute(select(Enrolment.id).where(Enrolment.id == enrolment.id).with_for_update())
    attempts = attempts_of(db, enrolment.id)
    latest = None if retest or not attempts else attempts[-1]
    before = marks_of(latest)
    marks = marking.merged(seen, marks, before, attempts=len(attempts), retest=retest, waiting=waiting(db, enrolment))
    _refuse_unless_sound(db, offering, marks)
    now = clock.now()
    row = latest or Assessment(enrolment_id=enrolment.id, attempt=len(attempts) + 1, started_at=now)
    facts = _facts(latest) if latest is not None else None
    row.theory_score, row.examiner_id, row.note, row.assessed_at = (
        marks.theory_score,
        marks.examiner_id,
        marks.note,
        now,
    )
    db.add(row)
    db.flush()
    _set_skills(db, row, before.skills, marks.skills, now)
    audit.record(db, "assessment.save", f"enrolment:{enrolment.id}", before=facts, after=_facts(row), reason=reason)
    return row


def waiting(db: Session, enrolment: Enrolment) -> int:
    """How many late results of a trainee wait for somebody who saves."""
    return sum(one.enrolment_id == enrolment.id for one in late_results.waiting(db, enrolment.offering_id))


def _refuse_unless_open(offering: Offering, reason: str | None) -> None:
    if offering.state == OfferingState.CLOSED and not reason:
        raise DomainError("reason_missing", N_("This offering is closed. Say why the result changes."), field="reason")
    if offering.state not in (OfferingState.PUBLISHED, OfferingState.CLOSED):
        raise DomainError("not_running", N_("This offering is not running, so it takes no results."))


def _refuse_unless_sound(db: Session, offering: Offering, marks: Marks) -> None:
    if marks.theory_score is None and not marks.skills:
        raise DomainError("nothing_entered", N_("Enter a theory score or at least one skill."))
    if marks.theory_score is not None and not 0 <= marks.theory_score <= 100:
        raise DomainError("score_range", N_("The theory score is between 0 and 100."), field="theory_score")
    known = set(db.scalars(select(CourseSkill.id).where(CourseSkill.course_id == offering.course_id)))
    if not set(marks.skills) <= known:
        raise NotFound


def _set_skills(
    db: Session, row: Assessment, before: Mapping[int, bool], wanted: Mapping[int, bool], now: datetime
) -> None:
    changed = [skill_id for skill_id in {**before, **wanted} if before.get(skill_id) != wanted.get(skill_id)]
    cells = [(uuid4(), (row.enrolment_id, skill_id, row.attempt), wanted.get(skill_id)) for skill_id in changed]
    skill_results.add(db, cells, now=now)
    skill_results.write(db, row.id, {skill_id: wanted.get(skill_id) for skill_id in changed})
    db.refresh(row, ["skills"])


def _facts(row: Assessment) -> dict[str, Any]:
    return {
        "attempt": row.attempt,
        "theory_score": row.theory_score,
        "skills": {str(result.skill_id): result.passed for result in sorted(row.skills, key=lambda one: one.skill_id)},
        "examiner": row.examiner_id,
        "note": row.note,
    }
