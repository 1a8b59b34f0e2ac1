"""The one source of time. Moments are UTC; days are cut in the branch's time zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This moment, in UTC, aware."""
    return datetime.now(UTC)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The calendar day of a moment in the branch's time zone."""
    return moment.astimezone(zone).date()


def today(zone: ZoneInfo) -> date:
    """Today in the branch's time zone."""
    return day_of(now(), zone)
