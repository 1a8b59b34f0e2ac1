"""Assessments: the attempts of a trainee, each with theory score, skills checklist and examiner. A retest is an attempt."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload, selectinload

from courses.assessment import late_results, marking, retests, skill_results, theory_marks
from courses.assessment.entitlement import TraineeResults
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
from lms.core.name_order import by_sound
from lms.core.scope import Scope, visible

NOTE_LIMIT = 500


@dataclass(frozen=True)
class AttemptFacts:
    """An attempt as lists show it. skills: the examined skills by id, with whether they were passed."""

    attempt: int
    theory: int | None
    skills: dict[int, bool]
    examiner_id: int | None = None

    @property
    def marked(self) -> bool:
        """Return whether anything was examined in the attempt."""
        return self.theory is not None or bool(self.skills)


@dataclass(frozen=True)
class ResultRow:
    """A trainee in the list of results, with the attempts in their order."""

    enrolment_id: int
    name: str
    attended: bool
    attempts: Sequence[AttemptFacts]

    @property
    def results(self) -> TraineeResults:
        """Return the results over all attempts."""
        return results_of(self.attempts)


def attempts_by_enrolment(db: Session, offering_id: int) -> dict[int, list[AttemptFacts]]:
    """Read the attempts of an offering in their order, by enrolment id; enrolments without one are left out."""
    attempts: dict[int, list[AttemptFacts]] = defaultdict(list)
    by_id: dict[int, AttemptFacts] = {}
    of_offering = Assessment.enrolment_id.in_(select(Enrolment.id).where(Enrolment.offering_id == offering_id))
    for row in db.execute(
        select(
            Assessment.id, Assessment.enrolment_id, Assessment.attempt, Assessment.theory_score, Assessment.examiner_id
        )
        .where(of_offering)
        .order_by(Assessment.attempt)
    ):
        by_id[row.id] = AttemptFacts(row.attempt, row.theory_score, {}, row.examiner_id)
        attempts[row.enrolment_id].append(by_id[row.id])
    for assessment_id, skill_id, passed in db.execute(
        select(SkillResult.assessment_id, SkillResult.skill_id, SkillResult.passed)
        .join(Assessment, Assessment.id == SkillResult.assessment_id)
        .where(of_offering)
    ):
        by_id[assessment_id].skills[skill_id] = passed
    return dict(attempts)


def results_of(attempts: Sequence[AttemptFacts]) -> TraineeResults:
    """Return the results of a trainee over all attempts."""
    return TraineeResults(
        tuple(attempt.theory for attempt in attempts if attempt.theory is not None),
        tuple(pair for attempt in attempts for pair in attempt.skills.items()),
    )


def results_by_enrolment(db: Session, offering_id: int) -> dict[int, TraineeResults]:
    """Read the results of an offering over all attempts, by enrolment id; enrolments without an attempt are left out."""
    return {
        enrolment_id: results_of(attempts) for enrolment_id, attempts in attempts_by_enrolment(db, offering_id).items()
    }


def result_rows(db: Session, offering_id: int) -> list[ResultRow]:
    """Read the trainees with a place, by the pinyin of their names, with their results."""
    attended = exists(select(1).where(Attendance.enrolment_id == Enrolment.id))
    rows = db.execute(
        select(Enrolment.id, Trainee.name, attended)
        .join(Enrolment.trainee)
        .where(Enrolment.offering_id == offering_id, Enrolment.state.in_(HOLDS_PLACE))
    ).all()
    attempts = attempts_by_enrolment(db, offering_id)
    result_list = [
        ResultRow(enrolment_id, name, was_present, attempts.get(enrolment_id, ()))
        for enrolment_id, name, was_present in rows
    ]
    return sorted(result_list, key=lambda row: (by_sound(row.name), row.enrolment_id))


def enrolment_in(db: Session, offering_id: int, enrolment_id: int, scope: Scope) -> Enrolment:
    """Load one enrolment of an offering with its trainee and course, within the scope. Raises NotFound."""
    row = db.scalars(
        visible(select(Enrolment), Enrolment, scope)
        .where(Enrolment.id == enrolment_id, Enrolment.offering_id == offering_id, Enrolment.state.in_(HOLDS_PLACE))
        .options(joinedload(Enrolment.trainee), joinedload(Enrolment.offering).joinedload(Offering.course))
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def attempts_of(db: Session, enrolment_id: int) -> Sequence[Assessment]:
    """Load a trainee's attempts in their order."""
    return db.scalars(
        select(Assessment)
        .where(Assessment.enrolment_id == enrolment_id)
        .options(joinedload(Assessment.examiner), selectinload(Assessment.skills))
        .order_by(Assessment.attempt)
        .execution_options(populate_existing=True)
    ).all()


