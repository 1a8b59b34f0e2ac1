"""Quarters of the year, and freezing them: the figures of a frozen quarter were reported and never change again."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.counting import frozen_figures
from courses.counting.calendar_quarters import Quarter
from courses.models.quarters import FrozenQuarter
from courses.models.rollups import PersonTimeMonth
from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.errors import N_, DomainError

__all__ = ["Quarter", "QuarterState", "freeze", "is_frozen", "listing", "lock_open", "state"]

# An advisory lock: writing a ledger line takes it shared, freezing takes it exclusively. So no line is written into a
# quarter by a transaction that read the quarter as open before it was frozen.
_LOCK = 0x71756172746572


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


def freeze(db: Session, quarter: Quarter, zone: ZoneInfo, *, reason: str | None = None) -> FrozenQuarter:
    """Freeze a quarter and store its figures; freezing it again changes nothing.

    reason: for freezing it although something is open, for the audit trail. Raises DomainError while the quarter is not
    over.
    """
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
        frozen_figures.store(db, quarter, frozen.frozen_at)
        audit.record(db, "quarter.freeze", f"quarter:{quarter}", reason=reason)
    return frozen
