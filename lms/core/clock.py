"""The only source of the current time. Moments are in UTC; a day begins at midnight in the branch's time zone."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


class _Branch:
    """The branch's time zone in this process, set once at its start."""

    zone = ZoneInfo("UTC")


_elsewhere: ContextVar[datetime | None] = ContextVar("elsewhere", default=None)


def now() -> datetime:
    """The current moment, an aware datetime in UTC."""
    return _elsewhere.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Set another current moment within a block, so that the demo year and tests go through the rules of real days."""
    token = _elsewhere.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _elsewhere.reset(token)


def configure(zone: ZoneInfo) -> None:
    """Set the branch's time zone of this process. The application calls this once at its start."""
    _Branch.zone = zone


def branch_today() -> date:
    """Today in the branch's time zone, for rules that know no settings, such as that on a person's age."""
    return today(_Branch.zone)


def in_branch(moment: datetime) -> datetime:
    """A moment in the branch's time zone, for messages that name it."""
    return moment.astimezone(_Branch.zone)


def last_branch_day(moments: Iterable[datetime]) -> date:
    """The day of the latest of some moments in the branch's time zone; today where there are none."""
    return day_of(max(moments, default=now()), _Branch.zone)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day of a moment in the branch's time zone."""
    return moment.astimezone(zone).date()


def today(zone: ZoneInfo) -> date:
    """Today in the branch's time zone."""
    return day_of(now(), zone)