def form_version(attempts: Sequence[Assessment], waiting: int = 0) -> str:
    """The version that a form carries: the latest attempt's number, the number of late results, and the stored values.

    The form sends it back, so that only the fields that were changed on the form are written (`marking.merge`).
    """
    stored = marking.field_values(marks_of(attempts[-1])) if attempts else {}
    return marking.version_text(attempts[-1].attempt if attempts else 0, waiting, stored)


def marks_of(attempt: Assessment | None) -> Marks:
    """Return the marks of an attempt; empty marks for None."""
    if attempt is None:
        return Marks(None)
    skills = {result.skill_id: result.passed for result in attempt.skills}
    return Marks(attempt.theory_score, skills, attempt.examiner_id, attempt.note)


def eligible_examiners(db: Session, offering: Offering, day: date) -> list[Instructor]:
    """Read the instructors who may examine an offering on a day.

    They are qualified for its programme on that day and registered in its district, or they teach it.
    """
    qualified = register.qualified(
        db, offering.course.programme_code, day, Scope(district_ids=frozenset({offering.district_id}))
    )
    qualified_ids = {instructor.id for instructor in qualified}
    return qualified + [instructor for instructor in teachers(db, offering.id) if instructor.id not in qualified_ids]


def teachers(db: Session, offering_id: int) -> Sequence[Instructor]:
    """Read the instructors who lead or assist at any session of an offering, by name."""
    teaching = (
        select(SessionInstructor.instructor_id)
        .join(CourseSession, CourseSession.id == SessionInstructor.course_session_id)
        .where(CourseSession.offering_id == offering_id, SessionInstructor.role != TeachingRole.EXAMINER)
    )
    return db.scalars(
        select(Instructor).where(Instructor.id.in_(teaching)).order_by(Instructor.name_sound, Instructor.id)
    ).all()


def instructor_of(db: Session, user_id: int | None) -> Instructor | None:
    """Read the instructor to whom an account belongs, if there is one."""
    return db.scalars(select(Instructor).where(Instructor.user_id == user_id)).one_or_none() if user_id else None


def next_without_result(db: Session, offering_id: int, after: int) -> int | None:
    """Find the next trainee after one in the list who was present and has no result; None where there is none.

    The search goes on at the top of the list after its end.
    """
    rows = result_rows(db, offering_id)
    position = next((index for index, row in enumerate(rows) if row.enrolment_id == after), -1)
    following = rows[position + 1 :] + rows[: max(position, 0)]
    return next((row.enrolment_id for row in following if row.attended and not row.attempts), None)


def save(
    db: Session, enrolment: Enrolment, marks: Marks, *, seen: str, retest: bool, reason: str | None = None
) -> Assessment:
    """Save the latest attempt, or a new one where `retest` is true or there is none.

    seen: the `form_version` that the form carried. Only the fields that differ from it are written, so that two examiners
    of one trainee overwrite nothing of each other; DomainError `result_changed` where both changed one field differently.
    reason: needed for a closed offering (DomainError `reason_missing`). Only `courses.closing.correction` passes one,
    because it judges and counts the offering again.
    """
    offering = db.scalars(select(Offering).where(Offering.id == enrolment.offering_id).with_for_update(read=True)).one()
    _refuse_unless_open(offering, reason)
    db.execute(select(Enrolment.id).where(Enrolment.id == enrolment.id).with_for_update())
    attempts = attempts_of(db, enrolment.id)
    latest = None if retest or not attempts else attempts[-1]
    before = marks_of(latest)
    marks = marking.merge(
        seen, marks, before, attempts=len(attempts), retest=retest, waiting=count_late_results(db, enrolment)
    )
    _refuse_unless_valid(db, offering, marks)
    return write(db, enrolment.id, attempts, latest, marks, reason=reason)


