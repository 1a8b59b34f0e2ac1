"""The one source of time. Moments are UTC; days are cut in the branch's time zone."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_elsewhere: ContextVar[datetime | None] = ContextVar("elsewhere", default=None)


def now() -> datetime:
    """This moment, in UTC, aware."""
    return _elsewhere.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let it be another moment for what runs inside: the demo year and tests go through the same rules as real days."""
    token = _elsewhere.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _elsewhere.reset(token)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day of a moment in the branch's time zone."""
    return moment.astimezone(zone).date()


def today(zone: ZoneInfo) -> date:
    """Today in the branch's time zone."""
    return day_of(now(), zone)
