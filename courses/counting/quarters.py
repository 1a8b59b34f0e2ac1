"""Quarters of the year, and freezing them: the figures of a frozen quarter were reported and never change again."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.quarters import FrozenQuarter
from courses.models.rollups import PersonTimeMonth
from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.errors import N_, DomainError

# An advisory lock: writing a ledger line takes it shared, freezing takes it exclusively. So no line is written into a
# quarter by a transaction that read the quarter as open before it was frozen.
_LOCK = 0x71756172746572


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a year; number 1 is January to March. Written as 2026Q3."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Quarter":
        """Return the quarter that contains a day."""
        return cls(day.year, (day.month + 2) // 3)

    @classmethod
    def parse(cls, text: str) -> "Quarter":
        """Read "2026Q3". Raises ValueError for anything else."""
        match = re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text.strip())
        if match is None:
            raise ValueError(text)
        return cls(int(match[1]), int(match[2]))

    @property
    def first(self) -> date:
        """The first day of the quarter."""
        return date(self.year, self.number * 3 - 2, 1)

    @property
    def last(self) -> date:
        """The last day of the quarter."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Quarter":
        """The following quarter."""
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    @property
    def previous(self) -> "Quarter":
        """The preceding quarter."""
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"


@dataclass(frozen=True)
class QuarterState:
    """The person-times of a quarter as the reports have them now, and when and by whom it was frozen.

    Both are None while the quarter is open; `frozen_by` is also None where a command froze it.
    """

    quarter: Quarter
    person_times: int
    frozen_at: datetime | None = None
    frozen_by: str | None = None


def listing(db: Session, zone: ZoneInfo) -> list[QuarterState]:
    """Return the quarters that are over, the latest first, back to the first with figures: two statements."""
    counted: dict[Quarter, int] = {}
    months = select(PersonTimeMonth.month, func.sum(PersonTimeMonth.named + PersonTimeMonth.counted))
    for month, number in db.execute(months.group_by(PersonTimeMonth.month)):
        quarter = Quarter.of(month)
        counted[quarter] = counted.get(quarter, 0) + int(number)
    frozen = {
        Quarter(year, number): (moment, name)
        for year, number, moment, name in db.execute(
            select(FrozenQuarter.year, FrozenQuarter.quarter, FrozenQuarter.frozen_at, User.name)
            .outerjoin(User, User.id == FrozenQuarter.frozen_by)
        )
    }  # fmt: skip
    quarter = Quarter.of(clock.today(zone)).previous
    first = min([*counted, *frozen], default=quarter)
    states = []
    while quarter >= first:
        states.append(QuarterState(quarter, counted.get(quarter, 0), *frozen.get(quarter, (None, None))))
        quarter = quarter.previous
    return states


def state(db: Session, quarter: Quarter) -> QuarterState:
    """Return the state of one quarter, in two statements."""
    number = db.scalar(
        select(func.coalesce(func.sum(PersonTimeMonth.named + PersonTimeMonth.counted), 0)).where(
            PersonTimeMonth.month.between(quarter.first, quarter.last)
        )
    )
    frozen = db.execute(
        select(FrozenQuarter.frozen_at, User.name)
        .outerjoin(User, User.id == FrozenQuarter.frozen_by)
        .where(FrozenQuarter.year == quarter.year, FrozenQuarter.quarter == quarter.number)
    ).one_or_none()
    return QuarterState(quarter, int(number or 0), *(frozen or (None, None)))


def lock_open(db: Session) -> None:
    """Keep every quarter from being frozen until this transaction ends."""
    db.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


def is_frozen(db: Session, day: date) -> bool:
    """Tell whether the quarter of a day is frozen. Call `lock_open` first where a ledger line depends on the answer."""
    quarter = Quarter.of(day)
    return (
        db.scalar(
            select(FrozenQuarter.year).where(
                FrozenQuarter.year == quarter.year, FrozenQuarter.quarter == quarter.number
            )
        )
        is not None
    )


def freeze(db: Session, quarter: Quarter, zone: ZoneInfo) -> FrozenQuarter:
    """Freeze a quarter; freezing it again changes nothing. Raises DomainError while the quarter is not over."""
    if clock.today(zone) <= quarter.last:
        raise DomainError(
            "quarter_not_over",
            N_("%(quarter)s has not ended. It can be frozen after %(last)s."),
            quarter=str(quarter),
            last=quarter.last.isoformat(),
        )
    db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    frozen = db.get(FrozenQuarter, (quarter.year, quarter.number))
    if frozen is None:
        frozen = FrozenQuarter(
            year=quarter.year, quarter=quarter.number, frozen_at=clock.now(), frozen_by=audit.actor(db)
        )
        db.add(frozen)
        db.flush()
        audit.record(db, "quarter.freeze", f"quarter:{quarter}")
    return frozen
