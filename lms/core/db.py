"""The database: one engine a process, one session a request, a task or a command; each commits once, at its edge."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from time import monotonic
from typing import Annotated, Any, ClassVar, Protocol, cast

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGconn, PGresult
from pydantic_core import to_json
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Engine,
    Identity,
    MetaData,
    Select,
    Text,
    TypeDecorator,
    create_engine,
)
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

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
TRUSTED_SECONDS = 1.0
_USED = "used"

Identifier = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
LARGEST_ID = 2**63 - 1  # of a bigint column; a larger number in a request is not found, and no error of the database


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


def make_engine(
    url: str, *, pool_size: int = 10, reads_only: bool = False, connect_seconds: int = 5, **more: int
) -> Engine:
    """An engine whose statements end by themselves: no page waits longer than the time-out.

    reads_only: its transactions change nothing, and see one moment throughout. more: settings of libpq.
    """
    arguments = _connect_arguments() | {"connect_timeout": connect_seconds} | more
    if reads_only:
        arguments["options"] += (
            " -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"
        )
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        json_serializer=_json,
        connect_args=arguments,
        hide_parameters=True,  # an error's words go into logs
    )
    _ask_the_idle(engine)
    engine.dialect.do_commit = _commit  # type: ignore[method-assign, assignment]
    return engine


def _commit(connection: PoolProxiedConnection) -> None:
    """Commit by one call of libpq, as `Wire` asks: the driver's own way waits for the other threads several times."""
    pg: PGconn = cast("psycopg.Connection[Any]", connection.driver_connection).pgconn
    if pg.transaction_status != pq.TransactionStatus.IDLE:
        _checked(pg.exec_(b"COMMIT"))


def _json(value: Any) -> str:
    return to_json(value).decode()


def _ask_the_idle(engine: Engine) -> None:
    """Ask a connection that lay idle whether the server is there. One that was used a moment ago need not be asked."""

    def asked(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if monotonic() - record.info.get(_USED, 0.0) < TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    def used(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_USED] = monotonic()

    listen(engine, "checkout", asked)
    listen(engine, "checkin", used)


def _connect_arguments() -> dict[str, Any]:
    return {
        "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} -c timezone=UTC",
        "connect_timeout": 5,
    }


class Wire:
    """A connection of the driver's lowest layer, for a `Lookup`: one call of libpq sends, waits and receives.

    The driver's cursor returns to Python four times meanwhile, and waits each time for the threads that run then: under load
    that, and not the database, was what a question took.
    """

    def __init__(self, address: str) -> None:
        self._connection = psycopg.connect(address, autocommit=True, **_connect_arguments())
        self._values = Transformer(self._connection)
        self._prepared: dict[str, bytes] = {}

    @property
    def lost(self) -> bool:
        """Whether the server is not there any more."""
        return self._connection.pgconn.status != pq.ConnStatus.OK

    def row(self, text: str, value: bytes) -> Sequence[Any] | None:
        """The first row of a SELECT with one value, $1. Raises psycopg.Error: the connection is of no more use then."""
        name = self._prepared.get(text)
        if name is None:
            name = b"lookup_%d" % len(self._prepared)
            _checked(self._connection.pgconn.prepare(name, text.encode()))
            self._prepared[text] = name
        answer = _checked(self._connection.pgconn.exec_prepared(name, (value,), (pq.Format.BINARY,)))
        if not answer.ntuples:
            return None
        self._values.set_pgresult(answer)
        return self._values.load_row(0, tuple)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def _checked(result: PGresult) -> PGresult:
    if result.status not in {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}:
        raise psycopg.errors.error_from_result(result)
    return result


class Reader:
    """Connections for single questions: no transaction around each, and no question beforehand whether the server is there.

    `row` is past SQLAlchemy, for a `Lookup`: its connections lie on a stack, as many as threads ever asked at once.
    """

    KEPT = 10

    def __init__(self, url: str) -> None:
        self._engine = create_engine(
            url,
            pool_size=self.KEPT,
            max_overflow=self.KEPT,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            connect_args=_connect_arguments(),
            hide_parameters=True,
        )
        self._address = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._idle: list[Wire] = []

    def connect(self) -> Connection:
        """A connection of SQLAlchemy."""
        return self._engine.connect()

    def row(self, text: str, value: bytes) -> Sequence[Any] | None:
        """The first row of a SELECT with one value, $1. A connection that died while it lay here is replaced, once, unseen."""
        try:
            wire = self._idle.pop()
        except IndexError:
            wire = Wire(self._address)
        try:
            found = wire.row(text, value)
        except psycopg.Error:
            lost = wire.lost
            wire.close()
            if not lost:
                raise
            wire = Wire(self._address)
            found = wire.row(text, value)
        if len(self._idle) < self.KEPT:
            self._idle.append(wire)
        else:
            wire.close()
        return found

    def dispose(self) -> None:
        """Close what lies ready."""
        self._engine.dispose()
        while self._idle:
            self._idle.pop().close()


class Reads(Protocol):
    """Where a rule asks that only reads: a session, or `Reading`."""

    def execute(self, statement: Any, params: Any = None, /) -> Any:
        """Send one statement."""
        ...


class Lookup:
    """A SELECT of at most one row by one value of bytes, put together once: for the few that a crowd may ask at once.

    Asked of `Reading` it goes past SQLAlchemy, which took four times as long as the database. Its columns are plain: what the
    driver makes of them is what comes.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], value: str) -> None:
        """value: the name of its one parameter."""
        self._statement = statement
        self._value = value
        self._text = str(statement.compile(dialect=PGDialect(paramstyle="numeric_dollar")))  # type: ignore[no-untyped-call]

    def row(self, db: Reads, value: bytes) -> Sequence[Any] | None:
        """The row, or None."""
        if isinstance(db, Reading):
            return db.row(self._text, value)
        found: Sequence[Any] | None = db.execute(self._statement, {self._value: value}).one_or_none()
        return found


class Reading:
    """Questions to the database, each its own transaction. A connection is taken at the first and given back by `close`.

    One that died while it lay in the pool is replaced, once, unseen.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
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

    def row(self, text: str, value: bytes) -> Sequence[Any] | None:
        """The first row of a SELECT with one value, $1; its connection is given back at once."""
        return self._reader.row(text, value)

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._reader.connect()
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
