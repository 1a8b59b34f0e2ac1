"""Opening balances: totals from before this system, each with its source.

They are never entered as invented attendances.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core import clock
from lms.core.db import Base, Identifier


class OpeningSource(Base):
    """The document that totals were taken from: a title and the file.

    It can be withdrawn with a reason, never deleted.
    """

    __tablename__ = "opening_source"

    id: Mapped[Identifier]
    title: Mapped[str]
    file_name: Mapped[str]
    media_type: Mapped[str]
    file: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    added_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)", name="withdrawn"),
        CheckConstraint("octet_length(file) <= 8388608", name="file"),
    )


class OpeningBalance(Base):
    """A month's total of one programme in one district.

    `month` is the first day of the month. `active` is false when the source is withdrawn. Balances of two sources for
    the same month, district and programme are added up (a source has one); a person decides whether the second one is
    entered.
    """

    __tablename__ = "opening_balance"

    id: Mapped[Identifier]
    source_id: Mapped[int] = mapped_column(ForeignKey("opening_source.id"), index=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"))
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code"))
    month: Mapped[date]
    person_times: Mapped[int]
    certificates: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)

    source: Mapped[OpeningSource] = relationship()

    __table_args__ = (
        CheckConstraint("extract(day FROM month) = 1", name="month"),
        CheckConstraint("person_times BETWEEN 0 AND 100000000", name="person_times"),
        CheckConstraint("certificates BETWEEN 0 AND 100000000", name="certificates"),
        Index(
            "uq_opening_balance_active",
            "month",
            "district_id",
            "programme_code",
            "source_id",
            unique=True,
            postgresql_where="active",
        ),
    )
