"""Late skill results: stored without effect, and shown to a user who may correct until results of that trainee are saved."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from courses.models.assessment import Assessment, LateReason, SkillEvent
from courses.models.catalogue import CourseSkill
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.accounts.models import User


@dataclass(frozen=True)
class LateResult:
    """A late result: of which trainee and skill, its outcome, the sender's name, its moment, and why it does not count."""

    enrolment_id: int
    name: str
    skill: CourseSkill
    passed: bool
    by: str | None
    moment: datetime
    reason: LateReason


def waiting(db: Session, offering_id: int) -> list[LateResult]:
    """Read the late results of an offering that were received after the last saving of that trainee's results."""
    last_saved = (
        select(func.max(Assessment.assessed_at))
        .where(Assessment.enrolment_id == SkillEvent.enrolment_id)
        .scalar_subquery()
    )
    rows = db.execute(
        select(SkillEvent, Trainee.name, User.name)
        .join(SkillEvent.skill)
        .join(Enrolment, Enrolment.id == SkillEvent.enrolment_id)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(User, User.id == SkillEvent.user_id)
        .options(contains_eager(SkillEvent.skill))
        .where(
            Enrolment.offering_id == offering_id,
            SkillEvent.review.is_not(None),
            func.coalesce(SkillEvent.received_at > last_saved, True),
        )
        .order_by(SkillEvent.happened_at, SkillEvent.id)
    )
    return [
        LateResult(event.enrolment_id, name, event.skill, event.passed, by, event.happened_at, event.review)
        for event, name, by in rows
        if event.passed is not None and event.review is not None
    ]
