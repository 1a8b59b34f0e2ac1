"""The one source of time."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from lms.core import clock

BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2025, 6, 1, 15, 59, 59, tzinfo=UTC), date(2025, 6, 1)),
        (datetime(2025, 6, 1, 16, 0, tzinfo=UTC), date(2025, 6, 2)),
    ],
)
def test_a_day_begins_at_midnight_in_the_branch_s_time_zone(moment: datetime, day: date) -> None:
    assert clock.day_of(moment, BEIJING) == day
    with clock.at(moment):
        assert clock.today(BEIJING) == day


def test_another_moment_holds_within_its_block_alone() -> None:
    moment = datetime(2020, 1, 1, 8, tzinfo=BEIJING)
    with clock.at(moment):
        assert clock.now() == moment
        assert clock.now().tzinfo is UTC
    assert clock.now() > moment


def test_the_day_of_the_branch_begins_at_its_midnight() -> None:
    with clock.at(datetime(2026, 3, 1, 15, 59, tzinfo=UTC)):
        assert clock.branch_today() == date(2026, 3, 1)
    with clock.at(datetime(2026, 3, 1, 16, 0, tzinfo=UTC)):
        assert clock.branch_today() == date(2026, 3, 2)
