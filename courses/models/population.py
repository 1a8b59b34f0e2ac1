"""The registered population of the districts by year, with the source of each figure."""

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base


class Population(Base):
    """The number of people registered in a district in a year."""

    __tablename__ = "population"

    district_id: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey("district.id"), primary_key=True, autoincrement=False
    )
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    people: Mapped[int]
    source: Mapped[str]

    __table_args__ = (
        CheckConstraint("year BETWEEN 1980 AND 2100", name="year"),
        CheckConstraint("people BETWEEN 1 AND 100000000", name="people"),
    )
