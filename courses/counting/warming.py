"""The ledger is read into memory when a web process starts, so that the first question need not wait for it."""

from collections.abc import Callable, Sequence
from threading import Thread

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

log = structlog.get_logger(__name__)


def warm(sources: Sequence[Callable[[], Session]]) -> Thread:
    """Read the ledger in a thread, once for each database that reports are read from. sources: make sessions on them."""
    thread = Thread(target=_read, args=[sources], name="ledger", daemon=True)
    thread.start()
    return thread


def _read(sources: Sequence[Callable[[], Session]]) -> None:
    from courses.counting import ledger_copy  # noqa: PLC0415  # numpy, which this thread loads and no request

    for make_session in sources:
        try:
            with make_session() as db:
                ledger_copy.current(db)
        except SQLAlchemyError as error:  # the first question tries again
            log.warning("ledger_not_read", error=type(error).__name__)
