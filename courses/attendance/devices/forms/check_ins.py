"""The reading of check-ins that devices send as JSON or save in a file."""

import hashlib
import re
from datetime import UTC
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from courses.attendance import scanning
from courses.attendance.check_ins import NAME_LIMIT, TICKET_LIMIT, AttendanceInput, WalkIn
from courses.device_events import EventBody, EventReader, RowId
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.outcomes import REASON_LIMIT
from lms.core.errors import N_

DEVICE_METHODS = frozenset(
    {
        AttendanceMethod.TAP,
        AttendanceMethod.SCAN,
        AttendanceMethod.PHOTO,
        AttendanceMethod.WALK_IN,
        AttendanceMethod.IMPORT,
    }
)
TICKET_HASH = re.compile(r"[0-9a-f]{64}")

MESSAGES = {
    "bad_event": N_("This check-in could not be read. Reload the page and check in again."),
    "bad_id": N_("This check-in has no number. Reload the page and check in again."),
    "bad_session": N_("This check-in does not name a session. Reload the page and check in again."),
    "bad_kind": N_("The kind of a check-in must be “arrive”, “leave” or “undo”."),
    "bad_method": N_("Give the check-in method: “tap”, “scan”, “photo”, “walk_in” or “import”."),
    "bad_time": N_("The time of this check-in is not valid. Check in again."),
    "bad_person": N_("Each check-in must name one person: by enrolment, by ticket or as a walk-in."),
    "bad_reason": N_("The reason is too long or is not text."),
}
CODE_OF_FIELD = {
    "id": "bad_id",
    "undoes": "bad_id",
    "session": "bad_session",
    "kind": "bad_kind",
    "method": "bad_method",
    "told_at": "bad_time",
    "offset_ms": "bad_time",
    "enrolment": "bad_person",
    "ticket": "bad_person",
    "walk_in": "bad_person",
    "reason": "bad_reason",
}


class WalkInBody(BaseModel):
    """A walk-in as typed on the device."""

    id: UUID
    name: str = Field(min_length=1, max_length=10 * NAME_LIMIT)


class CheckInBody(EventBody):
    """A check-in as a device sends it."""

    session: RowId
    kind: AttendanceKind
    method: AttendanceMethod
    enrolment: RowId | None = None
    ticket: str | None = Field(default=None, min_length=1, max_length=TICKET_LIMIT)
    walk_in: WalkInBody | None = None
    undoes: UUID | None = None
    reason: str | None = Field(default=None, max_length=10 * REASON_LIMIT)

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.method not in DEVICE_METHODS:
            raise PydanticCustomError("bad_method", "method")
        if (self.enrolment is None) + (self.ticket is None) + (self.walk_in is None) != 2:
            raise PydanticCustomError("bad_person", "person")
        return self

    def event(self, offset_ms: int | None) -> AttendanceInput:
        """Return the event for `recording.record_all`. `offset_ms`: used where the device had not measured its own yet."""
        return AttendanceInput(
            self.id,
            self.session,
            self.enrolment,
            self.kind,
            self.method,
            self.told_at.astimezone(UTC),  # moments of one zone are compared and written several times faster
            self.reason,
            self.offset_ms if self.offset_ms is not None else offset_ms,
            self.undoes,
            _ticket(self.ticket) if self.ticket is not None else None,
            WalkIn(self.walk_in.id, self.walk_in.name) if self.walk_in is not None else None,
        )


def _ticket(text: str) -> str:
    """Return the ticket in the scanned text, or the hash that was sent.

    Any other text is stored as its hash, because a foreign code may hold a secret of its owner.
    """
    ticket = scanning.ticket_in(text)
    if ticket is not None or TICKET_HASH.fullmatch(text):
        return ticket or text
    return hashlib.sha256(text.encode()).hexdigest()


CHECK_INS = EventReader(CheckInBody, CheckInBody.event, MESSAGES, CODE_OF_FIELD)
