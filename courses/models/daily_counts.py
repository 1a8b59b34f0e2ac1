"""Daily counts: how often a user did on one day what is limited by the day."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, EnumText


class CountedAct(StrEnum):
    """The acts that are counted by user and day.

    read: a phone or an ID number was shown in clear. call: the number of a person to call was shown. conflict: an ID number
    was entered with another name than the record's.
    """

    READ = "read"
    CALL = "call"
    CONFLICT = "conflict"


class DailyCount(Base):
    """The number of times that a user did an act on a day of the branch's calendar."""

    __tablename__ = "daily_count"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    act: Mapped[CountedAct] = mapped_column(EnumText(CountedAct), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int]

    __table_args__ = (
        CheckConstraint("act IN ('read', 'call', 'conflict')", name="act"),
        CheckConstraint("number > 0", name="number"),
    )
