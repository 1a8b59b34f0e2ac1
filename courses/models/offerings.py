"""Offerings, their course sessions, and the instructors of each session."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    ScalarSelect,
    SmallInteger,
    UniqueConstraint,
    exists,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

from courses.models.catalogue import Course
from instructors.models import Instructor
from lms.core import clock
from lms.core.constraints import register_refusal
from lms.core.db import Base, EnumText, Identifier
from lms.core.errors import N_
from lms.core.scope import Scope
from lms.organisations.models import District, Organisation

NO_START = datetime(9000, 1, 1, tzinfo=UTC)  # after every session, and within what a datetime of any time zone can be


class OfferingState(StrEnum):
    """The state of an offering: draft → published → closed. A draft or published offering can be cancelled instead."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class TeachingRole(StrEnum):
    """The role of an instructor at a session.

    An examiner judges skills and does not teach: teachers should not examine.
    """

    LEAD = "lead"
    ASSISTANT = "assistant"
    EXAMINER = "examiner"


class Offering(Base):
    """A run of a course, hosted by an organisation in a district.

    `counted_on` is the day on which reports count its person-times: the day of its last session, set when it closes.

    Two columns are about an offering that plans fewer hours than its course (`courses.offerings.class_hours`).
    `certificate_hours` are the hours that its certificates print instead of the course's. `hours_reason` is the reason
    why they print the course's hours all the same.

    `first_starts_at` is the start of its first session, by which lists are ordered, and `NO_START` without a session. The
    database keeps it: a trigger of the sessions writes it.

    The columns from `contact_name` are what the public page says besides (`courses.offerings.public_facts`). `fee` is in
    yuan, 0 where the training is free of charge, and None where nothing is said about it.
    """

    __tablename__ = "offering"

    id: Mapped[Identifier]
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"))
    lead_instructor_id: Mapped[int | None] = mapped_column(ForeignKey("instructor.id"), index=True)
    place: Mapped[str]
    capacity: Mapped[int] = mapped_column(SmallInteger)
    by_invitation: Mapped[bool] = mapped_column(default=False)
    state: Mapped[OfferingState] = mapped_column(EnumText(OfferingState), default=OfferingState.DRAFT)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())
    published_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    counted_on: Mapped[date | None]
    first_starts_at: Mapped[datetime] = mapped_column(default=NO_START, server_default="9000-01-01 00:00:00+00")
    certificate_hours: Mapped[Decimal | None] = mapped_column(Numeric(5, 1))
    hours_reason: Mapped[str | None]
    contact_name: Mapped[str | None]
    contact_phone: Mapped[str | None]
    directions: Mapped[str | None]
    map_address: Mapped[str | None]
    bring: Mapped[str | None]
    fee: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    fee_note: Mapped[str | None]

    course: Mapped[Course] = relationship()
    organisation: Mapped[Organisation] = relationship()
    district: Mapped[District] = relationship()
    lead_instructor: Mapped[Instructor | None] = relationship()
    sessions: Mapped[list["CourseSession"]] = relationship(
        back_populates="offering", cascade="all, delete-orphan", order_by="CourseSession.starts_at"
    )

    __table_args__ = (
        CheckConstraint("state IN ('draft', 'published', 'closed', 'cancelled')", name="state"),
        CheckConstraint("capacity >= 1", name="capacity"),
        CheckConstraint("(state = 'closed') = (counted_on IS NOT NULL AND closed_at IS NOT NULL)", name="closed"),
        CheckConstraint(
            "(state = 'cancelled') = (cancel_reason IS NOT NULL AND cancelled_at IS NOT NULL)",
            name="cancelled",
        ),
        CheckConstraint("certificate_hours > 0", name="certificate_hours"),
        CheckConstraint("fee >= 0", name="fee"),
        CheckConstraint("contact_name IS NULL OR contact_phone IS NOT NULL", name="contact"),
        CheckConstraint("certificate_hours IS NULL OR hours_reason IS NULL", name="hours_decision"),
        Index("ix_offering_district_state", "district_id", "state"),
        Index("ix_offering_counted_on", "counted_on"),
        Index("ix_offering_start", "first_starts_at", "id"),
        Index("ix_offering_state_start", "state", "first_starts_at", "id"),
    )

    @property
    def has_start(self) -> bool:
        """Tell whether the offering has a session, of which `first_starts_at` is the start."""
        return self.first_starts_at != NO_START

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The offerings of the scope's districts and organisations, and those in which the user teaches."""
        if scope.everything:  # a page needs the condition several times, and building the full one takes long
            return true()
        return scope.covers(
            district=cls.district_id,
            organisation=cls.organisation_id,
            instructor=_taught_by(cls.id, scope),
        )


