"""Late results: stored without effect, and shown to a user who may correct until results of that trainee are saved."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, contains_eager

from courses.models.assessment import Assessment, LateReason, RetestEvent, SkillEvent, TheoryEvent
from courses.models.catalogue import CourseSkill
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.accounts.models import User


@dataclass(frozen=True)
class LateResult:
    """A late result: of which trainee, the sender's name, its moment, and why it does not count.

    skill, passed: of a skill result. score: of a theory mark. A late result with neither starts a retest.
    """

    enrolment_id: int
    name: str
    by: str | None
    moment: datetime
    reason: LateReason
    skill: CourseSkill | None = None
    passed: bool | None = None
    score: int | None = None

    @property
    def is_retest(self) -> bool:
        """Return whether it is the start of a retest."""
        return self.skill is None and self.score is None


def waiting(db: Session, offering_id: int) -> list[LateResult]:
    """Read the late results of an offering that were received after the last saving of that trainee's results, by moment."""
    results = []
    skill_rows = _waiting(SkillEvent, offering_id).join(SkillEvent.skill).options(contains_eager(SkillEvent.skill))
    for event, name, by in db.execute(skill_rows.where(SkillEvent.passed.is_not(None))):
        results.append(_late(event, name, by, skill=event.skill, passed=event.passed))
    for event, name, by in db.execute(_waiting(TheoryEvent, offering_id).where(TheoryEvent.score.is_not(None))):
        results.append(_late(event, name, by, score=event.score))
    for event, name, by in db.execute(_waiting(RetestEvent, offering_id)):
        results.append(_late(event, name, by))
    return sorted(results, key=lambda result: result.moment)


def _waiting(kind: Any, offering_id: int) -> Select[Any]:
    last_saved = (
        select(func.max(Assessment.assessed_at)).where(Assessment.enrolment_id == kind.enrolment_id).scalar_subquery()
    )
    received_since: ColumnElement[bool] = func.coalesce(kind.received_at > last_saved, True)
    return (
        select(kind, Trainee.name, User.name)
        .join(Enrolment, Enrolment.id == kind.enrolment_id)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(User, User.id == kind.user_id)
        .where(Enrolment.offering_id == offering_id, kind.review.is_not(None), received_since)
        .order_by(kind.happened_at, kind.id)
    )


def _late(event: Any, name: str, by: str | None, **facts: Any) -> LateResult:
    return LateResult(event.enrolment_id, name, by, event.happened_at, event.review, **facts)
