"""The fast path: views without cookie session, current_user and CSRF protection, for many requests at once.

After a photo of a certificate was shared, thousands of visitors may open its verification page within minutes. Such a
view has its access check, its limit and its headers as any other view has. The requests are logged as one line a
minute. docs/performance.md says what each part saves.
"""

import time
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, TypeVar

import structlog
from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from werkzeug.exceptions import TooManyRequests

log = structlog.get_logger(__name__)

V = TypeVar("V", bound=Callable[..., Any])

_FAST_PATH = "_fast_path"
PAGES, PROGRAMS = "pages", "programs"


class MinuteLimit:
    """A limit of requests a minute by key (an IP address or a device), counted in the memory of this process.

    Flask-Limiter's moving window stores each request, and a lookup in it took longer than checking a signature. Here a
    request increments one number of a dictionary, which is emptied at the beginning of each minute.
    """

    SECONDS = 60

    def __init__(self, name: str, most: int, *, shared: bool = False) -> None:
        """name: for the log. shared: `most` is the limit of all web processes of a machine together."""
        self._name = name
        self._whole = self._most = most
        self._shared = shared
        self._lock = Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def allows(self, key: str) -> bool:
        """Count a request, and tell whether it is within the limit."""
        minute = int(time.monotonic() // self.SECONDS)
        with self._lock:
            if minute != self._minute:
                if self._counts:
                    log.info("requests", route=self._name, count=sum(self._counts.values()), seconds=self.SECONDS)
                self._minute, self._counts = minute, {}
            count = self._counts[key] = self._counts.get(key, 0) + 1
        return count <= self._most

    def seconds_left(self) -> int:
        """Return the seconds until the next minute begins, 1 to 60."""
        return self.SECONDS - int(time.monotonic() % self.SECONDS)

    def reset(self) -> None:
        """Forget all counts."""
        self._counts = {}

    def share_among(self, processes: int) -> None:
        """Take this process's share of a shared limit, rounded up: of 60 requests among 7 processes, 9."""
        if self._shared:
            self._most = -(-self._whole // processes)


minute_limits: list[MinuteLimit] = []


def fast_path(most: int) -> Callable[[V], V]:
    """Put a public view on the fast path. most: requests a minute from one IP address."""

    def decorate(view: V) -> V:
        limit = MinuteLimit(view.__qualname__, most, shared=True)
        minute_limits.append(limit)

        @wraps(view)
        def limited(*arguments: Any, **named: Any) -> Any:
            if not limit.allows(request.remote_addr or ""):
                raise TooManyRequests(retry_after=limit.seconds_left())
            return view(*arguments, **named)

        setattr(limited, _FAST_PATH, PAGES)
        return limited  # type: ignore[return-value]

    return decorate


def without_cookies(view: V) -> V:
    """Put a view for programs on the fast path; cookies of the request are ignored."""
    setattr(view, _FAST_PATH, PROGRAMS)
    return view


def share_among_processes(processes: int) -> None:
    """Divide the shared limits among the web processes of this machine."""
    for limit in minute_limits:
        limit.share_among(processes)


def fast_path_of(app: Flask, request: Request) -> str | None:
    """Tell which fast path a request takes: that of `PAGES`, that of `PROGRAMS`, or None.

    A page with a query string takes none: `?lang=en` is remembered in a cookie.
    """
    if request.endpoint is None or request.routing_exception is not None:
        return None
    path: str | None = getattr(app.view_functions[request.endpoint], _FAST_PATH, None)
    return None if path == PAGES and request.query_string else path


class CookieSessions(SecureCookieSessionInterface):
    """Flask's cookie session, without signing where the request has no cookie or the view does not use the session."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """An empty session for a request without the cookie, else what the cookie holds."""
        if "HTTP_COOKIE" not in request.environ or not request.cookies.get(self.get_cookie_name(app)):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save the session if it was accessed or modified."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)
