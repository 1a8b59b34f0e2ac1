"""Prepared statements in one round trip: their transaction, their errors, their planner settings, and the commit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import BigInteger, Engine, LargeBinary, Text, Uuid, bindparam, cast, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError
from sqlalchemy.orm import Session

from lms.core import pipeline
from lms.core.engine import make_engine
from lms.core.pipeline import PreparedStatement, send

TABLES = (
    "CREATE TABLE later (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TABLE counted (number int PRIMARY KEY)",
)
INSERT = PreparedStatement(text("INSERT INTO counted VALUES (CAST(:number AS int))"), "number")
COUNT = PreparedStatement(text("SELECT count(*) FROM counted"))
NUMBERED = PreparedStatement(text("SELECT number FROM counted WHERE number = CAST(:number AS int)"), "number")
BY_INDEX = PreparedStatement(
    text("SELECT number, current_setting('enable_seqscan') FROM counted WHERE number = CAST(:number AS int)"),
    "number",
    index_plan=True,
)
SETTINGS = text("SELECT current_setting('plan_cache_mode'), current_setting('enable_seqscan')")
DEFAULTS = ("auto", "on")


@pytest.fixture
def engine(fresh_database: str) -> Iterator[Engine]:
    engine = make_engine(fresh_database)
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(table))
    yield engine
    engine.dispose()


def numbers(engine: Engine, table: str) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT number FROM {table} ORDER BY number")))


def settings(db: Session) -> tuple[str, str]:
    plan_cache_mode, enable_seqscan = db.execute(SETTINGS).one()
    return plan_cache_mode, enable_seqscan


def end_backend(engine: Engine, db: Session) -> None:
    """End the server's process behind a session, as a restart of PostgreSQL does."""
    own = db.scalar(text("SELECT pg_backend_pid()"))
    with engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("kind", "value", "result"),
    [
        (BigInteger, 7, 7),
        (Text, "张三丰 'quoted' \\ back", "张三丰 'quoted' \\ back"),
        (Text, Colour.RED, "red"),
        (Text, None, None),
        (LargeBinary, b"\x00\xff\\x41'", b"\x00\xff\\x41'"),
        (JSONB, [{"name": "张三丰", "number": None}], [{"name": "张三丰", "number": None}]),
        (ARRAY(BigInteger), {7}, [7]),
        (ARRAY(BigInteger), (), []),
        (ARRAY(Uuid), [UUID(int=7)], [UUID(int=7)]),
    ],
)
def test_values_of_each_type_come_back_as_they_were_sent(
    engine: Engine, kind: Any, value: object, result: object
) -> None:
    echo = PreparedStatement(select(cast(bindparam("value", type_=kind), kind)), "value")
    with Session(engine) as db:
        assert echo.first(db, value=value) == (result,)


def test_a_moment_comes_back_as_it_was_sent(engine: Engine) -> None:
    moment = datetime(2025, 6, 1, 8, 30, 15, 123456, tzinfo=UTC)
    echo = PreparedStatement(text("SELECT CAST(:value AS timestamptz)"), "value")
    with Session(engine) as db:
        assert echo.first(db, value=moment) == (moment,)


def test_a_parameter_that_is_not_named_keeps_its_value(engine: Engine) -> None:
    added = PreparedStatement(text("SELECT CAST(:one AS int) + CAST(:two AS int)").bindparams(one=40), "two")
    with Session(engine) as db:
        assert [added.first(db, two=two) for two in (2, 3)] == [(42,), (43,)]


def test_each_statement_sees_what_those_before_it_did(engine: Engine) -> None:
    with Session(engine) as db:
        inserted, counted = send(db, (INSERT, {"number": 1}), (COUNT, {}))
        assert (inserted, counted) == ([], [(1,)])
        assert numbers(engine, "counted") == []
        db.commit()
    assert numbers(engine, "counted") == [1]


def test_a_pipeline_and_sqlalchemy_share_one_transaction(engine: Engine) -> None:
    with Session(engine) as db:
        send(db, (INSERT, {"number": 1}))
        db.execute(text("INSERT INTO counted VALUES (2)"))
        assert COUNT.first(db) == (2,)
        db.rollback()
        assert COUNT.first(db) == (0,)


def test_a_statement_is_prepared_once_and_again_after_a_rollback(engine: Engine) -> None:
    prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'pipeline%'")
    with Session(engine) as db:
        for _ in range(8):  # psycopg prepares its own statements too, and deallocates all when it rolls back
            db.execute(text("SELECT 1"))
        COUNT.first(db)
        first = db.scalar(prepared)
        COUNT.first(db)
        assert db.scalar(prepared) == first
        db.rollback()
        assert COUNT.first(db) == (0,)


def test_a_conflict_in_the_middle_undoes_what_was_sent_before_it(engine: Engine) -> None:
    with Session(engine) as db:
        send(db, (INSERT, {"number": 1}))
        db.commit()
        with pytest.raises(IntegrityError) as failed:
            send(db, (INSERT, {"number": 2}), (INSERT, {"number": 1}), (INSERT, {"number": 3}), (COUNT, {}))
        assert isinstance(failed.value.orig, psycopg.errors.UniqueViolation)
        assert failed.value.orig.diag.constraint_name == "counted_pkey"
        with pytest.raises(InternalError):  # the transaction is aborted, as after any error
            send(db, (COUNT, {}))
        db.rollback()
        send(db, (INSERT, {"number": 4}))
        db.commit()
    assert numbers(engine, "counted") == [1, 4]


