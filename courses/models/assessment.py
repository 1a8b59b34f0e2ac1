"""Assessments: theory score, skills checklist, examiner and retests; and their events as they were received."""

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
from lms.core.records import of_record


class Assessment(Base):
    """An attempt of an enrolment. Attempt 1 is the first assessment, and later attempts are retests.

    `theory_score` is in per cent. `started_at` is the moment at which the attempt was opened: a skill result from a
    device belongs to the last attempt that was open when the result was made.
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
    """The result of one skill of the checklist in one attempt.

    The row is derived by folding the attempt's skill events.
    """

    __tablename__ = "skill_result"

    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("course_skill.id"), primary_key=True)
    passed: Mapped[bool]

    assessment: Mapped[Assessment] = relationship(back_populates="skills")
    skill: Mapped[CourseSkill] = relationship()


class LateReason(StrEnum):
    """Why a result or a retest arrived too late: it does not count until a person with the right to correct accepts it."""

    OFFERING_CLOSED = "offering_closed"
    NOT_RUNNING = "not_running"
    NOT_ENROLLED = "not_enrolled"


@of_record("received_at")
class SkillEvent(Base):
    """A result of one skill, as a device or the results page sent it.

    The sender makes the id. The row is never altered.

    `passed` is null where the event takes an earlier result back (“not examined”). `happened_at` is the moment that
    counts: the device's own time (`told_at`), corrected by the offset of the device's clock. `review` says why the
    result does not count; it is null when the result counted at once.
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


@of_record("received_at")
class TheoryEvent(Base):
    """A theory score of one attempt, as a device or the results page sent it.

    `score` is null where the event takes an earlier score back. The other columns are those of `SkillEvent`.
    """

    __tablename__ = "theory_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int | None] = mapped_column(ForeignKey("course_session.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    attempt: Mapped[int] = mapped_column(SmallInteger)
    score: Mapped[int | None] = mapped_column(SmallInteger)
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    told_at: Mapped[datetime | None]
    offset_ms: Mapped[int | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    review: Mapped[LateReason | None] = mapped_column(EnumText(LateReason))

    __table_args__ = (
        Index("ix_theory_event_attempt", "enrolment_id", "attempt"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        CheckConstraint("review IN ('offering_closed', 'not_running', 'not_enrolled')", name="review"),
    )


@of_record("received_at")
class RetestEvent(Base):
    """The start of a retest, as a device or the results page sent it.

    `attempt` is the attempt that it starts. Two events of one attempt start it once, at the earlier of their moments. The
    other columns are those of `SkillEvent`.
    """

    __tablename__ = "retest_event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_session_id: Mapped[int | None] = mapped_column(ForeignKey("course_session.id"), index=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    attempt: Mapped[int] = mapped_column(SmallInteger)
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    told_at: Mapped[datetime | None]
    offset_ms: Mapped[int | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    review: Mapped[LateReason | None] = mapped_column(EnumText(LateReason))

    __table_args__ = (
        Index("ix_retest_event_attempt", "enrolment_id", "attempt"),
        CheckConstraint("attempt >= 2", name="attempt"),
        CheckConstraint("review IN ('offering_closed', 'not_running', 'not_enrolled')", name="review"),
    )
