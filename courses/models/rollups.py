"""What is kept so that reports answer at once. All of it follows from the ledger and the attendances, and is checked against them.

A trigger on the ledger adds each new line to the sums (migration "kept totals"), whoever writes it and in how many lines at
once. `courses.counting.participation` keeps who took part, and how many people that makes, when an offering closes
or is corrected.
"""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Integer, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base


class _Sums:
    """The figures of `courses.reports.ledger.Figures` but refreshers, which the course tells."""

    offerings: Mapped[int] = mapped_column(Integer)
    enrolled: Mapped[int] = mapped_column(Integer)
    named: Mapped[int] = mapped_column(Integer)
    counted: Mapped[int] = mapped_column(Integer)
    minutes: Mapped[int] = mapped_column(Integer)
    passed: Mapped[int] = mapped_column(Integer)
    certificates: Mapped[int] = mapped_column(Integer)
    adjusted: Mapped[int] = mapped_column(Integer)


class PersonTimeMonth(_Sums, Base):
    """The ledger's lines of a month, a course and a district, added up. `month`: its first day."""

    __tablename__ = "person_time_month"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), primary_key=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"), primary_key=True)


class PersonTimeHost(_Sums, Base):
    """The ledger's lines of a year, a course, a district and a host, added up."""

    __tablename__ = "person_time_host"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), primary_key=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)


class PersonTimeLead(_Sums, Base):
    """The ledger's lines of a year, a course, a district and a lead instructor (0: nobody is named), added up."""

    __tablename__ = "person_time_lead"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), primary_key=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("district.id"), primary_key=True)
    instructor_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class Participation(Base):
    """Who was present at a counted offering, in the order of their ids: what people are counted from."""

    __tablename__ = "participation"

    offering_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("offering.id"), primary_key=True, autoincrement=False
    )
    trainees: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class PeopleCount(Base):
    """Distinct people of a period: of the branch, of one programme, or of one district. They never add up.

    period: "2017", "" for all time, and for the branch also "2017-03". programme_code "" and district_id 0 stand for all of them.
    """

    __tablename__ = "people_count"

    programme_code: Mapped[str] = mapped_column(Text, primary_key=True)
    district_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    people: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        CheckConstraint("programme_code = '' OR district_id = 0", name="one_dimension"),
        CheckConstraint("period ~ '^([0-9]{4}(-[0-9]{2})?)?$'", name="period"),
    )
