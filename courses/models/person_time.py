"""The person-time ledger: the figures that each offering adds to the reports, and each later correction, with its date."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, case, false, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courses.models.offerings import Offering, OfferingState
from lms.core.db import Base, EnumText, Identifier
from lms.core.records import of_record


class EntryKind(StrEnum):
    """The kind of a ledger entry.

    closing: an offering's first total. correction: a change within an open quarter, dated as the offering. adjustment:
    a change to a frozen quarter, dated in the open quarter. certification: issued certificates, dated on the day of
    issue. withdrawal: the closing is taken back, because the import that made the offering was undone.
    """

    CLOSING = "closing"
    CORRECTION = "correction"
    ADJUSTMENT = "adjustment"
    CERTIFICATION = "certification"
    WITHDRAWAL = "withdrawal"


# The offerings that an entry of a kind adds to a report.
OFFERINGS_OF = {EntryKind.CLOSING: 1, EntryKind.WITHDRAWAL: -1}


@of_record("recorded_at")
class PersonTimeEntry(Base):
    """An entry of the ledger.

    Entries hold differences, so an offering's total is the sum of its entries, and none is altered.

    `enrolled` counts trainees with a place, `named` trainees present at one session or more, `counted` people by
    headcount, `passed` trainees who completed the course, `certificates` issued certificates. `minutes` is the sum of
    attended minutes. `dated_on` is the day on which reports count the figures. `late` is set by a trigger on an entry
    that changes a frozen quarter's figures in the open quarter: an adjustment, a closing dated on another day than
    its offering took place, and the withdrawal of such a closing or of one in a frozen quarter. The number of offerings
    is no column: a closing counts one, and a withdrawal counts one less.
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
        Index("uq_person_time_entry_withdrawal", "offering_id", unique=True, postgresql_where="kind = 'withdrawal'"),
        Index("ix_person_time_entry_dated_on", "dated_on", "offering_id"),
        Index("ix_person_time_entry_late", "dated_on", postgresql_where="late"),
        CheckConstraint("kind IN ('closing', 'correction', 'adjustment', 'certification', 'withdrawal')", name="kind"),
        CheckConstraint("kind NOT IN ('correction', 'adjustment', 'withdrawal') OR reason IS NOT NULL", name="reason"),
        CheckConstraint(
            "(kind IN ('correction', 'adjustment', 'withdrawal')) = (corrects_id IS NOT NULL)", name="corrects"
        ),
    )

    @classmethod
    def offerings(cls) -> ColumnElement[int]:
        """Return the SQL expression of the offerings that an entry adds to a report, see `OFFERINGS_OF`."""
        return case(*((cls.kind == kind, number) for kind, number in OFFERINGS_OF.items()), else_=0)


def is_withdrawn() -> ColumnElement[bool]:
    """A condition on Offering: the import that made the offering was undone. Only its ledger entries remain of it.

    An offering that was cancelled before it took place was never closed, and has no ledger entries.
    """
    # With its limit it is looked up for each cancelled offering; EXISTS under NOT would be hashed from the whole ledger.
    entry = select(PersonTimeEntry.id).where(PersonTimeEntry.offering_id == Offering.id).limit(1).correlate(Offering)
    return (Offering.state == OfferingState.CANCELLED) & entry.scalar_subquery().is_not(None)
