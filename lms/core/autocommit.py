"""Single reads of a request: each statement is its own transaction, on a connection in autocommit mode.

A scanned certificate or the token of a device is looked up by one SELECT. BEGIN and COMMIT around it would be two more
round trips to the database.
"""

from collections.abc import Callable
from threading import local
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from lms.core.engine import make_engine

T = TypeVar("T")


class Reads(Protocol):
    """The parameter of a rule that only reads: a SQLAlchemy Session, or `AutocommitReads`."""

    def execute(self, statement: Any, params: Any = None, /) -> Any:
        """Execute one SELECT."""
        ...

    def connection(self) -> Connection:
        """The connection on which statements are executed."""
        ...


def make_autocommit_engine(url: str) -> Engine:
    """An engine for `AutocommitReads`.

    Its connections begin no transaction, so none is rolled back on return to the pool.
    """
    return make_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


class AutocommitReads:
    """Single reads of all requests. Each thread keeps one connection for as long as it runs.

    To take a connection from SQLAlchemy's pool and to return it costs about 15 µs, more than a lookup itself costs this
    process. A connection that the server closed meanwhile is replaced, and the SELECT is executed again, once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._of_thread = local()

    def execute(self, statement: Any, params: Any = None, /) -> Any:
        """Execute one SELECT."""
        return self.retried(lambda connection: connection.execute(statement, params))

    def retried(self, read: Callable[[Connection], T]) -> T:
        """Read on the connection; once more on a new one where the server had closed it. Raises DBAPIError."""
        try:
            return read(self.connection())
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        self.close()
        return read(self.connection())

    def connection(self) -> Connection:
        """This thread's connection, taken from the pool at its first call."""
        connection: Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = self._engine.connect()
        return connection

    def close(self) -> None:
        """Return this thread's connection to the pool."""
        connection: Connection | None = self._of_thread.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def dispose(self) -> None:
        """Close the connections of the pool, and this thread's."""
        self.close()
        self._engine.dispose()
