"""What the events of one trainee at one session add up to. The order in which they came in makes no difference.

Networks fail, so an earlier tap may arrive after a later one, or twice, or after it was taken back. The moments decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from courses.models.attendance import AttendanceKind


@dataclass(frozen=True)
class Event:
    """One event of the pair. `valid`: it is not in review, or somebody decided that it counts.

    undoes: for an undo, the arrival or departure that it takes back; without it the undo takes back all up to its moment.
    """

    id: UUID
    kind: AttendanceKind
    moment: datetime
    undoes: UUID | None = None
    valid: bool = True


@dataclass(frozen=True)
class Presence:
    """The trainee was there: since when, by which event, and until when if they left."""

    event_id: UUID
    arrived_at: datetime
    left_at: datetime | None = None


def fold(events: Iterable[Event]) -> Presence | None:
    """The attendance, or None where nobody was there. The same event twice counts once.

    The earliest arrival that stands makes the attendance. The last word after it, come or gone, says whether the trainee
    left. An undo cannot itself be undone: whoever undid by mistake checks the trainee in again.
    """
    valid = [event for event in events if event.valid]
    if len(valid) <= 1:  # nearly always: somebody's first arrival, and before it nothing
        arrived = valid and valid[0].kind == AttendanceKind.ARRIVE
        return Presence(valid[0].id, valid[0].moment) if arrived else None
    valid = list({event.id: event for event in valid}.values())
    undos = [event for event in valid if event.kind == AttendanceKind.UNDO]
    named = {event.undoes for event in undos if event.undoes is not None}
    until = max((event.moment for event in undos if event.undoes is None), default=None)
    standing = sorted(
        (
            event
            for event in valid
            if event.kind != AttendanceKind.UNDO and event.id not in named and (until is None or event.moment > until)
        ),
        # Of one moment the arrival comes first: somebody who comes and goes at 09:02 has gone.
        key=lambda event: (event.moment, event.kind == AttendanceKind.LEAVE, event.id),
    )
    first = next((event for event in standing if event.kind == AttendanceKind.ARRIVE), None)
    if first is None:
        return None
    last = standing[-1]
    return Presence(first.id, first.moment, last.moment if last.kind == AttendanceKind.LEAVE else None)
