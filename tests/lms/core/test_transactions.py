"""Units of work of tasks and commands."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from lms.core import events
from lms.core.engine import make_engine
from lms.core.transactions import make_sessions, transaction

INSERT = text("INSERT INTO numbers VALUES (:number)")


class Written:
    """An event of these tests."""


@pytest.fixture
def engine(fresh_database: str) -> Iterator[Engine]:
    engine = make_engine(fresh_database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number int)"))
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return make_sessions(engine)


@pytest.fixture
def reactions(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    seen: list[object] = []
    monkeypatch.setitem(events._reactions, Written, [seen.append])
    return seen


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT number FROM numbers")))


def test_a_block_that_ends_is_committed_and_then_reacted_to(
    engine: Engine, sessions: sessionmaker[Session], reactions: list[object]
) -> None:
    with transaction(sessions) as db:
        db.execute(INSERT, {"number": 1})
        events.publish(db, Written())
        assert (numbers(engine), reactions) == ([], [])
    assert numbers(engine) == [1]
    assert len(reactions) == 1


def test_a_block_that_raises_is_rolled_back_and_its_events_discarded(
    engine: Engine, sessions: sessionmaker[Session], reactions: list[object]
) -> None:
    def write() -> None:
        with transaction(sessions) as db:
            db.execute(INSERT, {"number": 1})
            events.publish(db, Written())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert (numbers(engine), reactions) == ([], [])
