"""Check-ins as devices send them: read one by one, so that one that cannot be read spoils nothing."""

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
from courses.attendance.check_ins import NAME_LIMIT, TICKET_LIMIT, AttendanceInput, WalkIn
from courses.attendance.recording import BATCH_LIMIT
from courses.models.attendance import AttendanceKind, AttendanceMethod
from courses.outcomes import REASON_LIMIT
from lms.core.db import LARGEST_ID
from lms.core.errors import N_, DomainError

BYTES_LIMIT = 128 * 1024
FILE_BYTES_LIMIT = 4 * 1024 * 1024
FILE_LIMIT = 5000
ID_LENGTH = 100
SENT = frozenset(
    {
        AttendanceMethod.TAP,
        AttendanceMethod.SCAN,
        AttendanceMethod.PHOTO,
        AttendanceMethod.WALK_IN,
        AttendanceMethod.IMPORT,
    }
)
# A device whose battery died may think it is 1970; what is beyond these is no clock at all.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC) - timedelta(days=2), datetime(2200, 1, 1, tzinfo=UTC)
LARGEST_OFFSET = 8_000_000_000_000  # ms; a clock wrong by 250 years is still put right
HASH = re.compile(r"[0-9a-f]{64}")

MESSAGES = {
    "bad_event": N_("This check-in could not be read. Reload the page and check in again."),
    "bad_id": N_("This check-in has no number of its own. Reload the page and check in again."),
    "bad_session": N_("This check-in names no session. Reload the page and check in again."),
    "bad_kind": N_("The kind of a check-in must be “arrive”, “leave” or “undo”."),
    "bad_method": N_("A device says how it was done: “tap”, “scan”, “photo”, “walk_in” or “import”."),
    "bad_time": N_("This check-in has no time that a clock could show. Check in again."),
    "bad_person": N_("A check-in names one person: by enrolment, by ticket or as a walk-in."),
    "bad_reason": N_("The reason is too long or no text."),
}
CODES = {
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

Number = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class WalkInBody(BaseModel):
    """Somebody without a place, as typed at the door."""

    id: UUID
    name: str = Field(min_length=1, max_length=10 * NAME_LIMIT)


class Body(BaseModel):
    """One event as sent."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: UUID
    session: Number
    kind: AttendanceKind
    method: AttendanceMethod
    told_at: AwareDatetime = Field(ge=EARLIEST, le=LATEST)
    offset_ms: int | None = Field(default=None, ge=-LARGEST_OFFSET, le=LARGEST_OFFSET)
    enrolment: Number | None = None
    ticket: str | None = Field(default=None, min_length=1, max_length=TICKET_LIMIT)
    walk_in: WalkInBody | None = None
    undoes: UUID | None = None
    reason: str | None = Field(default=None, max_length=10 * REASON_LIMIT)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.method not in SENT:
            raise PydanticCustomError("bad_method", "method")
        if (self.enrolment is None) + (self.ticket is None) + (self.walk_in is None) != 2:
            raise PydanticCustomError("bad_person", "person")
        return self

    def event(self, offset_ms: int | None) -> AttendanceInput:
        """The event as the door takes it; `offset_ms` where the device had not measured its own yet."""
        return AttendanceInput(
            self.id,
            self.session,
            self.enrolment,
            self.kind,
            self.method,
            self.told_at.astimezone(UTC),  # moments of one zone are compared and written several times as fast
            self.reason,
            self.offset_ms if self.offset_ms is not None else offset_ms,
            self.undoes,
            _ticket(self.ticket) if self.ticket is not None else None,
            WalkIn(self.walk_in.id, self.walk_in.name) if self.walk_in is not None else None,
        )


class Envelope(BaseModel):
    """What surrounds the events."""

    model_config = ConfigDict(extra="ignore", strict=True)

    sent_at: AwareDatetime | None = Field(default=None, ge=EARLIEST, le=LATEST)


class Whole(Envelope):
    """A batch without a fault, read in one go."""

    events: list[Body] = Field(min_length=1)


@dataclass(frozen=True)
class Faulty:
    """An event that cannot be read. `id` is what stands in its place, if it is a text; `code` says what is wrong with it."""

    id: str | None
    code: str


Sent = AttendanceInput | Faulty

_whole: TypeAdapter[Whole] = TypeAdapter(Whole)


def read(data: bytes, now: datetime) -> Sequence[Sent]:
    """The events of a request's body, in order. Raises DomainError when it is no batch at all."""
    try:
        whole = _whole.validate_json(data)
    except ValidationError:
        return _one_by_one(data, now)
    _demand_few(len(whole.events), BATCH_LIMIT)
    offset = _offset(whole.sent_at, now)
    return [one.event(offset) for one in whole.events]


def read_file(data: bytes) -> tuple[Sequence[Sent], list[Any]]:
    """The check-ins of a file that a device saved, and its skill results as they stand there. Raises DomainError.

    When it was saved says nothing of the device's clock now, so its times stand as they are, with the offsets it had measured.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    told = content if isinstance(content, dict) else {}
    events, results = told.get("events", []), told.get("skill_results", [])
    if not (isinstance(events, list) and isinstance(results, list) and (events or results)):
        raise DomainError(
            "not_saved_here", N_("This is no file of unsent check-ins. Choose the file that the device saved."), status=422,
            field="file",
        )  # fmt: skip
    _demand_few(len(events) + len(results), FILE_LIMIT)
    return [_one(event, None) for event in events], results


def _one_by_one(data: bytes, now: datetime) -> Sequence[Sent]:
    try:
        # Half a surrogate pair, which browsers write for half an emoji, is one event's fault and not the batch's.
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DomainError("not_json", N_("Send JSON: Content-Type application/json."), status=422) from error
    events = content.get("events") if isinstance(content, dict) else None
    if not isinstance(events, list) or not events:
        raise DomainError("bad_batch", N_("Send “events”, a list of 1 to %(most)s."), status=422, most=BATCH_LIMIT)
    _demand_few(len(events), BATCH_LIMIT)
    offset = _offset(_moment(content.get("sent_at")), now)
    return [_one(event, offset) for event in events]


def _one(sent: Any, offset: int | None) -> Sent:
    try:
        # JSON knows neither ids nor moments: read from JSON they may be texts, and nothing else.
        return Body.model_validate_json(_json.dump_json(sent)).event(offset)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        named = problem["loc"][0] if problem["loc"] else None
        return _faulty(sent, problem["type"] if problem["type"] in MESSAGES else CODES.get(str(named), "bad_event"))
    except (ValueError, RecursionError):  # no text that could be stored
        return _faulty(sent, "bad_event")


def _faulty(sent: Any, code: str) -> Faulty:
    identity = sent.get("id") if isinstance(sent, dict) else None
    readable = isinstance(identity, str) and len(identity) <= ID_LENGTH and identity.isascii()
    return Faulty(identity if readable else None, code)


_json: TypeAdapter[Any] = TypeAdapter(Any)


def _moment(text: Any) -> datetime | None:
    try:
        return Envelope.model_validate_json(_json.dump_json({"sent_at": text})).sent_at
    except ValueError:
        return None


def _offset(sent_at: datetime | None, now: datetime) -> int | None:
    """How far the device's clock is behind ours, by when it says it sent this; ms."""
    return round((now - sent_at) / timedelta(milliseconds=1)) if sent_at is not None else None


def _demand_few(count: int, most: int) -> None:
    if count > most:
        raise DomainError("too_many_events", N_("Send at most %(most)s events at once."), status=413, most=most)


def _ticket(text: str) -> str:
    """The ticket in what was scanned, or its hash as it was sent. What is no ticket of ours is nobody's to read: its hash."""
    found = scanning.ticket_in(text)
    if found is not None or HASH.fullmatch(text):
        return found or text
    return hashlib.sha256(text.encode()).hexdigest()
