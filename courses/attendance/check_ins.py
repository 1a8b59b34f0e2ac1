"""The input of a check-in, `AttendanceInput`, and the answer to it, `CheckInAnswer`, with the message of each code."""

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
from lms.core.masks import mask_all
from lms.core.names import clean, norm

NAME_LIMIT = 60
TICKET_LIMIT = 400
TICKET_HASH_LENGTH = 64


@dataclass(frozen=True)
class WalkIn:
    """A person who came without a place: an id that the device made, the name, and a phone in E.164 where one was given."""

    id: UUID
    name: str
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class AttendanceInput:
    """An arrival, departure or undo of one person at one session.

    id: made once, by the device, and sent again with each retry, so that a retry changes nothing.
    enrolment_id, ticket, walk_in: exactly one of them names the person. A ticket is the scanned text, or its SHA-256 in hex.
    told_at: the time by the device's clock. offset_ms: the server's clock minus the device's, in milliseconds.
    reason: required for an undo and for the method `correction`, which alone changes a closed session without review.
    undoes: the id of the event that an undo takes back; without it the undo takes back all events up to its moment.
    review: the caller's own reason to store the event for review (self check-in: a second person from one browser).
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
        """The ticket as it is stored: its SHA-256 in hex, so that a reader of the table cannot use it."""
        if self.ticket is None or len(self.ticket) == TICKET_HASH_LENGTH:
            return self.ticket
        return hashlib.sha256(self.ticket.encode()).hexdigest()


@dataclass(frozen=True)
class CheckInAnswer:
    """The answer to one event; the same event sent again gets the same answer.

    code: the outcome in detail, for programs: a key of `MESSAGES`, or the reason of a review.
    message: an English msgid, to be filled with `params`.
    present, arrived_at, left_at: the attendance after this event.
    by: the name of the user who had checked the trainee in before, where the outcome is `already`.
    status: the HTTP status of a rejection that is answered alone.
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
    "already": N_("Already checked in at %(time)s."),
    "already_by": N_("Already checked in by %(by)s at %(time)s."),
    "already_left": N_("Already checked out at %(time)s."),
    "not_present": N_("Not checked in."),
    ReviewReason.OUTSIDE_WINDOW: N_("Saved for review: the time is outside the check-in period of this session."),
    ReviewReason.SESSION_CLOSED: N_("Saved for review: the session had been closed."),
    ReviewReason.NOT_ENROLLED: N_("Saved for review: this person is not enrolled in this training."),
    ReviewReason.UNKNOWN_TICKET: N_("Saved for review: this ticket is not known to the system."),
    ReviewReason.WALK_IN_MATCH: N_("Saved for review: a walk-in, to be matched with the register."),
    ReviewReason.SECOND_FROM_BROWSER: N_("Saved for review: a second person from the same browser."),
    ReviewReason.NOT_RUNNING: N_("Saved for review: this training is not running."),
    "event_conflict": N_(
        "This check-in number has already been used for another record. Reload the page and check in again."
    ),
    "reason_missing": N_("Enter a reason for later reference."),
    "bad_event": N_("This check-in could not be read. Reload the page and check in again."),
    "not_found": N_("This page does not exist, or you may not see it."),
}
STATUSES = {"not_found": 404, "bad_event": 422}


def cleaned(event: AttendanceInput) -> AttendanceInput:
    """Return the event without NULs (PostgreSQL stores none), its texts in one line and cut to the columns' lengths.

    Contacts in the reason are masked: an event is never altered, also not when a person is erased.
    """
    reason = _one_line(mask_all(event.reason), REASON_LIMIT)
    walk_in = event.walk_in
    if walk_in is not None:
        walk_in = replace(walk_in, name=clean(walk_in.name)[:NAME_LIMIT].strip())
    ticket = event.ticket.replace("\0", "")[:TICKET_LIMIT] if event.ticket is not None else None
    if (reason, walk_in, ticket) == (event.reason, event.walk_in, event.ticket):
        return event
    return replace(event, reason=reason, walk_in=walk_in, ticket=ticket)


def _one_line(text: str | None, limit: int) -> str | None:
    return " ".join(text.replace("\0", " ").split())[:limit].strip() or None if text else None


def fault_of(event: AttendanceInput) -> str | None:
    """Return the code with which an event is rejected before anything is read, or None for an event that can be judged."""
    unnamed = (event.enrolment_id is None) + (event.ticket is None) + (event.walk_in is None)
    if unnamed != 2 or (event.walk_in is not None and not norm(event.walk_in.name)):
        return "bad_event"
    if not 0 < event.session_id <= LARGEST_ID or not (
        event.enrolment_id is None or 0 < event.enrolment_id <= LARGEST_ID
    ):
        return "not_found"
    if event.reason is None and (event.kind == AttendanceKind.UNDO or event.method == AttendanceMethod.CORRECTION):
        return "reason_missing"
    return None
