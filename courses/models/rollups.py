"""Rollups: what is derived from the ledger and the attendances, and stored beside them.

`flask person-time check` compares the rollups with their source. A trigger on the ledger adds each new entry to the
sums, for every writer and for statements of many rows. `courses.counting.participation` stores the participants
of an offering when the offering closes or is corrected.
"""

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, Integer, SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base


class _RollupFigures:
    """The columns of `courses.reports.ledger.Figures`, without refreshers: the course says whether it is a refresher."""

    offerings: Mapped[int] = mapped_column(Integer)
    enrolled: Mapped[int] = mapped_column(Integer)
    named: Mapped[int] = mapped_column(Integer)
    counted: Mapped[int] = mapped_column(Integer)
    minutes: Mapped[int] = mapped_column(Integer)
    passed: Mapped[int] = mapped_column(Integer)
    certificates: Mapped[int] = mapped_column(Integer)
    adjusted: Mapped[int] = mapped_column(Integer)


class PersonTimeMonth(_RollupFigures, Base):
    """The sum of the ledger by month, course and district. `month` is the first day of the month."""

    __tablename__ = "person_time_month"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), primary_key=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"), primary_key=True)


class PersonTimeHost(_RollupFigures, Base):
    """The sum of the ledger by year, course, district and host organisation."""

    __tablename__ = "person_time_host"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), primary_key=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True, index=True)


class Participation(Base):
    """The ids of the trainees present at a counted offering, in ascending order.

    Reports count distinct people from them. `changed_in` is the number of the transaction that wrote the row, as
    `lms.core.records` numbers transactions. A trigger sets it, so that copies in memory can follow every change
    (`courses.counting.ledger_copy`).
    """

    __tablename__ = "participation"

    offering_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("offering.id"), primary_key=True, autoincrement=False
    )
    trainees: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    changed_in: Mapped[int] = mapped_column(BigInteger, server_default="0", index=True)


class FormerParticipation(Base):
    """The trainees of an offering as they were reported before they were changed, for the periods reported with them.

    A trigger on `participation` writes the row for every writer, when the trainees of an offering of a frozen quarter
    change (migration "frozen figures"). `until` is the last day of the latest quarter that was frozen then. A period
    that ends on that day or before counts the trainees of the row with the earliest such `until`; any later period
    counts those of `participation`. Example: 2017Q4 is frozen and a trainee is taken out of an offering of that quarter.
    2017Q4 and the year 2017 still count the trainee, and all time no longer does.
    """

    __tablename__ = "former_participation"

    offering_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("offering.id"), primary_key=True, autoincrement=False
    )
    until: Mapped[date] = mapped_column(Date, primary_key=True)
    trainees: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    changed_in: Mapped[int] = mapped_column(BigInteger, server_default="0", index=True)
