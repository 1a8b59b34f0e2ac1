"""Punctuality: how late a trainee came, how early they left, and how many minutes of the session they attended.

Lateness alone decides nothing; a course may demand a share of the minutes (`courses.assessment.entitlement`). The grace of
ten minutes is therefore one figure for all courses and no setting. It covers a queue at the door.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from courses.offerings.class_hours import MINUTE

GRACE = timedelta(minutes=10)


@dataclass(frozen=True)
class Punctuality:
    """Whole minutes. late and early: after the start and before the end, 0 within the grace. minutes: attended."""

    late: int
    early: int
    minutes: int


def measure(starts_at: datetime, ends_at: datetime, arrived_at: datetime, left_at: datetime | None) -> Punctuality:
    """Compare one attendance with its session's hours. `left_at` None: the trainee stayed to the end.

    The minutes follow the rule of `person_time.attended_minutes`, which is the same in SQL. Only time within the session
    counts. An arrival at or after the end was entered afterwards and does not tell when the person came; it counts from
    the start. Example: a session from 09:00 to 12:00 and an arrival entered at 12:05 give 180 minutes.
    """
    entered_afterwards = arrived_at >= ends_at
    counted_from = starts_at if entered_afterwards else max(arrived_at, starts_at)
    counted_to = min(left_at, ends_at) if left_at is not None else ends_at
    return Punctuality(
        _beyond_grace(counted_from - starts_at),
        _beyond_grace(ends_at - counted_to),
        max(0, (counted_to - counted_from) // MINUTE),
    )


def _beyond_grace(span: timedelta) -> int:
    return span // MINUTE if span > GRACE else 0
