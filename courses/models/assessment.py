"""Assessments: theory, the skills checklist, the examiner, and retests."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.catalogue import CourseSkill
from courses.models.enrolment import Enrolment
from instructors.models import Instructor
from lms.core.db import Base, Identifier


class Assessment(Base):
    """One attempt of one enrolment: 1 is the first, later ones are retests. `theory_score` in per cent."""

    __tablename__ = "assessment"

    id: Mapped[Identifier]
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    attempt: Mapped[int] = mapped_column(SmallInteger)
    theory_score: Mapped[int | None] = mapped_column(SmallInteger)
    examiner_id: Mapped[int | None] = mapped_column(ForeignKey("instructor.id"))
    assessed_at: Mapped[datetime]
    note: Mapped[str | None]

    enrolment: Mapped[Enrolment] = relationship()
    examiner: Mapped[Instructor | None] = relationship()
    skills: Mapped[list["SkillResult"]] = relationship(back_populates="assessment", cascade="all, delete-orphan")

    __table_args__ = (
        UniqueConstraint("enrolment_id", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("theory_score BETWEEN 0 AND 100", name="theory_score"),
    )


class SkillResult(Base):
    """One skill of the checklist in one attempt: passed or not yet."""

    __tablename__ = "skill_result"

    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("course_skill.id"), primary_key=True)
    passed: Mapped[bool]

    assessment: Mapped[Assessment] = relationship(back_populates="skills")
    skill: Mapped[CourseSkill] = relationship()
