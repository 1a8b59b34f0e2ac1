"""Logs: one JSON object a line (or a readable line at a terminal), only with fields that are allowed.

Names, phones, ID numbers, addresses and tokens are not on the list, so they cannot slip in by a careless call.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "exception", "method", "route", "status", "milliseconds", "request_id",
        "user_id", "role", "task", "error", "mail", "attempt", "path", "event_type", "offering_id", "course_session_id",
        "certificate_id", "key_number", "count", "code", "seconds", "port", "folder", "state", "serial", "statements",
    }
)  # fmt: skip


def _only_allowed(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    dropped = sorted(set(fields) - ALLOWED)
    for name in dropped:
        del fields[name]
    if dropped:
        fields["code"] = "fields_dropped:" + ",".join(dropped)
    return fields


# One list for good: a logger that was used before another application was made in this process goes on with it.
_processors: list[Any] = []


def configure() -> None:
    """Set logging up once a process; standard error, INFO and above."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    _processors[:] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _only_allowed,
        renderer,
    ]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
