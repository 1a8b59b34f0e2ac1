"""The file in which a device saves what it could not send, and its recording: each event as if the device had sent it.

The file holds the events in the order in which they happened, each with the path to which the device would send it:
`{"items": [{"path": "/api/v1/check-ins", "event": {…}}, …]}`. Files of former versions hold two lists (`LISTS`). Each kind
of events registers how it is read and recorded.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from courses.device_events import (
    BATCH_LIMIT,
    EventAnswer,
    EventReader,
    UnreadableEvent,
    pair,
    readable,
    refuse_more_than,
)
from lms.core.errors import N_, DomainError

BYTES_LIMIT = 4 * 1024 * 1024
FILE_LIMIT = 5000
LISTS = {"events": "/api/v1/check-ins", "skill_results": "/api/v1/skill-results"}
UNKNOWN_KIND = N_("This entry could not be read. Enter it again on its page.")


@dataclass(frozen=True)
class SavedKind:
    """A kind of events that a file may hold.

    record: records a batch in the name of the signed-in user, as the kind's address does for a device. about: the text that
    names what an event was about (empty: a person), and the enrolment's id.
    """

    reader: EventReader[Any, Any]
    record: Callable[[Sequence[Any]], Sequence[Any]]
    about: Callable[[Any, Any], tuple[str, int | None]]


@dataclass(frozen=True)
class RecordedEvent:
    """An event of a file with its answer. about, enrolment_id: see `SavedKind.about`."""

    event: Any
    answer: EventAnswer
    about: str
    enrolment_id: int | None


@dataclass(frozen=True)
class SavedItem:
    """An event of a file: its path, and the event or why it cannot be read."""

    path: str
    event: Any


_kinds: dict[str, SavedKind] = {}


def register(path: str, kind: SavedKind) -> None:
    """Let files hold the events that a device sends to this path."""
    _kinds[path] = kind


def read(data: bytes) -> list[SavedItem]:
    """Read the events of a file, in their order. Raises DomainError for anything but a file that a device saved.

    The time of saving tells nothing about the device's clock now, so an event without a measured offset keeps its time.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    sent = list(_sent(content)) if isinstance(content, dict) else []
    if not sent:
        raise DomainError(
            "not_saved_here", N_("This is not a file of unsent check-ins. Choose the " "file that the device saved."), status=422,
            field="file",
        )  # fmt: skip
    refuse_more_than(FILE_LIMIT, len(sent))
    return [
        SavedItem(path, _kinds[path].reader.read_event(body, None))
        if path in _kinds
        else SavedItem("", UnreadableEvent(None, "bad_event", UNKNOWN_KIND))
        for path, body in sent
    ]


def record(items: Iterable[SavedItem]) -> list[RecordedEvent | UnreadableEvent]:
    """Record the events in their order, in batches of one kind, and return each with its answer."""
    recorded: list[RecordedEvent | UnreadableEvent] = []
    for path, run in groupby(items, key=lambda item: item.path):
        events = [item.event for item in run]
        for start in range(0, len(events), BATCH_LIMIT):
            batch = events[start : start + BATCH_LIMIT]
            valid = readable(batch)
            answers = _kinds[path].record(valid) if valid else []
            for paired in pair(batch, answers):
                if isinstance(paired, UnreadableEvent):
                    recorded.append(paired)
                else:
                    recorded.append(RecordedEvent(*paired, *_kinds[path].about(*paired)))
    return recorded


def _sent(content: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """The path and body of each event in a file's parsed JSON; whatever is no list of the expected form holds none."""
    items = content.get("items", [])
    for item in items if isinstance(items, list) else []:
        path = item.get("path") if isinstance(item, dict) else None
        yield (path, item.get("event")) if isinstance(path, str) else ("", None)
    for name, path in LISTS.items():
        bodies = content.get(name, [])
        for body in bodies if isinstance(bodies, list) else []:
            yield path, body
