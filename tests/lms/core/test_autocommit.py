"""Single reads: prepared and through SQLAlchemy alike, on connections that the server may have closed in the pool."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import Engine, LargeBinary, bindparam, create_engine, func, select, text
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from lms.core import engine as engines
from lms.core.autocommit import AutocommitReads, make_autocommit_engine
from lms.core.db import Base
from lms.core.pipeline import PreparedStatement
from tests.factories import Make

user = Base.metadata.tables["app_user"]
BY_NAME = PreparedStatement(
    select(user.c.id, user.c.name).where(
        user.c.name == text("convert_from(:raw, 'UTF8')").bindparams(bindparam("raw", type_=LargeBinary))
    ),
    "raw",
)
ONE_DIVIDED = PreparedStatement(
    text("SELECT 1 / (length(CAST(:raw AS bytea)) - 1)").bindparams(bindparam("raw", type_=LargeBinary)), "raw"
)


@pytest.fixture
def reader(fresh_database: str) -> Iterator[Engine]:
    """An autocommit engine on a database of its own, which holds one user."""
    engine = create_engine(fresh_database)
    with Session(engine) as db:
        made = Make(db).user()
        made.name = "张三丰"
        db.commit()
    engine.dispose()
    autocommit = make_autocommit_engine(fresh_database)
    yield autocommit
    autocommit.dispose()


def test_a_prepared_statement_gives_the_same_row_in_a_session_and_in_autocommit(
    reader: Engine, fresh_database: str
) -> None:
    engine = create_engine(fresh_database)
    with Session(engine) as db:
        for name, exists in (("张三丰", True), ("李四", False)):
            reads = AutocommitReads(reader)
            row = BY_NAME.first(reads, raw=name.encode())
            reads.close()
            assert BY_NAME.first(db, raw=name.encode()) == row
            assert (row is not None and row[1] == name) is exists
    engine.dispose()


def _close_all_connections(database: str) -> None:
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


@pytest.mark.parametrize(
    "read",
    [
        lambda reads: ONE_DIVIDED.first(reads, raw=b"xy")[0],
        lambda reads: reads.execute(text("SELECT 1")).scalar_one(),
    ],
    ids=["prepared", "statement"],
)
def test_a_connection_that_the_server_closed_is_replaced_unseen(
    reader: Engine, fresh_database: str, read: Callable[[AutocommitReads], int]
) -> None:
    for _ in range(2):
        reads = AutocommitReads(reader)
        assert read(reads) == 1
        reads.close()
        _close_all_connections(fresh_database)


def test_several_closed_connections_cost_one_retry(
    reader: Engine, fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "TRUSTED_SECONDS", 60.0)
    several = [AutocommitReads(reader) for _ in range(3)]  # each has a connection of its own
    for reads in several:
        reads.connection()
    for reads in several:
        reads.close()
    _close_all_connections(fresh_database)
    assert ONE_DIVIDED.first(several[0], raw=b"xy") == (1,)
    several[0].close()


def test_a_statement_that_ends_its_own_connection_is_executed_twice_and_no_more(reader: Engine) -> None:
    suicide = PreparedStatement(select(func.pg_terminate_backend(func.pg_backend_pid())))
    reads = AutocommitReads(reader)
    with pytest.raises(OperationalError):
        suicide.first(reads)
    reads.close()


def test_a_statement_that_fails_raises_and_the_next_is_answered(reader: Engine) -> None:
    reads = AutocommitReads(reader)
    with pytest.raises(DataError) as failed:
        ONE_DIVIDED.first(reads, raw=b"x")
    assert isinstance(failed.value, DBAPIError)
    assert isinstance(failed.value.orig, psycopg.errors.DivisionByZero)
    assert ONE_DIVIDED.first(reads, raw=b"xy") == (1,)
    reads.close()


def test_reads_hold_no_transaction_open(reader: Engine) -> None:
    reads = AutocommitReads(reader)
    moments = [reads.execute(text("SELECT now()")).scalar_one() for _ in range(2)]
    reads.close()
    assert moments[0] < moments[1]


def test_a_thread_keeps_its_connection_and_another_has_its_own(reader: Engine) -> None:
    reads = AutocommitReads(reader)
    pid = text("SELECT pg_backend_pid()")

    def backends() -> set[int]:
        found = {reads.execute(pid).scalar_one() for _ in range(2)}
        reads.close()
        return found

    own = {reads.execute(pid).scalar_one() for _ in range(2)}
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(backends).result()
    assert len(own) == len(other) == 1
    assert own != other
    reads.dispose()
