"""Quarters of the year, and freezing them: once reported, a quarter's figures never change again."""

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

# Recording a figure takes this lock shared, freezing takes it alone: no line slips into a quarter while it is frozen.
_LOCK = 0x71756172746572


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter: 1 is January to March."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Quarter":
        """The quarter a day lies in."""
        return cls(day.year, (day.month + 2) // 3)

    @classmethod
    def parse(cls, text: str) -> "Quarter":
        """Read "2026Q3". Raises ValueError for anything else."""
        found = re.fullmatch(r"(\d{4})-?[Qq]([1-4])", text.strip())
        if found is None:
            raise ValueError(text)
        return cls(int(found[1]), int(found[2]))

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number * 3 - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Quarter":
        """The quarter after it."""
        return Quarter(self.year + 1, 1) if self.number == 4 else Quarter(self.year, self.number + 1)

    @property
    def previous(self) -> "Quarter":
        """The quarter before it."""
        return Quarter(self.year - 1, 4) if self.number == 1 else Quarter(self.year, self.number - 1)

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"


@dataclass(frozen=True)
class QuarterState:
    """A quarter's person-times as the reports have them now, and since when and by whom it is frozen; None while it is open."""

    quarter: Quarter
    person_times: int
    frozen_at: datetime | None = None
    frozen_by: str | None = None


def listing(db: Session, zone: ZoneInfo) -> list[QuarterState]:
    """The quarters that are over, from the first that anything was counted in, the latest first. Two statements."""
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
    found = []
    while quarter >= first:
        found.append(QuarterState(quarter, counted.get(quarter, 0), *frozen.get(quarter, (None, None))))
        quarter = quarter.previous
    return found


def state(db: Session, quarter: Quarter) -> QuarterState:
    """One quarter. Two statements."""
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


def hold_open(db: Session) -> None:
    """Keep every quarter from being frozen until this unit of work ends."""
    db.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))


def is_frozen(db: Session, day: date) -> bool:
    """Whether the figures of a day's quarter were frozen. Call `hold_open` first where a line depends on it."""
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
    """Freeze a quarter. Raises DomainError while it is not over; freezing it again changes nothing."""
    if clock.today(zone) <= quarter.last:
        raise DomainError(
            "quarter_not_over",
            N_("%(quarter)s is not over: it can be frozen after %(last)s."),
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
