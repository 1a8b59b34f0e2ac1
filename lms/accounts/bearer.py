"""Requests of paired devices: `Authorization: Bearer <token>`, no cookie, no form token, no Flask-Login.

`@device(most)` marks such a view; `caller()` says within it which device asks for whom, `lms.core.access.scope()` what that
user may see. What the view writes is written in the user's name and committed at the edge, as ever.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from flask import g, request

from lms.accounts import devices
from lms.accounts.devices import Caller
from lms.core import audit, web
from lms.core.access import GUARD, Guard, scope_of
from lms.core.errors import N_, DomainError
from lms.core.languages import visitor_language
from lms.core.lean import Window, windows, without_cookies
from lms.core.scope import ATTENDANCE_TAKERS, Scope

V = TypeVar("V", bound=Callable[..., Any])

SCHEME = "Bearer "


def device(most: int) -> Callable[[V], V]:
    """Mark a view that paired devices alone may call, each so many times a minute."""

    def mark(view: V) -> V:
        window = Window(f"{view.__module__}.{view.__qualname__}", most)
        windows.append(window)
        setattr(view, GUARD, Guard(roles=frozenset(ATTENDANCE_TAKERS), admit=partial(_admit, window)))
        return without_cookies(view)

    return mark


def caller() -> Caller:
    """Which device asks, and for whom. Only within a view marked `@device`."""
    found: Caller = g.caller
    return found


def _admit(window: Window) -> Scope:
    """Find the device of the token and what its user may see. Raises DomainError: 401 for an unknown token, 429 over the limit."""
    g.language = visitor_language()
    sent = request.headers.get("Authorization", "")
    found = devices.of_token(web.reading(), sent[len(SCHEME) :]) if sent.startswith(SCHEME) else None
    if found is None:
        raise DomainError(
            "device_unknown",
            N_("This device is not connected, or was disconnected. Sign in again; what it has not sent yet is kept."),
            status=401,
        )
    if not window.allows(str(found.device_id)):
        raise DomainError("too_often", N_("Too many tries. Wait a few minutes and try again."), status=429)
    g.language = found.language
    g.caller = found
    g.acting = True  # who acts was found here, and not by the cookie
    db = web.db()
    audit.act_as(db, found.user_id)
    devices.note_seen(db, found)
    return scope_of(found.user_id, found.grants)
