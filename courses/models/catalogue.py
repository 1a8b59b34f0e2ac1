"""Programmes (the courses that reports count together), courses (syllabuses) and their skills checklists."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Numeric,
    Select,
    SmallInteger,
    UniqueConstraint,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core.constraints import register_refusal
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.scope import Scope


class Programme(Base):
    """A training programme. Certificate numbers contain its `short_code`, for example FR in BJ-FR-2026-0000123-C."""

    __tablename__ = "programme"

    code: Mapped[str] = mapped_column(primary_key=True)
    short_code: Mapped[str] = mapped_column(unique=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    position: Mapped[int] = mapped_column(SmallInteger, default=0)

    __table_args__ = (CheckConstraint("short_code ~ '^[A-Z]{1,4}$'", name="short_code"),)


class AttendanceRule(StrEnum):
    """The attendance that a course requires, judged over the sessions that an offering planned.

    all: presence at every session. share: at least the per cent `minutes_share` of the planned minutes of all sessions.
    all_and_share: both.
    """

    ALL = "all"
    SHARE = "share"
    ALL_AND_SHARE = "all_and_share"


class Course(Base):
    """A syllabus. Its columns hold every requirement that a trainee must meet to be certified.

    `hours` are class hours. `attendance_rule` and `minutes_share` (per cent; None where the rule is `all`) say how much
    of an offering a trainee must attend. `pass_mark` is the per cent needed in the theory test, or None without a test.
    `validity_months` is None for a certificate that does not expire. `trainee_ratio` is the number of trainees for each
    instructor above which planners are warned. `certificate_type` is the number in the certificate's code, or None where
    the course gives no certificate. `bring_zh` and `bring_en` say what trainees bring, for the public page of each offering.
    """

    __tablename__ = "course"

    id: Mapped[Identifier]
    code: Mapped[str] = mapped_column(unique=True)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code"), index=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    hours: Mapped[Decimal] = mapped_column(Numeric(5, 1))
    attendance_rule: Mapped[AttendanceRule] = mapped_column(EnumText(AttendanceRule), default=AttendanceRule.ALL)
    minutes_share: Mapped[int | None] = mapped_column(SmallInteger)
    pass_mark: Mapped[int | None] = mapped_column(SmallInteger)
    validity_months: Mapped[int | None] = mapped_column(SmallInteger)
    trainee_ratio: Mapped[int | None] = mapped_column(SmallInteger)
    capacity: Mapped[int] = mapped_column(SmallInteger)
    certificate_type: Mapped[int | None] = mapped_column(SmallInteger)
    refresher: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    bring_zh: Mapped[str | None]
    bring_en: Mapped[str | None]

    programme: Mapped[Programme] = relationship()
    skills: Mapped[list["CourseSkill"]] = relationship(
        back_populates="course", cascade="all, delete-orphan", order_by="CourseSkill.position"
    )
    prerequisites: Mapped[list["CoursePrerequisite"]] = relationship(
        cascade="all, delete-orphan", order_by="CoursePrerequisite.certificate_type"
    )

    __table_args__ = (
        CheckConstraint("hours > 0", name="hours"),
        CheckConstraint("attendance_rule IN ('all', 'share', 'all_and_share')", name="attendance_rule"),
        CheckConstraint("(attendance_rule = 'all') = (minutes_share IS NULL)", name="minutes_share_used"),
        CheckConstraint("minutes_share BETWEEN 1 AND 100", name="minutes_share"),
        CheckConstraint("pass_mark BETWEEN 1 AND 100", name="pass_mark"),
        CheckConstraint("validity_months >= 1", name="validity_months"),
        CheckConstraint("trainee_ratio >= 1", name="trainee_ratio"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint("certificate_type BETWEEN 0 AND 255", name="certificate_type"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:  # noqa: ARG003  # the catalogue is public
        """Every row: everybody may read the catalogue."""
        return true()


def courses_by_type() -> Select[Course]:
    """Return a statement with one course for each certificate type, in their order: the full course and not its refresher.

    Its names and hours are those of the type, wherever a type is named.
    """
    return (
        select(Course)
        .where(Course.certificate_type.is_not(None))
        .order_by(Course.certificate_type, Course.refresher, Course.id)
        .ext(distinct_on(Course.certificate_type))
    )


class CourseSkill(Base):
    """A skill of a course's checklist.

    An inactive skill is off the checklist and stays for the results that refer to it.
    """

    __tablename__ = "course_skill"

    id: Mapped[Identifier]
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)

    course: Mapped[Course] = relationship(back_populates="skills")

    __table_args__ = (UniqueConstraint("course_id", "position"),)


class CoursePrerequisite(Base):
    """A certificate that a course demands of its trainees. Of several rows, one that is met suffices.

    `certificate_type` must be held. `lapsed_months` is the number of months for which it may have lapsed on the day of the
    class's last session: 0 where it must still be valid, None where any lapse is accepted. `source` names the rule that
    demands it. The row holds for classes whose last session is on the day `since` or later, so that nothing that was closed
    before is judged by it.
    """

    __tablename__ = "course_prerequisite"

    id: Mapped[Identifier]
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id", ondelete="CASCADE"))
    certificate_type: Mapped[int] = mapped_column(SmallInteger)
    lapsed_months: Mapped[int | None] = mapped_column(SmallInteger)
    source: Mapped[str]
    since: Mapped[date]

    __table_args__ = (
        UniqueConstraint("course_id", "certificate_type"),
        CheckConstraint("certificate_type BETWEEN 0 AND 255", name="certificate_type"),
        CheckConstraint("lapsed_months BETWEEN 0 AND 1200", name="lapsed_months"),
        CheckConstraint("source <> ''", name="source"),
    )


register_refusal("uq_course_code", "course_code_taken", N_("Another course has this code."))
register_refusal("pk_programme", "programme_code_taken", N_("Another programme has this code."))
register_refusal("uq_programme_short_code", "programme_short_code_taken", N_("Another programme has these letters."))
register_refusal(
    "uq_course_prerequisite_course_id_certificate_type",
    "prerequisite_twice",
    N_("A certificate type is demanded twice. Remove one of the lines."),
)
