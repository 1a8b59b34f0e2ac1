"""Targets: the person-times that a district, or a sector of the whole branch, should reach in a year, by programme."""

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, EnumText
from lms.organisations.models import Sector


class Target(Base):
    """A district's target for one programme and year. Without a row there is no target."""

    __tablename__ = "target"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code"), primary_key=True)
    district_id: Mapped[int] = mapped_column(
        SmallInteger, ForeignKey("district.id"), primary_key=True, autoincrement=False
    )
    person_times: Mapped[int]

    __table_args__ = (
        CheckConstraint("year BETWEEN 1980 AND 2100", name="year"),
        CheckConstraint("person_times BETWEEN 1 AND 10000000", name="person_times"),
    )


class SectorTarget(Base):
    """The branch's target in one sector for one programme and year. Without a row there is no target."""

    __tablename__ = "sector_target"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    programme_code: Mapped[str] = mapped_column(ForeignKey("programme.code"), primary_key=True)
    sector: Mapped[Sector] = mapped_column(EnumText(Sector), primary_key=True)
    person_times: Mapped[int]

    __table_args__ = (
        CheckConstraint("year BETWEEN 1980 AND 2100", name="year"),
        CheckConstraint("person_times BETWEEN 1 AND 10000000", name="person_times"),
    )