class CourseSession(Base):
    """A meeting of an offering. `headcount` is the number of people who were counted and are not on the roster."""

    __tablename__ = "course_session"

    id: Mapped[Identifier]
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id", ondelete="CASCADE"), index=True)
    place: Mapped[str | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    during: Mapped[Range[datetime]] = mapped_column(
        TSTZRANGE, Computed("tstzrange(starts_at, ends_at, '[)')", persisted=True)
    )
    headcount: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]

    offering: Mapped[Offering] = relationship(back_populates="sessions")
    instructors: Mapped[list["SessionInstructor"]] = relationship(
        back_populates="course_session",
        cascade="all, delete-orphan",
        # The lead, the examiner, then the assistants; those of one role by the sound of their names.
        order_by=lambda: (SessionInstructor.role.desc(), _instructor_sound(), SessionInstructor.instructor_id),
    )

    __table_args__ = (
        UniqueConstraint("id", "during"),
        CheckConstraint("ends_at > starts_at", name="period"),
        CheckConstraint("ends_at - starts_at <= interval '24 hours'", name="length"),
        CheckConstraint("headcount BETWEEN 0 AND 100000", name="headcount"),
        Index("ix_course_session_starts_at", "starts_at"),
        Index("ix_course_session_unclosed", "ends_at", postgresql_where="closed_at IS NULL"),
    )

    @classmethod
    def visible_to(cls, scope: Scope) -> ColumnElement[bool]:
        """The sessions of the offerings that the scope covers."""
        return cls.offering_id.in_(select(Offering.id).where(Offering.visible_to(scope)))


def _instructor_sound() -> ScalarSelect[str]:
    """The key that sorts the instructor of a SessionInstructor by name, see `lms.core.name_order`."""
    return select(Instructor.name_sound).where(Instructor.id == SessionInstructor.instructor_id).scalar_subquery()


class SessionInstructor(Base):
    """An instructor at a session.

    While `active` is set, the exclusion constraint refuses two sessions at the same time.
    """

    __tablename__ = "session_instructor"

    course_session_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    instructor_id: Mapped[int] = mapped_column(ForeignKey("instructor.id"), primary_key=True)
    role: Mapped[TeachingRole] = mapped_column(EnumText(TeachingRole))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    active: Mapped[bool] = mapped_column(default=True)
    arrived_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    course_session: Mapped[CourseSession] = relationship(back_populates="instructors")
    instructor: Mapped[Instructor] = relationship()

    __table_args__ = (
        ForeignKeyConstraint(
            ["course_session_id", "during"],
            ["course_session.id", "course_session.during"],
            onupdate="CASCADE",
            ondelete="CASCADE",
            name="fk_session_instructor_course_session",
        ),
        CheckConstraint("role IN ('lead', 'assistant', 'examiner')", name="role"),
        Index("uq_session_instructor_lead", "course_session_id", unique=True, postgresql_where="role = 'lead'"),
        Index("ix_session_instructor_instructor_id", "instructor_id"),
        ExcludeConstraint(
            (literal_column("int8range(instructor_id, instructor_id, '[]')"), "&&"),
            ("during", "&&"),
            where=literal_column("active"),
            using="gist",
            name="ex_session_instructor_one_place",
        ),
    )


register_refusal(
    "ex_session_instructor_one_place",
    "instructor_busy",
    N_("An instructor would be in two places at once. Choose another instructor or another time."),
)
register_refusal("ck_course_session_period", "session_period", N_("A session must end after it starts."))
register_refusal(
    "ck_course_session_length",
    "session_length",
    N_("A session can last at most 24 hours. Add another session."),
)


def _taught_by(offering_id: Any, scope: Scope) -> ColumnElement[bool]:
    meeting, teaching, person = aliased(CourseSession), aliased(SessionInstructor), aliased(Instructor)
    return exists(
        select(1)
        .select_from(meeting)
        .join(teaching, teaching.course_session_id == meeting.id)
        .join(person, person.id == teaching.instructor_id)
        .where(meeting.offering_id == offering_id, person.user_id == scope.instructor_user_id)
    )
