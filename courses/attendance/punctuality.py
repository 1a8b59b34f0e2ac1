"""Late, left early, and the minutes between: one attendance held against its session's hours.

Being late decides nothing by itself; what decides is the course's rule of minutes. So what counts as late is one figure for
everybody and no setting: ten minutes, in which a queue at the door is nobody's fault.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

GRACE = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Punctuality:
    """Whole minutes: how late somebody came and how early somebody left (0 within the grace), and how long they stayed."""

    late: int
    early: int
    minutes: int


def of(starts_at: datetime, ends_at: datetime, arrived_at: datetime, left_at: datetime | None) -> Punctuality:
    """Hold one attendance against its session. `left_at` None: stayed to the end.

    The minutes are those of `person_time.attended_minutes`, which says the same in SQL: within the session, and from its
    start for whoever was entered only after its end, for such an entry says nothing of when the person came.
    """
    unknown = arrived_at >= ends_at
    came = starts_at if unknown else max(arrived_at, starts_at)
    went = min(left_at, ends_at) if left_at is not None else ends_at
    return Punctuality(_beyond(came - starts_at), _beyond(ends_at - went), max(0, (went - came) // MINUTE))


def planned_minutes(starts_at: datetime, ends_at: datetime) -> int:
    """Whole minutes that a session is planned to last."""
    return (ends_at - starts_at) // MINUTE


def _beyond(span: timedelta) -> int:
    return span // MINUTE if span > GRACE else 0
