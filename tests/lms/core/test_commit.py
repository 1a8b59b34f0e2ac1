"""Committing by one call of libpq: what is committed stays, and what cannot be is told as SQLAlchemy tells it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from lms.core.db import make_engine

LATER = "CREATE TABLE later (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)"


@pytest.fixture
def engine(fresh_database: str) -> Iterator[Engine]:
    engine = make_engine(fresh_database)
    with engine.begin() as connection:
        connection.execute(text(LATER))
    yield engine
    engine.dispose()


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT number FROM later ORDER BY number")))


def test_what_is_committed_is_there_for_others(engine: Engine) -> None:
    with Session(engine) as db:
        db.execute(text("INSERT INTO later VALUES (1)"))
        assert numbers(engine) == []
        db.commit()
        assert numbers(engine) == [1]
        db.commit()  # nothing to do


def test_what_only_the_commit_finds_is_told_and_the_connection_goes_on(engine: Engine) -> None:
    with Session(engine) as db:
        db.execute(text("INSERT INTO later VALUES (1), (1)"))
        with pytest.raises(IntegrityError):
            db.commit()
        db.rollback()
        db.execute(text("INSERT INTO later VALUES (2)"))
        db.commit()
    assert numbers(engine) == [2]


def test_a_commit_that_nobody_answers_is_an_error(engine: Engine) -> None:
    with Session(engine) as db, engine.connect() as other:
        db.execute(text("INSERT INTO later VALUES (1)"))
        own = db.scalar(text("SELECT pg_backend_pid()"))
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
        with pytest.raises(DBAPIError):
            db.commit()
    assert numbers(engine) == []
