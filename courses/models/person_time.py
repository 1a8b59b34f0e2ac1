"""The person-time ledger: what each offering adds to the figures, and each later correction, dated."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.offerings import Offering
from lms.core.db import Base, EnumText, Identifier


class EntryKind(StrEnum):
    """closing: an offering's first total. correction: a change in an open quarter, dated as the offering.

    adjustment: a change to a frozen quarter, dated in the open one. certification: certificates issued, dated as issued.
    """

    CLOSING = "closing"
    CORRECTION = "correction"
    ADJUSTMENT = "adjustment"
    CERTIFICATION = "certification"


class PersonTimeEntry(Base):
    """One line of the ledger: differences, so that an offering's total is the sum of its lines. Lines are never altered.

    enrolled: trainees with a place. named: trainees present at one session or more. counted: people by headcount.
    minutes: attended, summed. passed: completed. certificates: issued. dated_on: the day the figures count for.
    late: it changes a frozen quarter's figures in the open one: an adjustment, or a closing dated otherwise than its offering
    was held. Set by a trigger, whoever writes the line.
    """

    __tablename__ = "person_time_entry"

    id: Mapped[Identifier]
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"), index=True)
    kind: Mapped[EntryKind] = mapped_column(EnumText(EntryKind))
    dated_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("person_time_entry.id"))
    reason: Mapped[str | None]
    enrolled: Mapped[int] = mapped_column(default=0)
    named: Mapped[int] = mapped_column(default=0)
    counted: Mapped[int] = mapped_column(default=0)
    minutes: Mapped[int] = mapped_column(default=0)
    passed: Mapped[int] = mapped_column(default=0)
    certificates: Mapped[int] = mapped_column(default=0)
    late: Mapped[bool] = mapped_column(server_default=false())

    offering: Mapped[Offering] = relationship()

    __table_args__ = (
        Index("uq_person_time_entry_closing", "offering_id", unique=True, postgresql_where="kind = 'closing'"),
        Index("ix_person_time_entry_dated_on", "dated_on", "offering_id"),
        Index("ix_person_time_entry_late", "dated_on", postgresql_where="late"),
        CheckConstraint("kind IN ('closing', 'correction', 'adjustment', 'certification')", name="kind"),
        CheckConstraint("kind NOT IN ('correction', 'adjustment') OR reason IS NOT NULL", name="reason"),
        CheckConstraint("(kind IN ('correction', 'adjustment')) = (corrects_id IS NOT NULL)", name="corrects"),
    )


class FrozenQuarter(Base):
    """A quarter whose figures were reported: corrections to it appear in the open quarter."""

    __tablename__ = "frozen_quarter"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    quarter: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (CheckConstraint("quarter BETWEEN 1 AND 4", name="quarter"),)
