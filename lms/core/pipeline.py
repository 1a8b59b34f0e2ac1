"""Prepared statements sent to PostgreSQL in one round trip, below SQLAlchemy's cursor.

A check-in locks its session and the trainee's place, reads the history of events, writes, and commits. Each is a small
statement that is executed for every request. SQLAlchemy and psycopg's cursor take longer over such a statement than
PostgreSQL, and each round trip releases and re-acquires the GIL several times, for which the thread waits while others
run. This module calls libpq, through psycopg's `pq` layer, in three ways that a cursor does not:

- Statements are compiled once and prepared once per connection. One with `index_plan` is planned once for all values.
- Several statements, with BEGIN before them where no transaction is open, are one round trip (libpq's pipeline mode).
- A single statement, and COMMIT, is one call of libpq that sends, waits and receives.

Processor time for the first half of a check-in (begin, lock, read, commit), eight threads in one process, two cores
with other work on them, medians of five rounds (`python -m benchmarks.pipeline`):

                                              Python      PostgreSQL
    SQLAlchemy, a statement at a time         0.65 ms     0.70 ms
    psycopg's `Connection.pipeline()`         0.42 ms     0.68 ms
    this module                               0.25 ms     0.31 ms

PostgreSQL's part is planning: it takes the generic plan by itself only where its estimate is lower, which it is not for
lists of ids. A whole check-in takes about 0.9 ms of a web worker and 0.9 ms of PostgreSQL (`python -m benchmarks
check-in`), so without this module it would cost nearly half more. A scanned certificate (`python -m benchmarks web`) is
one SELECT in 0.5 ms of a request.

What it costs: the names of prepared statements are remembered per connection, in `Connection.info`. psycopg deallocates
all prepared statements when it rolls back, so three listeners of the engine forget the names then. They are set at the
first use of an engine, and a fourth commits by one call of libpq.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from select import POLLIN, poll
from typing import Any, cast

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGconn, PGresult
from pydantic_core import to_json
from sqlalchemy import JSON, Connection, Engine, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.event import contains, listen
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from lms.core.autocommit import AutocommitReads, Reads

Row = tuple[Any, ...]

_DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_SUCCEEDED = {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}
_CHANNEL = "pipeline"  # the key in `Connection.info`


class PreparedStatement:
    """A SQLAlchemy Core statement that is compiled once, and prepared once on each connection that executes it.

    Values are converted by psycopg, and not by the column types of SQLAlchemy: an `EnumText` column gives a plain
    string.
    """

    def __init__(self, statement: Any, *parameters: str, index_plan: bool = False) -> None:
        """Compile a statement.

        parameters: the bind parameters that are given with each execution; all others keep the value that they have
        now. index_plan: PostgreSQL plans the statement once for all values, and with indexes wherever one fits. Without
        it the locking statement of check-in was planned anew for each request (0.7 ms), and a plan that was made while
        a table was small read the whole table. The planner settings hold for the statements of one `send`, and for no
        other.
        """
        compiled = statement.params(dict.fromkeys(parameters)).compile(dialect=_DIALECT)
        expanded = compiled.construct_expanded_state()
        self.sql = str(expanded.statement)
        self.index_plan = index_plan
        self.name = b"pipeline_" + sha256(self.sql.encode()).hexdigest()[:24].encode()
        binds = compiled.binds
        self._parameters = [
            (name, name in binds and isinstance(binds[name].type, JSON), _text_of(expanded.parameters[name]))
            for name in expanded.positiontup or ()
        ]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The values in the order of their places, in PostgreSQL's text format."""
        return [
            (to_json(given[name]) if is_json else _text_of(given[name])) if name in given else constant
            for name, is_json, constant in self._parameters
        ]

    def first(self, db: Reads, **values: Any) -> Row | None:
        """Execute the statement and give its first row, or None."""
        (rows,) = send(db, (self, values))
        return rows[0] if rows else None


_BEGIN = PreparedStatement(text("BEGIN"))
# Both settings end with the transaction. Where a statement between them fails, PostgreSQL restores them with the
# rollback, also with one to a savepoint.
_INDEX_PLANS = PreparedStatement(
    text("SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)")
)
_DEFAULT_PLANS = PreparedStatement(
    text("SELECT set_config('plan_cache_mode', NULL, true), set_config('enable_seqscan', NULL, true)")
)

_observers: list[Callable[[str], None]] = []


