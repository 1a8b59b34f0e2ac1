"""Single reads of a request: each statement is its own transaction, on a connection in autocommit mode.

A scanned certificate or the token of a device is looked up by one SELECT. BEGIN and COMMIT around it would be two more round
trips to the database.
"""

from collections.abc import Callable
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
    """An engine for `AutocommitReads`. Its connections begin no transaction, so none is rolled back on return to the pool."""
    return make_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


class AutocommitReads:
    """Reads that share one connection, taken from the pool at the first read and returned by `close`.

    A connection that the server had closed while it lay in the pool is replaced, and the SELECT is executed again, once.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

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
        """The connection, taken from the pool at the first call."""
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def close(self) -> None:
        """Return the connection to the pool."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
