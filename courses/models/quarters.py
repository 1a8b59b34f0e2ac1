"""Frozen quarters: the quarters whose figures have been reported."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base


class FrozenQuarter(Base):
    """A quarter whose figures no longer change: a later correction to it appears in the open quarter as an adjustment."""

    __tablename__ = "frozen_quarter"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    quarter: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (CheckConstraint("quarter BETWEEN 1 AND 4", name="quarter"),)
