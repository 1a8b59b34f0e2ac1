"""Statements sent together, on the connection and in the transaction of a session: one wait for all of them.

SQLAlchemy and the driver's cursor take longer over a small statement than the database does, and each wait costs a thread its
turn. Sent together they are still executed one after the other, each seeing what was committed before it began.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from select import POLLIN, poll
from typing import Any, cast

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGconn, PGresult
from pydantic_core import to_json
from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

_LINE = "line"
_DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_DONE = {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}
# What begins here finds rows by their keys. A plan made while tables were small, or anew each time, costs more than it gains.
_BEGIN = (
    "BEGIN",
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)",
)


class Prepared:
    """A statement put together once. Its values are asked for by name with each sending; those it came with are kept.

    Its columns are plain: what the driver makes of them is what comes. A JSON value comes as its text (`as_json`).
    """

    def __init__(self, statement: Any, *names: str) -> None:
        compiled = statement.params(dict.fromkeys(names)).compile(dialect=_DIALECT)
        whole = compiled.construct_expanded_state()
        self.text = str(whole.statement).encode()
        self.name = _name(self.text)
        self._values = [
            (name, None if name in names else _sent(whole.parameters[name])) for name in whole.positiontup or ()
        ]

    def values(self, given: Mapping[str, Any]) -> list[bytes | None]:
        """The values in their order, as texts."""
        return [_sent(given[name]) if name in given else kept for name, kept in self._values]


def as_json(value: Any) -> bytes:
    """A value for a JSON parameter."""
    return to_json(value)


def _name(text: bytes) -> bytes:
    return b"line_" + sha256(text).hexdigest()[:24].encode()


def _sent(value: Any) -> bytes | None:
    """A value as PostgreSQL reads it. Lists are of numbers and ids: what needs no quotes."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, datetime):
        return value.isoformat().encode()
    if isinstance(value, (list, set, frozenset, tuple)):
        return ("{" + ",".join(map(str, value)) + "}").encode()
    return str(value).encode()


class _Line:
    """What is prepared on one connection."""

    def __init__(self, driver: "psycopg.Connection[Any]") -> None:
        self._pg: PGconn = driver.pgconn
        self._load = Transformer(driver)
        found = _checked(self._pg.exec_(b"SELECT name FROM pg_prepared_statements"))
        self._known = {found.get_value(row, 0) for row in range(found.ntuples)}
        self._waiting = poll()
        self._waiting.register(self._pg.socket, POLLIN)

    def ask(self, asked: Sequence[tuple[bytes, list[Any]]]) -> list[list[tuple[Any, ...]]]:
        pg = self._pg
        if len(asked) == 1:  # one call of libpq sends, waits and receives
            return [self._rows(_checked(pg.exec_prepared(*asked[0])))]
        pg.enter_pipeline_mode()
        try:
            for name, values in asked:
                pg.send_query_prepared(name, values)
            pg.pipeline_sync()
            while pg.flush():
                pass
            results = self._until_sync()
        finally:
            if pg.status == pq.ConnStatus.OK:
                pg.exit_pipeline_mode()
        return [self._rows(_checked(result)) for result in results]

    def prepare(self, name: bytes, text: bytes) -> None:
        if name not in self._known:
            _checked(self._pg.prepare(name, text))
            self._known.add(name)

    @property
    def idle(self) -> bool:
        return self._pg.transaction_status == pq.TransactionStatus.IDLE

    @property
    def lost(self) -> bool:
        return self._pg.status != pq.ConnStatus.OK

    def _until_sync(self) -> list[PGresult]:
        """All results; a failed statement's comes first of those that were not executed because of it."""
        found: list[PGresult] = []
        pg = self._pg
        while True:
            while pg.is_busy():
                self._waiting.poll()
                pg.consume_input()
            result = pg.get_result()
            if result is None:
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return found
            found.append(result)

    def _rows(self, result: PGresult) -> list[tuple[Any, ...]]:
        if not result.ntuples:
            return []
        self._load.set_pgresult(result)
        return cast("list[tuple[Any, ...]]", self._load.load_rows(0, result.ntuples, tuple))


def _checked(result: PGresult) -> PGresult:
    if result.status not in _DONE:
        raise psycopg.errors.error_from_result(result)
    return result


@lru_cache(maxsize=1)
def _beginning() -> list[tuple[bytes, bytes]]:
    return [(_name(text.encode()), text.encode()) for text in _BEGIN]


def send(db: Session, *questions: tuple[Prepared, Mapping[str, Any]]) -> list[list[tuple[Any, ...]]]:
    """Send statements together and give the rows of each. Begins the session's transaction where it has none.

    Raises DBAPIError as SQLAlchemy does; what was sent is then undone with the session's transaction.
    """
    proxied = db.connection().connection
    driver = cast("psycopg.Connection[Any]", proxied.driver_connection)
    line: _Line | None = proxied.info.get(_LINE)
    try:
        if line is None:
            line = proxied.info[_LINE] = _Line(driver)
        asked: list[tuple[bytes, list[Any]]] = []
        if line.idle and not driver.autocommit:
            for name, text in _beginning():
                line.prepare(name, text)
                asked.append((name, []))
        for statement, _ in questions:
            line.prepare(statement.name, statement.text)
        own = len(asked)
        asked += [(statement.name, statement.values(given)) for statement, given in questions]
        return line.ask(asked)[own:]
    except psycopg.Error as error:
        proxied.info.pop(_LINE, None)  # whatever went wrong, the next asks anew what is prepared
        lost = driver.pgconn.status != pq.ConnStatus.OK
        if lost:
            db.connection().invalidate(error)
        raise DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=lost, dialect=_DIALECT
        ) from error


def _rolled_back(connection: Connection, *_savepoint: object) -> None:
    if not connection.invalidated:  # one that died takes with it what it had prepared
        connection.connection.info.pop(_LINE, None)


def _given_back(driver: Any, record: Any, _state: object) -> None:
    if driver.pgconn.transaction_status != pq.TransactionStatus.IDLE:
        record.info.pop(_LINE, None)


# The driver lets a connection forget all that is prepared when it rolls back, be it to a savepoint. What is left is asked then.
listen(Engine, "rollback", _rolled_back)
listen(Engine, "rollback_savepoint", _rolled_back)
listen(Pool, "reset", _given_back)
