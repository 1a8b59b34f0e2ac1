"""A check-in as it comes in, and what is answered to it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from courses.models.attendance import AttendanceKind, AttendanceMethod, ReviewReason
from courses.outcomes import REASON_LIMIT, Outcome
from lms.core.db import LARGEST_ID
from lms.core.errors import N_

NAME_LIMIT = 60
TICKET_LIMIT = 400
HASH_LENGTH = 64


@dataclass(frozen=True)
class WalkIn:
    """Somebody who came without a place: an id made by the device, the name, and a phone in E.164 where one was given."""

    id: UUID
    name: str
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class AttendanceInput:
    """One thing that happened to one person at one session. `id` is made once, by the device, and sent with each retry.

    Who: the enrolment, or a ticket (as scanned, or its SHA-256 in hex), or a walk-in; exactly one.
    told_at: the device's time; offset_ms: how much its clock is behind ours, as measured, in milliseconds.
    reason: needed to undo and to correct. The method `correction` is the only one that a closed session takes at once.
    undoes: the event that an undo takes back. review: a doubt that the caller has of its own.
    """

    id: UUID
    session_id: int
    enrolment_id: int | None = None
    kind: AttendanceKind = AttendanceKind.ARRIVE
    method: AttendanceMethod = AttendanceMethod.TAP
    told_at: datetime | None = None
    reason: str | None = None
    offset_ms: int | None = None
    undoes: UUID | None = None
    ticket: str | None = None
    walk_in: WalkIn | None = None
    review: ReviewReason | None = None

    @property
    def ticket_hash(self) -> str | None:
        """How a ticket is kept: whoever reads the table cannot use it."""
        if self.ticket is None or len(self.ticket) == HASH_LENGTH:
            return self.ticket
        return hashlib.sha256(self.ticket.encode()).hexdigest()


@dataclass(frozen=True)
class Recorded:
    """The door's answer to one event, the same however often it is asked.

    `code`: for programs, more exact than the outcome. `message`: an English msgid, filled with `params`. `by`: who had
    checked the trainee in, when it was so already.
    """

    id: UUID
    outcome: Outcome
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    enrolment_id: int | None = None
    present: bool = False
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    by: str | None = None
    status: int = 409


MESSAGES = {
    "arrived": N_("Checked in at %(time)s."),
    "left": N_("Checked out at %(time)s."),
    "undone": N_("No longer checked in."),
    "already": N_("Checked in already at %(time)s."),
    "already_by": N_("Checked in already, by %(by)s at %(time)s."),
    "already_left": N_("Already checked out at %(time)s."),
    "not_present": N_("Not checked in."),
    ReviewReason.OUTSIDE_WINDOW: N_("Saved for review: the time is outside the check-in period of this session."),
    ReviewReason.SESSION_CLOSED: N_("Saved for review: the session had been closed."),
    ReviewReason.NOT_ENROLLED: N_("Saved for review: this person is not enrolled in this training."),
    ReviewReason.UNKNOWN_TICKET: N_("Saved for review: this ticket is not known to the system."),
    ReviewReason.WALK_IN_MATCH: N_("Saved for review: a walk-in, to be matched with the register."),
    ReviewReason.SECOND_FROM_BROWSER: N_("Saved for review: a second person from the same browser."),
    ReviewReason.NOT_RUNNING: N_("Saved for review: this training is not running."),
    "event_conflict": N_("This check-in number was used for something else. Reload the page and check in again."),
    "reason_missing": N_("Say why, so that others understand it later."),
    "bad_event": N_("This check-in could not be read. Reload the page and check in again."),
    "not_found": N_("This page does not exist, or you may not see it."),
}
STATUSES = {"not_found": 404, "bad_event": 422}


def tidied(event: AttendanceInput) -> AttendanceInput:
    """The event without what no database takes and no reader needs."""
    reason = _line(event.reason, REASON_LIMIT)
    walk_in = event.walk_in
    if walk_in is not None:
        walk_in = replace(walk_in, name=_line(walk_in.name, NAME_LIMIT) or "")
    ticket = event.ticket.replace("\0", "")[:TICKET_LIMIT] if event.ticket is not None else None
    if (reason, walk_in, ticket) == (event.reason, event.walk_in, event.ticket):
        return event
    return replace(event, reason=reason, walk_in=walk_in, ticket=ticket)


def _line(text: str | None, limit: int) -> str | None:
    return " ".join(text.replace("\0", " ").split())[:limit].strip() or None if text else None


def fault(event: AttendanceInput) -> str | None:
    """Why an event cannot be kept at all."""
    missing = (event.enrolment_id is None) + (event.ticket is None) + (event.walk_in is None)
    if missing != 2 or (event.walk_in is not None and not event.walk_in.name):
        return "bad_event"
    if not 0 < event.session_id <= LARGEST_ID or not (
        event.enrolment_id is None or 0 < event.enrolment_id <= LARGEST_ID
    ):
        return "not_found"
    if event.reason is None and (event.kind == AttendanceKind.UNDO or event.method == AttendanceMethod.CORRECTION):
        return "reason_missing"
    return None
