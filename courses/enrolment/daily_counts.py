"""Daily counts of acts that a user may do so many times on one day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.models.daily_counts import CountedAct, DailyCount
from lms.accounts.models import User

# An ID number that is entered with another name than the record's is a mistake once or twice a day. Whoever tries names
# for a number is stopped.
CONFLICTS_PER_DAY = 20


@dataclass(frozen=True)
class UserCount:
    """The number of times that a user did an act on a day."""

    user_id: int
    name: str
    number: int


def add(db: Session, act: CountedAct, user_id: int | None, today: date, number: int = 1) -> int:
    """Count an act, and return the user's count of the day. The system's own acts (no user) are not counted.

    The row of the count stays locked until the transaction ends, so that concurrent requests cannot pass a limit together.
    """
    if user_id is None or number < 1:
        return 0
    statement = insert(DailyCount).values(user_id=user_id, act=act, day=today, number=number)
    total: int = db.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "act", "day"],
            set_={"number": DailyCount.number + statement.excluded.number},
        ).returning(DailyCount.number)
    ).scalar_one()
    return total


def count_of(db: Session, act: CountedAct, user_id: int | None, today: date) -> int:
    """The user's count of an act on a day."""
    return (
        db.scalar(
            select(DailyCount.number).where(
                DailyCount.user_id == user_id, DailyCount.act == act, DailyCount.day == today
            )
        )
        or 0
    )


def list_of_day(db: Session, act: CountedAct, day: date) -> Sequence[UserCount]:
    """The counts of an act on a day, the highest first."""
    rows = db.execute(
        select(User.id, User.name, DailyCount.number)
        .join(User, User.id == DailyCount.user_id)
        .where(DailyCount.act == act, DailyCount.day == day)
        .order_by(DailyCount.number.desc(), User.name_sound, User.id)
    )
    return [UserCount(user_id, name, number) for user_id, name, number in rows]
