"""Marks of examiners, in whatever order they arrive: of the marks of one key the last by its moment counts.

A key is what is marked, such as a skill in one attempt. Of two marks with the same moment the one with the greater id counts.
With two examiners the result thus never depends on whose phone sends first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Row

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Mark(Generic[Key, Value]):
    """A mark as the fold takes it: its event's id, what is marked, the value (None takes it away) and the moment."""

    id: UUID
    key: Key
    value: Value | None
    moment: datetime


def fold(marks: Iterable[Mark[Key, Value]]) -> dict[Key, Mark[Key, Value]]:
    """Return the mark that counts for each key: the last by moment, in any order of arrival."""
    latest: dict[Key, Mark[Key, Value]] = {}
    for mark in marks:
        earlier = latest.get(mark.key)
        if earlier is None or (earlier.moment, earlier.id) < (mark.moment, mark.id):
            latest[mark.key] = mark
    return latest


def counting_at(moment: datetime, events: Iterable[Row[Any]]) -> Row[Any]:
    """Return the event of one key that counted when one was received at `moment`: later arrivals are left out.

    events: rows whose first value is the stored event; the one that was received then is among them.
    """
    return max((row for row in events if row[0].received_at <= moment), key=lambda row: (row[0].happened_at, row[0].id))
