"""The schedule of retries: growing pauses, spread a little, and three days in all."""

from datetime import timedelta
from uuid import UUID

import pytest

from lms.core.messages import retries

FIRST, LAST = UUID(int=0), UUID(int=999)


def test_pauses_grow_to_four_hours() -> None:
    minutes = [retries.pause(attempt, FIRST) / timedelta(minutes=1) for attempt in range(1, 11)]
    assert minutes == [1, 2, 5, 15, 30, 60, 120, 240, 240, 240]


def test_messages_that_failed_together_are_spread_by_at_most_a_tenth() -> None:
    assert retries.pause(3, FIRST) < retries.pause(3, LAST) < timedelta(minutes=5.5)
    assert retries.pause(3, LAST) == retries.pause(3, LAST)


def test_three_days_hold_about_twenty_attempts() -> None:
    total, attempts = timedelta(), 0
    while total < retries.GIVE_UP:
        attempts += 1
        total += retries.pause(attempts, FIRST)
    assert attempts == 25


@pytest.mark.parametrize(("failures", "minutes"), [(1, 0.5), (2, 1), (3, 2), (4, 5), (5, 5), (900, 5)])
def test_a_channel_is_tried_again_within_five_minutes(failures: int, minutes: float) -> None:
    assert retries.channel_pause(failures) == timedelta(minutes=minutes)
