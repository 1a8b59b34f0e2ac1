"""The ground that all kinds of device events share: the reading of a batch, the answers, and the moment that counts.

A device sends up to `BATCH_LIMIT` events of one kind at once, or saves them in a file. Each event is read by itself and
answered by itself, in their order, so one that cannot be read does not hold up the others. For a new kind: a body
derived from `EventBody`, an `EventReader`, and a view that calls the kind's rule and `answer_each`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from courses.outcomes import Outcome
from lms.core.db import LARGEST_ID
from lms.core.errors import N_, DomainError
from lms.core.languages import in_both

BATCH_LIMIT = 100
BYTES_LIMIT = 128 * 1024
ID_LENGTH = 100
# A clock that lost its battery starts in 1970. A time outside these limits is an error in the program, not in the clock.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC) - timedelta(days=2), datetime(2200, 1, 1, tzinfo=UTC)
LARGEST_OFFSET = 8_000_000_000_000  # milliseconds, about 250 years: enough for each time within the limits
# A device's clock may run so far ahead of the server's before its time is doubted.
CLOCK_AHEAD = timedelta(minutes=5)

RowId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class EventBody(BaseModel):
    """An event as a device sends it: an id made there, and the time by its own clock with that clock's offset.

    `offset_ms`: the server's clock minus the device's, in milliseconds, as measured; None where it was not yet.
    """

    model_config = ConfigDict(extra="ignore", strict=True)

    id: UUID
    told_at: AwareDatetime = Field(ge=EARLIEST, le=LATEST)
    offset_ms: int | None = Field(default=None, ge=-LARGEST_OFFSET, le=LARGEST_OFFSET)


class BatchEnvelope(BaseModel):
    """The facts of a batch beside its events. `sent_at`: the moment of sending by the device's clock."""

    model_config = ConfigDict(extra="ignore", strict=True)

    sent_at: AwareDatetime | None = Field(default=None, ge=EARLIEST, le=LATEST)


@dataclass(frozen=True)
class UnreadableEvent:
    """An event that cannot be read. `id`: the text that was sent as its id, if any. `message`: the msgid for `code`."""

    id: str | None
    code: str
    message: str


Body = TypeVar("Body", bound=EventBody)
Event = TypeVar("Event")


class EventReader(Generic[Body, Event]):
    """Reads the events of one kind.

    body: how an event is sent. make: turns a valid body, with the batch's offset, into the event that the kind's rule
    takes. messages: the msgid for each code of an unreadable event; `bad_event` must be among them. codes: the code for a
    field that is not valid; a validator of the body may raise a `PydanticCustomError` of the code itself.
    """

    def __init__(
        self,
        body: type[Body],
        make: Callable[[Body, int | None], Event],
        messages: Mapping[str, str],
        codes: Mapping[str, str],
    ) -> None:
        self._body, self._make, self._messages, self._codes = body, make, messages, codes
        batch = create_model("ValidBatch", __base__=BatchEnvelope, events=(list[body], Field(min_length=1)))  # type: ignore[valid-type]
        self._valid_batch: TypeAdapter[Any] = TypeAdapter(batch)

    def read_batch(self, data: bytes, now: datetime) -> Sequence[Event | UnreadableEvent]:
        """Read the events of a request's body, in their order.

        A batch without any fault, which nearly every batch is, is validated in one pass; any other event by event. Raises
        DomainError for a body that is no JSON (422), holds no list of events (422), or more than `BATCH_LIMIT` (413).
        """
        try:
            batch = self._valid_batch.validate_json(data)
        except ValidationError:
            return self._read_one_by_one(data, now)
        refuse_more_than(BATCH_LIMIT, len(batch.events))
        offset_ms = _clock_offset(batch.sent_at, now)
        return [self._make(body, offset_ms) for body in batch.events]

    def read_event(self, body: Any, offset_ms: int | None) -> Event | UnreadableEvent:
        """Read one event from parsed JSON. `offset_ms`: used where the device had not measured its own yet."""
        try:
            # In strict mode pydantic takes ids and moments as texts from JSON alone, so the parsed value is written again.
            return self._make(self._body.model_validate_json(_json.dump_json(body)), offset_ms)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
            field = problem["loc"][0] if problem["loc"] else None
            own_code = problem["type"] in self._messages
            return self._unreadable(body, problem["type"] if own_code else self._codes.get(str(field), "bad_event"))
        except (ValueError, RecursionError):  # a text that PostgreSQL cannot store, or too deep a value
            return self._unreadable(body, "bad_event")

    def _read_one_by_one(self, data: bytes, now: datetime) -> Sequence[Event | UnreadableEvent]:
        try:
            # Python's reader takes a lone surrogate, which a browser writes for half an emoji; pydantic's would refuse all.
            content = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise DomainError("not_json", N_("Send JSON: Content-Type application/json."), status=422) from error
        events = content.get("events") if isinstance(content, dict) else None
        if not isinstance(events, list) or not events:
            raise DomainError("bad_batch", N_("Send “events”, a list of 1 to %(most)s."), status=422, most=BATCH_LIMIT)
        refuse_more_than(BATCH_LIMIT, len(events))
        offset_ms = _clock_offset(_read_sent_at(content.get("sent_at")), now)
        return [self.read_event(event, offset_ms) for event in events]

    def _unreadable(self, body: Any, code: str) -> UnreadableEvent:
        event_id = body.get("id") if isinstance(body, dict) else None
        readable = isinstance(event_id, str) and len(event_id) <= ID_LENGTH and event_id.isascii()
        return UnreadableEvent(event_id if readable else None, code, self._messages[code])


