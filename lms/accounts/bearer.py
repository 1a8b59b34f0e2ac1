"""Requests of paired devices: `Authorization: Bearer <token>`, without cookie, CSRF token or Flask-Login.

`@device(per_minute)` marks a view that only devices may call. Within such a view, `caller()` names the device and its user, and
`lms.core.access.scope()` is the scope of that user. The request writes in the user's name and commits at its edge.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from flask import g, request

from lms.accounts import devices
from lms.accounts.devices import Caller
from lms.core import audit, request_db
from lms.core.access import GUARD, Guard, scope_of
from lms.core.errors import N_, DomainError
from lms.core.fast_path import MinuteLimit, minute_limits, without_cookies
from lms.core.languages import visitor_language
from lms.core.scope import ATTENDANCE_TAKERS, Scope

V = TypeVar("V", bound=Callable[..., Any])

SCHEME = "Bearer "


def device(most: int) -> Callable[[V], V]:
    """Mark a view that only paired devices may call, each at most so many times a minute."""

    def mark(view: V) -> V:
        limit = MinuteLimit(f"{view.__module__}.{view.__qualname__}", most)
        minute_limits.append(limit)
        setattr(view, GUARD, Guard(roles=frozenset(ATTENDANCE_TAKERS), admit=partial(_admit, limit)))
        return without_cookies(view)

    return mark


def caller() -> Caller:
    """The device that sent this request, and its user. Only within a view marked `@device`."""
    device_caller: Caller = g.caller
    return device_caller


def _admit(limit: MinuteLimit) -> Scope:
    """Find the device by its token and return the scope of its user.

    Raises DomainError: 401 for an unknown token, 429 over the limit.
    """
    g.language = visitor_language()
    sent = request.headers.get("Authorization", "")
    sender = devices.of_token(request_db.autocommit_reads(), sent[len(SCHEME) :]) if sent.startswith(SCHEME) else None
    if sender is None:
        raise DomainError(
            "device_unknown",
            N_(
                "This device is not connected, or was disconnected. Sign in again. "
                "Unsent check-ins are still stored on it."
            ),
            status=401,
        )
    if not limit.allows(str(sender.device_id)):
        raise DomainError("too_often", N_("Too many tries. Wait a few minutes and try again."), status=429)
    g.language = sender.language
    g.caller = sender
    g.acting = True  # who acts was found here, and not by the cookie
    db = request_db.db()
    audit.act_as(db, sender.user_id)
    devices.note_seen(db, sender)
    return scope_of(sender.user_id, sender.grants)
