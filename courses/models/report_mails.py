"""Who asked for the monthly or quarterly report by mail, and which of them were owed to whom."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Base, EnumText


class Rhythm(StrEnum):
    """How often a report comes."""

    MONTH = "month"
    QUARTER = "quarter"


class ReportSubscription(Base):
    """Somebody asked for the report in this rhythm. No row: did not ask, or stopped it."""

    __tablename__ = "report_subscription"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    rhythm: Mapped[Rhythm] = mapped_column(EnumText(Rhythm), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())

    __table_args__ = (CheckConstraint("rhythm IN ('month', 'quarter')", name="rhythm"),)


class ReportMail(Base):
    """One mail of one period, owed once: its row is written with the mail. period: "2026-10" or "2026Q3"."""

    __tablename__ = "report_mail"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    rhythm: Mapped[Rhythm] = mapped_column(EnumText(Rhythm), primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    owed_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("rhythm IN ('month', 'quarter')", name="rhythm"),)
