"""The reading of a batch of any kind, the answers in its order, and the moment that counts."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from courses.device_events import (
    EventBody,
    EventReader,
    UnreadableEvent,
    answer_each,
    moment_since,
    moment_told,
    readable,
)
from courses.outcomes import Outcome
from lms.core.errors import DomainError

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Bell(EventBody):
    """An event for these tests."""

    rings: int

    def event(self, offset_ms: int | None) -> tuple[UUID, int, int | None]:
        """The event as a rule takes it."""
        return self.id, self.rings, self.offset_ms if self.offset_ms is not None else offset_ms


@dataclass
class Answer:
    """An answer to it."""

    id: UUID
    outcome: Outcome = Outcome.ACCEPTED
    code: str = "rung"
    message: str = "rung"
    params: dict[str, Any] = field(default_factory=dict)


BELLS = EventReader(Bell, Bell.event, {"bad_event": "unreadable", "bad_rings": "no number"}, {"rings": "bad_rings"})


def batch(*events: Any, **more: Any) -> bytes:
    return json.dumps({"events": events, **more}).encode()


def bell(**facts: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "told_at": NOW.isoformat(), "rings": 2} | facts


def test_each_event_is_read_by_itself_and_answered_in_its_place() -> None:
    good, other = bell(), bell(rings="two")
    events = BELLS.read_batch(batch(good, other, None), NOW)
    answers = answer_each(events, [Answer(UUID(good["id"]))], lambda answer: {"known": answer is not None})
    assert len(readable(events)) == 1
    assert [(answer["id"], answer["outcome"], answer["code"], answer["known"]) for answer in answers] == [
        (UUID(good["id"]), "accepted", "rung", True),
        (other["id"], "rejected", "bad_rings", False),
        (None, "rejected", "bad_event", False),
    ]


def test_the_time_of_sending_tells_how_slow_the_clock_is_where_it_was_not_measured() -> None:
    sent_at = (NOW - timedelta(minutes=3)).isoformat()
    slow, measured = BELLS.read_batch(batch(bell(), bell(offset_ms=5), sent_at=sent_at), NOW)
    assert not isinstance(slow, UnreadableEvent)
    assert not isinstance(measured, UnreadableEvent)
    assert (slow[2], measured[2]) == (180_000, 5)


def test_a_used_id_alone_in_its_batch_is_refused_as_a_request() -> None:
    events = BELLS.read_batch(batch(bell()), NOW)
    conflict = Answer(uuid4(), Outcome.REJECTED, "event_conflict")
    with pytest.raises(DomainError) as refusal:
        answer_each(events, [conflict], lambda _answer: {})
    assert (refusal.value.code, refusal.value.status) == ("event_conflict", 409)


@pytest.mark.parametrize(
    ("minutes", "offset_ms", "expected"),
    [
        (-5, 0, (-5, True)),
        (-5, 60_000, (-4, True)),
        (4, 0, (0, True)),  # a clock that runs a little ahead
        (6, 0, (6, False)),
        (0, 10**17, (0, False)),  # no date at all
    ],
)
def test_a_told_moment_is_corrected_and_never_later_than_now(
    minutes: int, offset_ms: int, expected: tuple[int, bool]
) -> None:
    moment, believable = moment_told(NOW + timedelta(minutes=minutes), offset_ms, NOW)
    assert ((moment - NOW) / timedelta(minutes=1), believable) == expected


def test_a_moment_before_the_earliest_counts_as_the_moment_of_receipt() -> None:
    earliest = NOW - timedelta(hours=1)
    assert moment_since(earliest, 0, earliest, NOW) == earliest
    assert moment_since(earliest - timedelta(seconds=1), 0, earliest, NOW) == NOW
    assert moment_since(NOW + timedelta(hours=1), 0, earliest, NOW) == NOW
