"""Engines: connection pools to PostgreSQL, with time-outs on every statement and a check of idle connections."""

from time import monotonic
from typing import Any

import psycopg
from pydantic_core import to_json
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.event import listen
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
POOL_SIZE = 10
TRUSTED_SECONDS = 1.0

_RETURNED_AT = "returned_at"
_READ_ONLY = " -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"


def make_engine(
    url: str, *, reads_only: bool = False, connect_seconds: int = 5, libpq: dict[str, int] | None = None, **options: Any
) -> Engine:
    """An engine whose statements PostgreSQL cancels after 30 seconds, and after 10 seconds of waiting for a lock.

    reads_only: each transaction is read-only and sees one snapshot. libpq: more connection settings of libpq.
    options: more arguments of `create_engine`.
    """
    settings = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} -c timezone=UTC"
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        json_serializer=_to_json_text,
        connect_args={
            "options": settings + (_READ_ONLY if reads_only else ""),
            "connect_timeout": connect_seconds,
            **(libpq or {}),
        },
        hide_parameters=True,  # the message of an error is logged, and parameters hold personal data
        **options,
    )
    _ping_after_idling(engine)
    return engine


def _to_json_text(value: Any) -> str:
    return to_json(value).decode()


def _ping_after_idling(engine: Engine) -> None:
    """Ping a connection on checkout if it lay in the pool for a second or longer.

    SQLAlchemy's `pool_pre_ping` pings at every checkout, which is one more round trip for each request.
    """

    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object) -> None:
        if monotonic() - record.info.get(_RETURNED_AT, 0.0) < TRUSTED_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            raise InvalidatePoolError from error

    def note_return(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info[_RETURNED_AT] = monotonic()

    listen(engine, "checkout", ping)
    listen(engine, "checkin", note_return)
