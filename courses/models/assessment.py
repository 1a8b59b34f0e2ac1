"""Assessments: theory, the skills checklist, the examiner, and retests; and every skill result as it came in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.catalogue import CourseSkill
from courses.models.enrolment import Enrolment
from instructors.models import Instructor
from lms.core import clock
from lms.core.db import Base, EnumText, Identifier


class Assessment(Base):
    """One attempt of one enrolment: 1 is the first, later ones are retests. `theory_score` in per cent.

    started_at: when the attempt was opened. A skill result that a device made belongs to the last attempt begun by then.
    """

    __tablename__ = "assessment"

    id: Mapped[Identifier]
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    attempt: Mapped[int] = mapped_column(SmallInteger)
    theory_score: Mapped[int | None] = mapped_column(SmallInteger)
    examiner_id: Mapped[int | None] = mapped_column(ForeignKey("instructor.id"))
    started_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    assessed_at: Mapped[datetime]
    note: Mapped[str | None]

    enrolment: Mapped[Enrolment] = relationship()
    examiner: Mapped[Instructor | None] = relationship()
    skills: Mapped[list["SkillResult"]] = relationship(back_populates="assessment", cascade="all, delete-orphan")

    __table_args__ = (
        UniqueConstraint("enrolment_id", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("theory_score BETWEEN 0 AND 100", name="theory_score"),
        Index("ix_assessment_examiner_id", "examiner_id", postgresql_where="examiner_id IS NOT NULL"),
    )


class SkillResult(Base):
    """One skill of the checklist in one attempt: passed or not yet. It is what the attempt's skill events fold to."""

    __tablename__ = "skill_result"

    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("course_skill.id"), primary_key=True)
    passed: Mapped[bool]

    assessment: Mapped[Assessment] = relationship(back_populates="skills")
    skill: Mapped[CourseSkill] = relationship()


class LateReason(StrEnum):
    """Why a skill result counts for nothing until somebody who may correct takes it in."""

    OFFERING_CLOSED = "offering_closed"
    NOT_RUNNING = "not_running"
    NOT_ENROLLED = "not_enrolled"


class SkillEvent(Base):
    """One result of one skill as it came in, from a device or from the page. Its id is made where it happened. Never altered.

    passed: null takes an earlier result back (“not examined”). happened_at: the moment that counts, `told_at` put right by
    the offset of the device's clock. review: why it counts for nothing; null when it counted at once.
    """

    __tablename__ = "skill_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int | None] = mapped_column(ForeignKey("course_session.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    skill_id: Mapped[int] = mapped_column(ForeignKey("course_skill.id"), index=True)
    attempt: Mapped[int] = mapped_column(SmallInteger)
    passed: Mapped[bool | None]
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    told_at: Mapped[datetime | None]
    offset_ms: Mapped[int | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    review: Mapped[LateReason | None] = mapped_column(EnumText(LateReason))

    skill: Mapped[CourseSkill] = relationship()

    __table_args__ = (
        Index("ix_skill_event_cell", "enrolment_id", "skill_id", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("review IN ('offering_closed', 'not_running', 'not_enrolled')", name="review"),
    )
