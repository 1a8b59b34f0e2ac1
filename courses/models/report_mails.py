"""Subscriptions to the monthly or quarterly report by mail, and the report mails that were queued."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import Base, EnumText


class ReportFrequency(StrEnum):
    """The interval at which a report is mailed."""

    MONTH = "month"
    QUARTER = "quarter"


class ReportSubscription(Base):
    """A user's subscription to the report at one interval. Ending the subscription deletes the row."""

    __tablename__ = "report_subscription"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    rhythm: Mapped[ReportFrequency] = mapped_column(EnumText(ReportFrequency), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now, server_default=func.now())

    __table_args__ = (CheckConstraint("rhythm IN ('month', 'quarter')", name="rhythm"),)


class ReportMail(Base):
    """The report mail of one period. Its row is written together with the mail, so each period is mailed once.

    `period` is a month ("2026-10") or a quarter ("2026Q3").
    """

    __tablename__ = "report_mail"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    rhythm: Mapped[ReportFrequency] = mapped_column(EnumText(ReportFrequency), primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    owed_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("rhythm IN ('month', 'quarter')", name="rhythm"),)
