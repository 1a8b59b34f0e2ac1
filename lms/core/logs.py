"""Logs: one JSON object a line (or a readable line at a terminal), only with fields that are allowed.

Names, phones, ID numbers, addresses and tokens are not on the list, so a careless call cannot log them. Of an exception
the log has the class and the place, and not the message, which may quote what a user typed.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from types import TracebackType
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "exception", "method", "route", "status", "milliseconds", "request_id",
        "user_id", "role", "task", "error", "message_ref", "channel", "purpose", "failures", "attempt", "path", "event_type",
        "offering_id", "course_session_id", "certificate_id", "key_number", "count", "code", "seconds", "port", "folder",
        "state", "serial", "statements",
    }
)  # fmt: skip


def _only_allowed(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    dropped = sorted(set(fields) - ALLOWED)
    for name in dropped:
        del fields[name]
    if dropped:
        fields["code"] = "fields_dropped:" + ",".join(dropped)
    return fields


def _traceback_without_messages(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """The tracebacks, classes and SQLSTATEs of an exception and its causes."""
    parts = [
        f"{''.join(traceback.format_tb(error.__traceback__))}"
        f"{type(error).__module__}.{type(error).__qualname__} {getattr(error, 'sqlstate', None) or ''}".rstrip()
        for error in _chain(exc_info[1])
    ]
    return "\n\n".join(reversed(parts))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, followed by its causes or contexts."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


# One list for the life of the process: loggers that an earlier application of this process cached go on using it.
_processors: list[Any] = []


def configure() -> None:
    """Configure logging: to standard error, from INFO."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    _processors[:] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_traceback_without_messages),
        _only_allowed,
        renderer,
    ]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
