"""Single questions: past SQLAlchemy and through it alike, over connections that may die while nobody looks."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import bindparam, create_engine, select, text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from lms.core.db import Base, Lookup, Reader, Reading, make_engine
from tests.factories import Make

user = Base.metadata.tables["app_user"]
BY_NAME = Lookup(
    select(user.c.id, user.c.name).where(
        user.c.name == text("convert_from(:raw, 'UTF8')").bindparams(bindparam("raw"))
    ),
    "raw",
)


@pytest.fixture
def reader(fresh_database: str) -> Iterator[Reader]:
    """Connections to a database of its own, which holds one user."""
    engine = create_engine(fresh_database)
    with Session(engine) as db:
        made = Make(db).user()
        made.name = "张三丰"
        db.commit()
    engine.dispose()
    made_reader = Reader(fresh_database)
    yield made_reader
    made_reader.dispose()


def test_a_lookup_finds_the_same_by_either_way(reader: Reader, fresh_database: str) -> None:
    engine = create_engine(fresh_database)
    with Session(engine) as db:
        for name, there in (("张三丰", True), ("李四", False)):
            raw = name.encode()
            found = BY_NAME.row(Reading(reader), raw)
            assert BY_NAME.row(db, raw) == found
            assert (found is not None and found[1] == name) is there
    engine.dispose()


def _hang_up(reader: Reader, fresh_database: str) -> None:
    with psycopg.connect(fresh_database.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


@pytest.mark.parametrize(
    "ask",
    [
        lambda reading: reading.row("SELECT 1 WHERE $1::bytea IS NOT NULL", b"x")[0],
        lambda reading: reading.execute(text("SELECT 1")).scalar_one(),
    ],
    ids=["lookup", "statement"],
)
def test_a_connection_that_died_is_replaced_unseen(
    reader: Reader, fresh_database: str, ask: Callable[[Reading], int]
) -> None:
    for _ in range(2):
        reading = Reading(reader)
        assert ask(reading) == 1
        reading.close()
        _hang_up(reader, fresh_database)


def test_a_question_that_is_wrong_is_told_and_the_next_is_answered(reader: Reader) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        reader.row("SELECT 1 / (length($1::bytea) - 1)", b"x")
    assert reader.row("SELECT 1 / (length($1::bytea) - 1)", b"xyz") == (0,)


def test_an_error_does_not_say_what_was_asked_with(reader: Reader, database_url: str) -> None:
    engine = make_engine(database_url)
    for connection in (engine.connect(), reader.connect()):
        with connection, pytest.raises(DataError) as failed:
            connection.execute(text("SELECT CAST(:name AS text)"), {"name": "张\0三丰"})
        assert "三丰" not in str(failed.value)
    engine.dispose()
