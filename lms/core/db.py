"""The database: one engine a process, one session a request, a task or a command; each commits once, at its edge."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Protocol

from sqlalchemy import BigInteger, Connection, DateTime, Engine, Identity, MetaData, Text, TypeDecorator, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker

from lms.core import events

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000

Identifier = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]


class Word(TypeDecorator[StrEnum]):
    """A word of a fixed list: text in the database, the list's own member in Python, so that `is` tells the truth."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, _dialect: object) -> str | None:
        """The word itself; which words may stand in a column, its check constraint says."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any, _dialect: object) -> StrEnum | None:
        """The member."""
        return None if value is None else self.kind(value)


class Base(DeclarativeBase):
    """The parent of every table; constraints are named by one rule, so that errors and migrations can name them."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {int: BigInteger, str: Text, datetime: DateTime(timezone=True)}


def make_engine(url: str, *, pool_size: int = 10) -> Engine:
    """An engine whose statements end by themselves: no page waits longer than the time-out."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        connect_args=_connect_arguments(),
    )


def _connect_arguments() -> dict[str, Any]:
    return {
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} -c timezone=UTC",
        "connect_timeout": 5,
    }


def make_reader(url: str, *, pool_size: int = 10) -> Engine:
    """An engine for single questions: no transaction around each, and no question beforehand whether the server is there."""
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        connect_args=_connect_arguments(),
    )


class Reads(Protocol):
    """Where a rule asks that only reads: a session, or `Reading`."""

    def execute(self, statement: Any, params: Any = None, /) -> Any:
        """Send one statement."""
        ...


class Reading:
    """Questions to the database, each its own transaction. A connection is taken at the first and given back by `close`.

    One that died while it lay in the pool is replaced, once, unseen.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def execute(self, statement: Any, params: Any = None, /) -> Any:
        """Send one SELECT."""
        try:
            return self._connected().execute(statement, params)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        self.close()
        return self._connected().execute(statement, params)

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions that keep their rows readable after the commit: what was rendered is what was saved."""
    return sessionmaker(engine, expire_on_commit=False)


def commit(db: Session) -> None:
    """Commit, then let the reactions to what happened run (they only hand ids to the queue)."""
    db.commit()
    events.dispatch(db)


@contextmanager
def transaction(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One unit of work of a task or a command: committed when the block ends, rolled back when it raises."""
    with sessions() as db:
        try:
            yield db
            commit(db)
        except BaseException:
            db.rollback()
            events.discard(db)
            raise