def test_a_conflict_within_a_savepoint_undoes_the_savepoint_alone(engine: Engine) -> None:
    with Session(engine) as db:
        send(db, (INSERT, {"number": 1}))
        for _ in range(8):
            db.execute(text("SELECT 1"))
        with pytest.raises(IntegrityError), db.begin_nested():
            send(db, (INSERT, {"number": 2}), (INSERT, {"number": 1}))
        assert send(db, (NUMBERED, {"number": 1}), (NUMBERED, {"number": 2})) == [[(1,)], []]
        db.commit()
    assert numbers(engine, "counted") == [1]


def test_planner_settings_hold_for_the_pipeline_alone(engine: Engine) -> None:
    with Session(engine) as db:
        send(db, (INSERT, {"number": 1}))
        assert BY_INDEX.first(db, number=1) == (1, "off")
        assert settings(db) == DEFAULTS
        db.commit()
        assert BY_INDEX.first(db, number=1) == (1, "off")  # also where the pipeline begins the transaction
        assert settings(db) == DEFAULTS


def test_planner_settings_end_with_a_pipeline_that_fails(engine: Engine) -> None:
    with Session(engine) as db:
        send(db, (INSERT, {"number": 1}))
        with pytest.raises(IntegrityError), db.begin_nested():
            send(db, (BY_INDEX, {"number": 1}), (INSERT, {"number": 1}))
        assert settings(db) == DEFAULTS
        db.commit()
        with pytest.raises(IntegrityError):
            send(db, (BY_INDEX, {"number": 1}), (INSERT, {"number": 1}))
        db.rollback()
        assert settings(db) == DEFAULTS


def test_settings_of_the_database_are_restored(engine: Engine, fresh_database: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{engine.url.database}" SET enable_seqscan = off'))
    other = make_engine(fresh_database)
    with Session(other) as db:
        BY_INDEX.first(db, number=1)
        assert settings(db) == ("auto", "off")
    other.dispose()


def test_an_index_plan_is_made_once_for_all_values(engine: Engine) -> None:
    plans = text("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = :name")
    with Session(engine) as db:
        for number in range(7):
            BY_INDEX.first(db, number=number)
            NUMBERED.first(db, number=number)
        assert db.execute(plans, {"name": BY_INDEX.name.decode()}).one() == (7, 0)
        assert db.execute(plans, {"name": NUMBERED.name.decode()}).one() == (2, 5)


def test_a_lost_connection_raises_and_the_next_unit_of_work_has_a_new_one(engine: Engine) -> None:
    with Session(engine) as db:
        send(db, (INSERT, {"number": 1}))
        end_backend(engine, db)
        with pytest.raises(OperationalError) as failed:
            send(db, (INSERT, {"number": 2}), (COUNT, {}))
        assert failed.value.connection_invalidated
        db.rollback()
        send(db, (INSERT, {"number": 3}), (COUNT, {}))
        db.commit()
    assert numbers(engine, "counted") == [3]


def test_a_connection_that_is_lost_by_a_single_statement_raises_too(engine: Engine) -> None:
    with Session(engine) as db:
        COUNT.first(db)
        end_backend(engine, db)
        with pytest.raises(OperationalError):
            COUNT.first(db)
    with Session(engine) as db:
        assert COUNT.first(db) == (0,)


def test_a_connection_that_is_returned_in_the_middle_of_a_transaction_serves_the_next(engine: Engine) -> None:
    for _ in range(3):
        with Session(engine) as db:
            for _ in range(8):
                db.execute(text("SELECT 1"))
            send(db, (INSERT, {"number": 1}), (COUNT, {}))
    assert numbers(engine, "counted") == []


def test_an_observer_is_told_each_statement_and_no_transaction_control(engine: Engine) -> None:
    seen: list[str] = []
    with Session(engine) as db, pipeline.observed(seen.append):
        send(db, (BY_INDEX, {"number": 1}), (COUNT, {}))
        db.commit()
    with Session(engine) as db:
        COUNT.first(db)
    assert seen == [BY_INDEX.sql, COUNT.sql]


@pytest.fixture
def used(engine: Engine) -> Engine:
    """An engine on which a pipeline was sent, so that it commits by one call of libpq."""
    with Session(engine) as db:
        COUNT.first(db)
        db.commit()
    return engine


def test_what_is_committed_is_seen_by_others(used: Engine) -> None:
    with Session(used) as db:
        db.execute(text("INSERT INTO later VALUES (1)"))
        assert numbers(used, "later") == []
        db.commit()
        assert numbers(used, "later") == [1]
        db.commit()  # nothing to do


def test_a_conflict_that_only_the_commit_finds_raises_and_the_connection_goes_on(used: Engine) -> None:
    with Session(used) as db:
        db.execute(text("INSERT INTO later VALUES (1), (1)"))
        with pytest.raises(IntegrityError):
            db.commit()
        db.rollback()
        db.execute(text("INSERT INTO later VALUES (2)"))
        db.commit()
    assert numbers(used, "later") == [2]


def test_a_commit_that_nobody_answers_raises(used: Engine) -> None:
    with Session(used) as db:
        db.execute(text("INSERT INTO later VALUES (1)"))
        end_backend(used, db)
        with pytest.raises(DBAPIError) as failed:
            db.commit()
        assert failed.value.connection_invalidated
    assert numbers(used, "later") == []