@contextmanager
def observed(observer: Callable[[str], None]) -> Iterator[None]:
    """Call `observer` with the SQL of each statement that any thread sends from here on; for query budgets in tests."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


def send(db: Reads, *statements: tuple[PreparedStatement, Mapping[str, Any]]) -> list[list[Row]]:
    """Execute statements in one round trip, in their order, and give the rows of each.

    Each sees what those before it did.

    They belong to the transaction of a session, which is begun in the same round trip where none is open. Raises
    DBAPIError or its subclass, as SQLAlchemy does; the transaction, or its innermost savepoint, must then be rolled
    back. On `AutocommitReads` a statement whose connection was lost is sent again on a new one, once.
    """
    for observer in _observers:
        for statement, _ in statements:
            observer(statement.sql)
    if isinstance(db, AutocommitReads):
        return db.retried(lambda connection: _send(connection, statements))
    if isinstance(db, Session) and db.autoflush:  # as Session.execute does
        db.flush()
    return _send(db.connection(), statements)


def _send(connection: Connection, statements: Sequence[tuple[PreparedStatement, Mapping[str, Any]]]) -> list[list[Row]]:
    try:
        channel = _channel_of(connection)
        batch = [(statement, statement.values(given)) for statement, given in statements]
        before: list[tuple[PreparedStatement, list[Any]]] = []
        if not channel.autocommits and channel.idle:
            before.append((_BEGIN, []))
        if any(statement.index_plan for statement, _ in statements):
            before.append((_INDEX_PLANS, []))
            batch.append((_DEFAULT_PLANS, []))
        return channel.execute([*before, *batch])[len(before) : len(before) + len(statements)]
    except psycopg.Error as error:
        raise _raised(connection, error) from error


class _Channel:
    """A connection of libpq, and the names of the statements that are prepared on it."""

    def __init__(self, driver: "psycopg.Connection[Any]") -> None:
        self._driver = driver
        self._pg: PGconn = driver.pgconn
        self._loader = Transformer(driver)
        names = _checked(self._pg.exec_(b"SELECT name FROM pg_prepared_statements"))
        self._prepared = {names.get_value(row, 0) for row in range(names.ntuples)}
        self._readable = poll()
        self._readable.register(self._pg.socket, POLLIN)

    @property
    def idle(self) -> bool:
        return self._pg.transaction_status == pq.TransactionStatus.IDLE

    @property
    def autocommits(self) -> bool:
        return self._driver.autocommit

    def execute(self, batch: Sequence[tuple[PreparedStatement, list[Any]]]) -> list[list[Row]]:
        for statement, _ in batch:
            if statement.name not in self._prepared:
                _checked(self._pg.prepare(statement.name, statement.sql.encode()))
                self._prepared.add(statement.name)
        if len(batch) == 1:  # a single call of libpq sends the statement, waits and receives the result
            ((statement, values),) = batch
            return [self._rows(_checked(self._pg.exec_prepared(statement.name, values)))]
        return [self._rows(_checked(result)) for result in self._results(batch)]

    def _results(self, batch: Sequence[tuple[PreparedStatement, list[Any]]]) -> list[PGresult]:
        """The result of each statement. After one that failed, the others are marked as not executed."""
        pg = self._pg
        results: list[PGresult] = []
        pg.enter_pipeline_mode()
        try:
            for statement, values in batch:
                pg.send_query_prepared(statement.name, values)
            pg.pipeline_sync()
            while pg.flush():
                pass
            while True:
                while pg.is_busy():
                    self._readable.poll()
                    pg.consume_input()
                result = pg.get_result()
                if result is None:  # the results of one statement are complete
                    continue
                if result.status == pq.ExecStatus.PIPELINE_SYNC:
                    return results
                results.append(result)
        finally:
            if pg.status == pq.ConnStatus.OK:
                pg.exit_pipeline_mode()

    def _rows(self, result: PGresult) -> list[Row]:
        if not result.ntuples:
            return []
        self._loader.set_pgresult(result)
        return cast("list[Row]", self._loader.load_rows(0, result.ntuples, tuple))


def _channel_of(connection: Connection) -> _Channel:
    channel: _Channel | None = connection.info.get(_CHANNEL)
    if channel is None:
        _attach(connection.engine)
        channel = connection.info[_CHANNEL] = _Channel(_driver_of(connection))
    return channel


def _driver_of(connection: Connection) -> "psycopg.Connection[Any]":
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


def _text_of(value: Any) -> bytes | None:
    """A value in PostgreSQL's text format. A list holds numbers or ids, which need no quotation marks."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    if isinstance(value, datetime):
        return value.isoformat().encode()
    if isinstance(value, (list, set, frozenset, tuple)):
        return ("{" + ",".join(map(str, value)) + "}").encode()
    return str(value).encode()


def _checked(result: PGresult) -> PGresult:
    if result.status not in _SUCCEEDED:
        raise psycopg.errors.error_from_result(result)
    return result


def _raised(connection: Connection, error: psycopg.Error) -> DBAPIError:
    """The error as SQLAlchemy would raise it.

    Where the connection was lost, all connections of the pool are replaced.
    """
    driver = _driver_of(connection)
    connection.info.pop(_CHANNEL, None)  # a statement may be prepared or not
    lost = driver.pgconn.status != pq.ConnStatus.OK
    if lost:
        error = psycopg.OperationalError(str(error))  # libpq gives no SQLSTATE, by which psycopg chooses the class
        connection.invalidate(error)
        connection.engine.dispose()
    raised = DBAPIError.instance(None, None, error, psycopg.Error, connection_invalidated=lost, dialect=_DIALECT)
    return cast("DBAPIError", raised)


def _attach(engine: Engine) -> None:
    """Listen to the engine of a connection that a pipeline uses for the first time.

    psycopg deallocates all prepared statements, its own and those of this module, when it rolls back.
    """
    if not contains(engine, "commit", _commit):
        listen(engine, "commit", _commit)
        listen(engine, "rollback", _forget_prepared)
        listen(engine, "rollback_savepoint", _forget_prepared)
        listen(engine, "reset", _forget_prepared_on_return)


def _commit(connection: Connection) -> None:
    """Commit by one call of libpq; psycopg, which finds no open transaction then, does nothing.

    psycopg's own commit releases and re-acquires the GIL several times.
    """
    pg = _driver_of(connection).pgconn
    if pg.transaction_status == pq.TransactionStatus.IDLE:
        return
    try:
        _checked(pg.exec_(b"COMMIT"))
    except psycopg.Error as error:
        raise _raised(connection, error) from error


def _forget_prepared(connection: Connection, *_savepoint: object) -> None:
    if not connection.invalidated and _driver_of(connection).pgconn.transaction_status != pq.TransactionStatus.IDLE:
        connection.info.pop(_CHANNEL, None)


def _forget_prepared_on_return(driver: Any, record: ConnectionPoolEntry, _state: object) -> None:
    """The pool rolls back what a connection that is returned to it left open, without the event "rollback"."""
    if driver.pgconn.transaction_status != pq.TransactionStatus.IDLE:
        record.info.pop(_CHANNEL, None)
