"""The file that a device saved: its order is kept over all kinds, and what nobody knows is answered."""

import json
from typing import Any
from uuid import uuid4

import pytest

from courses import saved_events
from courses.device_events import EventBody, EventReader, UnreadableEvent
from courses.saved_events import RecordedEvent, SavedKind
from lms.core import clock
from lms.core.errors import DomainError


def reader() -> EventReader[Any, Any]:
    return EventReader(EventBody, lambda body, _offset: body, {"bad_event": "unreadable"}, {})


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The batches that were recorded: their path and number."""
    recorded: list[tuple[str, int]] = []

    def kind(path: str) -> SavedKind:
        def record(events: Any) -> Any:
            recorded.append((path, len(events)))
            return events

        return SavedKind(reader(), record, lambda _event, _answer: (path, None))

    monkeypatch.setattr(saved_events, "_kinds", {path: kind(path) for path in ("/a", "/b", "/api/v1/skill-results")})
    return recorded


def event() -> dict[str, str]:
    return {"id": str(uuid4()), "told_at": clock.now().isoformat()}


def recorded(content: Any) -> list[RecordedEvent | UnreadableEvent]:
    return saved_events.record(saved_events.read(json.dumps(content).encode()))


def test_events_are_recorded_in_their_order_a_run_of_one_kind_at_once(batches: list[tuple[str, int]]) -> None:
    paths = ["/a"] * 130 + ["/b", "/a"]
    answers = recorded({"items": [{"path": path, "event": event()} for path in paths]})
    assert batches == [("/a", 100), ("/a", 30), ("/b", 1), ("/a", 1)]
    assert [answer.about for answer in answers if isinstance(answer, RecordedEvent)] == paths


def test_whatever_cannot_be_read_is_answered_in_its_place(batches: list[tuple[str, int]]) -> None:
    odd: list[Any] = [None, {"path": "/unknown", "event": event()}, {"path": 1}, {"path": "/a", "event": {}}]
    answers = recorded({"items": [*odd, {"path": "/a", "event": event()}]})
    assert [isinstance(answer, UnreadableEvent) for answer in answers] == [True] * 4 + [False]
    assert batches == [("/a", 1)]


def test_a_file_of_a_former_version_is_read(batches: list[tuple[str, int]]) -> None:
    assert len(recorded({"saved_at": "", "events": [], "skill_results": [event()]})) == 1
    assert batches == [("/api/v1/skill-results", 1)]


@pytest.mark.parametrize("content", [None, [], {}, {"items": {}}, {"items": []}, {"events": "x"}])
def test_any_other_file_is_refused(content: Any) -> None:
    with pytest.raises(DomainError) as refusal:
        recorded(content)
    assert refusal.value.code == "not_saved_here"
