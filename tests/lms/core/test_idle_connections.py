"""Connections that lay idle: one that the database ended meanwhile is replaced unseen, one used a moment ago is not asked."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from lms.core import db
from lms.core.db import make_engine


@pytest.fixture
def engine(fresh_database: str) -> Iterator[Engine]:
    made = make_engine(fresh_database)
    yield made
    made.dispose()


def backend(engine: Engine) -> int:
    """The number of the server's process behind the connection that the pool gives."""
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def test_one_that_died_while_it_lay_idle_is_replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "TRUSTED_SECONDS", 0.0)
    first, second = engine.connect(), engine.connect()
    victims = [connection.scalar(text("SELECT pg_backend_pid()")) for connection in (first, second)]
    first.close()
    second.close()
    other = make_engine(engine.url.render_as_string(hide_password=False))
    with other.connect() as killer:
        for victim in victims:
            killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": victim})
    other.dispose()
    assert backend(engine) not in victims


def test_one_that_was_used_a_moment_ago_is_used_again(engine: Engine) -> None:
    assert backend(engine) == backend(engine)
