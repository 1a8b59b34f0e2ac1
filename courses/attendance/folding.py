"""The fold: the attendance that results from the events of one trainee at one session, in whatever order they arrived.

Networks fail, so an earlier tap may reach the server after a later one, or twice, or after its undo. Only the moments of
the events decide. Example: an arrival at 09:02 and one at 09:05 make an attendance since 09:02, also when the second
reached the server first; an undo of the first leaves an attendance since 09:05.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from courses.models.attendance import AttendanceKind


@dataclass(frozen=True)
class PresenceEvent:
    """An event of the trainee at the session, with the facts that the fold uses.

    undoes: for an undo, the arrival or departure that it takes back; without it the undo takes back all up to its moment.
    valid: false while the event is in review, and after it was rejected there.
    """

    id: UUID
    kind: AttendanceKind
    moment: datetime
    undoes: UUID | None = None
    valid: bool = True


@dataclass(frozen=True)
class Presence:
    """The attendance: the arrival that made it, its moment, and the moment of leaving (None: stayed)."""

    event_id: UUID
    arrived_at: datetime
    left_at: datetime | None = None


def fold(events: Iterable[PresenceEvent]) -> Presence | None:
    """Return the attendance, or None where no arrival stands. An event that occurs twice counts once.

    The earliest arrival that no undo takes back makes the attendance. The trainee has left where the last event after
    that arrival is a departure. An undo cannot be undone: after an undo by mistake the trainee is checked in again.
    """
    valid = [event for event in events if event.valid]
    if len(valid) <= 1:  # nearly always: the first arrival, without an earlier event
        arrived = valid and valid[0].kind == AttendanceKind.ARRIVE
        return Presence(valid[0].id, valid[0].moment) if arrived else None
    valid = list({event.id: event for event in valid}.values())
    undos = [event for event in valid if event.kind == AttendanceKind.UNDO]
    undone = {event.undoes for event in undos if event.undoes is not None}
    undone_until = max((event.moment for event in undos if event.undoes is None), default=None)
    standing = sorted(
        (
            event
            for event in valid
            if event.kind != AttendanceKind.UNDO
            and event.id not in undone
            and (undone_until is None or event.moment > undone_until)
        ),
        # At the same moment the arrival comes first: a person who arrives and leaves at 09:02 has left.
        key=lambda event: (event.moment, event.kind == AttendanceKind.LEAVE, event.id),
    )
    first = next((event for event in standing if event.kind == AttendanceKind.ARRIVE), None)
    if first is None:
        return None
    last = standing[-1]
    return Presence(first.id, first.moment, last.moment if last.kind == AttendanceKind.LEAVE else None)
