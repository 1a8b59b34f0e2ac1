"""Reactions run after the commit, never after a rollback, and a broken one harms nobody."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import sessionmaker

from lms.core import events
from lms.core.transactions import transaction


@dataclass(frozen=True)
class Happened:
    what: str


@pytest.fixture
def heard() -> Iterator[list[str]]:
    told: list[str] = []

    def broken(_event: Happened) -> None:
        raise RuntimeError("broker is away")

    def listen(event: Happened) -> None:
        told.append(event.what)

    events.react(Happened, broken)
    events.react(Happened, listen)
    events.react(Happened, listen)
    yield told
    events._reactions.pop(Happened)


def test_told_once_after_the_commit(connection: Connection, heard: list[str]) -> None:
    sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")
    with transaction(sessions) as db:
        events.publish(db, Happened("closed"))
        db.execute(text("SELECT 1"))
        assert heard == []
    assert heard == ["closed"]


def test_not_told_of_what_was_rolled_back(connection: Connection, heard: list[str]) -> None:
    sessions = sessionmaker(connection, join_transaction_mode="create_savepoint")

    def fail() -> None:
        with transaction(sessions) as db:
            events.publish(db, Happened("closed"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert heard == []
