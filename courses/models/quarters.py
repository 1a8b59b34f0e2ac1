"""Frozen quarters: the quarters whose figures have been reported, and these figures."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, Identifier
from lms.core.records import of_record


class FrozenQuarter(Base):
    """A quarter whose figures no longer change: a later correction to it appears in the open quarter as an adjustment."""

    __tablename__ = "frozen_quarter"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    quarter: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    frozen_at: Mapped[datetime]
    frozen_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (CheckConstraint("quarter BETWEEN 1 AND 4", name="quarter"),)


@of_record("frozen_at")
class FrozenFigures(Base):
    """The figures that a frozen quarter had when it was frozen, of one period and one place. No row is ever altered.

    `month` is 0 for the whole quarter, else 1 to 12. `programme_code` "" stands for all programmes and `district_id` 0
    for all districts. The columns are those of the enrolment report; `people` are distinct trainees and do not add up.
    A place without a row had no figures.
    """

    __tablename__ = "frozen_figures"

    id: Mapped[Identifier]
    year: Mapped[int] = mapped_column(SmallInteger)
    quarter: Mapped[int] = mapped_column(SmallInteger)
    month: Mapped[int] = mapped_column(SmallInteger)
    programme_code: Mapped[str]
    district_id: Mapped[int] = mapped_column(SmallInteger)
    frozen_at: Mapped[datetime]
    offerings: Mapped[int]
    enrolled: Mapped[int]
    named: Mapped[int]
    counted: Mapped[int]
    refresher: Mapped[int]
    minutes: Mapped[int]
    passed: Mapped[int]
    certificates: Mapped[int]
    adjusted: Mapped[int]
    people: Mapped[int]

    __table_args__ = (
        CheckConstraint("quarter BETWEEN 1 AND 4", name="quarter"),
        CheckConstraint("month = 0 OR month BETWEEN quarter * 3 - 2 AND quarter * 3", name="month"),
        Index("uq_frozen_figures_place", "year", "quarter", "month", "programme_code", "district_id", unique=True),
    )
