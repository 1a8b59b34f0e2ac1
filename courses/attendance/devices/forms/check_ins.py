"""The reading of check-ins that devices send as JSON or save in a file: each is read by itself, and answered by itself.

A batch without any fault, which nearly every batch is, is validated in one pass (`ValidBatch`); any other event by event.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from courses.attendance import scanning
from courses.attendance.check_ins import EARLIEST, LATEST, NAME_LIMIT, TICKET_LIMIT, AttendanceInput, WalkIn
from courses.attendance.recording import BATCH_LIMIT
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.outcomes import REASON_LIMIT
from lms.core.db import LARGEST_ID
from lms.core.errors import N_, DomainError

BYTES_LIMIT = 128 * 1024
FILE_BYTES_LIMIT = 4 * 1024 * 1024
FILE_LIMIT = 5000
ID_LENGTH = 100
DEVICE_METHODS = frozenset(
    {
        AttendanceMethod.TAP,
        AttendanceMethod.SCAN,
        AttendanceMethod.PHOTO,
        AttendanceMethod.WALK_IN,
        AttendanceMethod.IMPORT,
    }
)
LARGEST_OFFSET = 8_000_000_000_000  # milliseconds, about 250 years: enough for each time within the limits
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

RowId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class WalkInBody(BaseModel):
    """A walk-in as typed on the device."""

    id: UUID
    name: str = Field(min_length=1, max_length=10 * NAME_LIMIT)


class CheckInBody(BaseModel):
    """An event as a device sends it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: UUID
    session: RowId
    kind: AttendanceKind
    method: AttendanceMethod
    told_at: AwareDatetime = Field(ge=EARLIEST, le=LATEST)
    offset_ms: int | None = Field(default=None, ge=-LARGEST_OFFSET, le=LARGEST_OFFSET)
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


class BatchEnvelope(BaseModel):
    """The facts of a batch beside its events. `sent_at`: the moment of sending by the device's clock."""

    model_config = ConfigDict(extra="ignore", strict=True)

    sent_at: AwareDatetime | None = Field(default=None, ge=EARLIEST, le=LATEST)


class ValidBatch(BatchEnvelope):
    """A batch in which every event is valid."""

    events: list[CheckInBody] = Field(min_length=1)


@dataclass(frozen=True)
class UnreadableEvent:
    """An event that cannot be read. `id`: the text that was sent as its id, if any. `code`: a key of `MESSAGES`."""

    id: str | None
    code: str


ParsedEvent = AttendanceInput | UnreadableEvent

_valid_batch: TypeAdapter[ValidBatch] = TypeAdapter(ValidBatch)


def read_batch(data: bytes, now: datetime) -> Sequence[ParsedEvent]:
    """Read the events of a request's body, in their order.

    Raises DomainError for a body that is no JSON (422), holds no list of events (422), or holds more than `BATCH_LIMIT` (413).
    """
    try:
        batch = _valid_batch.validate_json(data)
    except ValidationError:
        return _read_one_by_one(data, now)
    _refuse_more_than(BATCH_LIMIT, len(batch.events))
    offset_ms = _clock_offset(batch.sent_at, now)
    return [event.event(offset_ms) for event in batch.events]


def read_saved_file(data: bytes) -> tuple[Sequence[ParsedEvent], list[Any]]:
    """Read a file that a device saved: its check-ins, and its skill results as parsed JSON. Raises DomainError.

    The time of saving tells nothing about the device's clock now, so an event without a measured offset keeps its time.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    fields = content if isinstance(content, dict) else {}
    events, results = fields.get("events", []), fields.get("skill_results", [])
    if not (isinstance(events, list) and isinstance(results, list) and (events or results)):
        raise DomainError(
            "not_saved_here", N_("This is not a file of unsent check-ins. Choose the " "file that the device saved."), status=422,
            field="file",
        )  # fmt: skip
    _refuse_more_than(FILE_LIMIT, len(events) + len(results))
    return [_read_event(event, None) for event in events], results


def _read_one_by_one(data: bytes, now: datetime) -> Sequence[ParsedEvent]:
    try:
        # Python's reader takes a lone surrogate, which a browser writes for half an emoji; pydantic's would refuse the batch.
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DomainError("not_json", N_("Send JSON: Content-Type application/json."), status=422) from error
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list) or not events:
        raise DomainError("bad_batch", N_("Send “events”, a list of 1 to %(most)s."), status=422, most=BATCH_LIMIT)
    _refuse_more_than(BATCH_LIMIT, len(events))
    offset_ms = _clock_offset(_read_sent_at(content.get("sent_at")), now)
    return [_read_event(event, offset_ms) for event in events]


def _read_event(body: Any, offset_ms: int | None) -> ParsedEvent:
    try:
        # In strict mode pydantic takes ids and moments as texts from JSON alone, so the parsed value is written again.
        return CheckInBody.model_validate_json(_json.dump_json(body)).event(offset_ms)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = problem["loc"][0] if problem["loc"] else None
        return _unreadable(
            body, problem["type"] if problem["type"] in MESSAGES else CODE_OF_FIELD.get(str(field), "bad_event")
        )
    except (ValueError, RecursionError):  # a text that PostgreSQL cannot store, or too deep a value
        return _unreadable(body, "bad_event")


def _unreadable(body: Any, code: str) -> UnreadableEvent:
    event_id = body.get("id") if isinstance(body, dict) else None
    readable = isinstance(event_id, str) and len(event_id) <= ID_LENGTH and event_id.isascii()
    return UnreadableEvent(event_id if readable else None, code)


_json: TypeAdapter[Any] = TypeAdapter(Any)


def _read_sent_at(text: Any) -> datetime | None:
    try:
        return BatchEnvelope.model_validate_json(_json.dump_json({"sent_at": text})).sent_at
    except ValueError:
        return None


def _clock_offset(sent_at: datetime | None, now: datetime) -> int | None:
    """The server's clock minus the device's in milliseconds, by the device's time of sending; None without that time."""
    return round((now - sent_at) / timedelta(milliseconds=1)) if sent_at is not None else None


def _refuse_more_than(limit: int, count: int) -> None:
    if count > limit:
        raise DomainError("too_many_events", N_("Send at most %(most)s events at once."), status=413, most=limit)


def _ticket(text: str) -> str:
    """Return the ticket in the scanned text, or the hash that was sent.

    Any other text is stored as its hash, because a foreign code may hold a secret of its owner.
    """
    ticket = scanning.ticket_in(text)
    if ticket is not None or TICKET_HASH.fullmatch(text):
        return ticket or text
    return hashlib.sha256(text.encode()).hexdigest()
