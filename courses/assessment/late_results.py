"""Skill results that came in too late to count at once: kept, and shown to whoever may correct until results are saved."""

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
class Late:
    """A result that waits: whose, which skill, what, by whom, when it was and why it waits."""

    enrolment_id: int
    name: str
    skill: CourseSkill
    passed: bool
    by: str | None
    moment: datetime
    reason: LateReason


def waiting(db: Session, offering_id: int) -> list[Late]:
    """The results of an offering that still wait: nobody saved results for that person since they came."""
    since = (
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
            func.coalesce(SkillEvent.received_at > since, True),
        )
        .order_by(SkillEvent.happened_at, SkillEvent.id)
    )
    return [
        Late(event.enrolment_id, name, event.skill, event.passed, by, event.happened_at, event.review)
        for event, name, by in rows
        if event.passed is not None and event.review is not None
    ]
