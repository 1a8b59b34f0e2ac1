"""Spot checks: the headcount that is taken when a session closes, compared with the self check-ins."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base


class SpotCheck(Base):
    """The number of people counted in the room when a session closed to which trainees had checked themselves in.

    `counted` is the number of people in the room, `expected` the number by the roster and the headcount, `by_self` the
    number of self check-ins among them. `reason` explains a difference between `counted` and `expected`.
    """

    __tablename__ = "spot_check"

    course_session_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("course_session.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    counted: Mapped[int]
    expected: Mapped[int]
    by_self: Mapped[int]
    reason: Mapped[str | None]
    counted_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))

    __table_args__ = (
        CheckConstraint("counted BETWEEN 0 AND 100000", name="counted"),
        CheckConstraint("counted = expected OR reason IS NOT NULL", name="reason"),
    )
