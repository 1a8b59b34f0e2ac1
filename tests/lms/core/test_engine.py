"""Engines: connections that lay idle in the pool, read-only transactions, and errors that hold no personal data."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError, InternalError

from lms.core import engine as engines
from lms.core.autocommit import make_autocommit_engine
from lms.core.engine import make_engine


@pytest.fixture
def engine(fresh_database: str) -> Iterator[Engine]:
    made = make_engine(fresh_database)
    yield made
    made.dispose()


def backend(engine: Engine) -> int:
    """The number of the server's process behind the connection that the pool gives."""
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def test_a_connection_that_the_server_closed_while_it_lay_idle_is_replaced(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "TRUSTED_SECONDS", 0.0)
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


def test_a_connection_that_was_used_a_moment_ago_is_used_again(engine: Engine) -> None:
    assert backend(engine) == backend(engine)


def test_an_engine_that_only_reads_refuses_to_write_and_sees_one_snapshot(engine: Engine, fresh_database: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (number int)"))
    reads_only = make_engine(fresh_database, reads_only=True)
    count = text("SELECT count(*) FROM seen")
    with reads_only.connect() as reader:
        assert reader.scalar(count) == 0
        with engine.begin() as writer:
            writer.execute(text("INSERT INTO seen VALUES (1)"))
        assert reader.scalar(count) == 0
        with pytest.raises(InternalError, match="read-only"):
            reader.execute(text("INSERT INTO seen VALUES (2)"))
    reads_only.dispose()


def test_a_statement_that_takes_too_long_is_cancelled(engine: Engine) -> None:
    with engine.connect() as connection:
        settings = [
            connection.scalar(text(f"SHOW {name}")) for name in ("statement_timeout", "lock_timeout", "TimeZone")
        ]
    assert settings == ["30s", "10s", "UTC"]


def test_an_error_does_not_quote_the_parameters(database_url: str) -> None:
    for engine in (make_engine(database_url), make_autocommit_engine(database_url)):
        with engine.connect() as connection, pytest.raises(DataError) as failed:
            connection.execute(text("SELECT CAST(:name AS text)"), {"name": "张\0三丰"})
        assert "三丰" not in str(failed.value)
        engine.dispose()