class EventAnswer(Protocol):
    """The answer of a kind's rule to one event. `message`: an English msgid, to be filled with `params`."""

    @property
    def id(self) -> UUID:
        """The event's id."""
        ...

    @property
    def outcome(self) -> Outcome:
        """The outcome."""
        ...

    @property
    def code(self) -> str:
        """The outcome in detail, for programs."""
        ...

    @property
    def message(self) -> str:
        """The msgid."""
        ...

    @property
    def params(self) -> Mapping[str, Any]:
        """The values of the msgid's placeholders."""
        ...


Answer = TypeVar("Answer", bound=EventAnswer)


def readable(events: Sequence[Event | UnreadableEvent]) -> list[Event]:
    """Return the events that could be read, in their order."""
    return [event for event in events if not isinstance(event, UnreadableEvent)]


def pair(
    events: Sequence[Event | UnreadableEvent], answers: Sequence[Answer]
) -> list[tuple[Event, Answer] | UnreadableEvent]:
    """Return each event with its answer, and the unreadable events in their places. answers: of the readable events."""
    remaining = iter(answers)
    return [event if isinstance(event, UnreadableEvent) else (event, next(remaining)) for event in events]


def answer_each(
    events: Sequence[Event | UnreadableEvent],
    answers: Sequence[Answer],
    facts: Callable[[Answer | None], Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return an answer as JSON for each event that was sent, in their order. answers: those of the readable events.

    facts: what the kind adds to an answer; called with None for an unreadable event. Raises DomainError (409) for an event
    alone in its batch whose id another event has.
    """
    if len(answers) == len(events) == 1 and answers[0].code == "event_conflict":
        raise DomainError("event_conflict", answers[0].message)
    return [
        {
            "id": paired.id, "outcome": Outcome.REJECTED, "code": paired.code, "text": in_both(paired.message),
            **facts(None),
        }
        if isinstance(paired, UnreadableEvent)
        else {
            "id": paired[1].id, "outcome": paired[1].outcome, "code": paired[1].code,
            "text": in_both(paired[1].message, **paired[1].params), **facts(paired[1]),
        }
        for paired in pair(events, answers)
    ]  # fmt: skip


def moment_told(told_at: datetime | None, offset_ms: int | None, now: datetime) -> tuple[datetime, bool]:
    """Return the device's time corrected by its clock's offset, at most now, and whether it can be believed.

    It cannot where it lies more than `CLOCK_AHEAD` in the future; the moment is then as told.
    """
    if told_at is None:
        return now, True
    try:
        moment = told_at + timedelta(milliseconds=offset_ms or 0)
    except OverflowError:
        return now, False
    return (moment, False) if moment > now + CLOCK_AHEAD else (min(moment, now), True)


def moment_since(told_at: datetime, offset_ms: int | None, earliest: datetime, now: datetime) -> datetime:
    """Return the moment that counts: as told where that lies between `earliest` and now, else now."""
    moment, believable = moment_told(told_at, offset_ms, now)
    return moment if believable and moment >= earliest else now


def refuse_more_than(limit: int, count: int) -> None:
    """Raise DomainError (413) for more events than `limit`."""
    if count > limit:
        raise DomainError("too_many_events", N_("Send at most %(most)s events at once."), status=413, most=limit)


_json: TypeAdapter[Any] = TypeAdapter(Any)


def _read_sent_at(text: Any) -> datetime | None:
    try:
        return BatchEnvelope.model_validate_json(_json.dump_json({"sent_at": text})).sent_at
    except ValueError:
        return None


def _clock_offset(sent_at: datetime | None, now: datetime) -> int | None:
    """The server's clock minus the device's in milliseconds, by the device's time of sending; None without that time."""
    return round((now - sent_at) / timedelta(milliseconds=1)) if sent_at is not None else None