def write(
    db: Session,
    enrolment_id: int,
    attempts: Sequence[Assessment],
    latest: Assessment | None,
    marks: Marks,
    *,
    reason: str | None = None,
) -> Assessment:
    """Write valid marks to the attempt `latest`, or to a new one for None, with their events and the audit entry.

    The caller has locked the offering and the enrolment, and has merged the marks with the stored ones.
    """
    now, before = clock.now(), marks_of(latest)
    attempt = latest or Assessment(enrolment_id=enrolment_id, attempt=len(attempts) + 1, started_at=now)
    facts = _facts(latest) if latest is not None else None
    attempt.theory_score, attempt.examiner_id, attempt.note, attempt.assessed_at = (
        marks.theory_score,
        marks.examiner_id,
        marks.note,
        now,
    )
    db.add(attempt)
    db.flush()
    if marks.theory_score != before.theory_score:
        theory_marks.add_event(db, (enrolment_id, attempt.attempt), marks.theory_score, now=now)
    if latest is None and attempts:
        retests.add_event(db, (enrolment_id, attempt.attempt), now=now)
    _set_skills(db, attempt, before.skills, marks.skills, now)
    audit.record(db, "assessment.save", f"enrolment:{enrolment_id}", before=facts, after=_facts(attempt), reason=reason)
    return attempt


def count_late_results(db: Session, enrolment: Enrolment) -> int:
    """Count the late results of a trainee that nobody has taken into account by saving."""
    return sum(late.enrolment_id == enrolment.id for late in late_results.waiting(db, enrolment.offering_id))


def _refuse_unless_open(offering: Offering, reason: str | None) -> None:
    if offering.state == OfferingState.CLOSED and not reason:
        raise DomainError(
            "reason_missing", N_("This offering is closed. Enter a reason for changing the result."), field="reason"
        )
    if offering.state not in (OfferingState.PUBLISHED, OfferingState.CLOSED):
        raise DomainError("not_running", N_("This offering is not running, so results cannot be entered."))


def _refuse_unless_valid(db: Session, offering: Offering, marks: Marks) -> None:
    if marks.theory_score is None and not marks.skills:
        raise DomainError("nothing_entered", N_("Enter a theory score or at least one skill."))
    if marks.theory_score is not None and not 0 <= marks.theory_score <= 100:
        raise DomainError("score_range", N_("The theory score is between 0 and 100."), field="theory_score")
    skill_ids = set(db.scalars(select(CourseSkill.id).where(CourseSkill.course_id == offering.course_id)))
    if not set(marks.skills) <= skill_ids:
        raise NotFound


def _set_skills(
    db: Session, attempt: Assessment, before: Mapping[int, bool], after: Mapping[int, bool], now: datetime
) -> None:
    """Record an event for each skill that differs, and write what counts now; None takes a skill's result away."""
    if before == after:
        return
    changed = {
        skill_id: after.get(skill_id) for skill_id in {**before, **after} if before.get(skill_id) != after.get(skill_id)
    }
    events = [
        (uuid4(), (attempt.enrolment_id, skill_id, attempt.attempt), passed) for skill_id, passed in changed.items()
    ]
    skill_results.add_events(db, events, now=now)
    skill_results.write_results(db, attempt.id, changed)
    db.refresh(attempt, ["skills"])


def _facts(attempt: Assessment) -> dict[str, Any]:
    """An attempt as JSON for the audit trail."""
    skills = sorted(attempt.skills, key=lambda result: result.skill_id)
    return {
        "attempt": attempt.attempt,
        "theory_score": attempt.theory_score,
        "skills": {str(result.skill_id): result.passed for result in skills},
        "examiner": attempt.examiner_id,
        "note": attempt.note,
    }
