"""Views that a crowd may ask at once, as after a photo of a certificate went round: guarded, limited and headed as any other.

What they go without is what neither a visitor nor a program needs: the browser's session, its user, the form token; and the
log has one line a minute for all of them. docs/performance.md says what that gains.
"""

import time
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, TypeVar

import structlog
from flask import Flask, Request, Response, abort, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

log = structlog.get_logger(__name__)

V = TypeVar("V", bound=Callable[..., Any])

_LEAN = "_lean"
_PLAIN, _EVER = "plain", "ever"


class Window:
    """Counts of one minute by address, in this process alone; the next minute begins with none.

    The counters of the other limits are shared, or note each request to slide along with it. Asking them took longer than
    checking a signature; this is a dictionary. `shared`: each of a machine's processes allows its part of the whole.
    """

    SECONDS = 60

    def __init__(self, name: str, most: int, *, shared: bool = False) -> None:
        self._name = name
        self._whole = self._most = most
        self._shared = shared
        self._lock = Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def allows(self, address: str) -> bool:
        """Count a request, and tell whether it is within the limit."""
        minute = int(time.monotonic() // self.SECONDS)
        with self._lock:
            if minute != self._minute:
                if self._counts:
                    log.info("requests", route=self._name, count=sum(self._counts.values()), seconds=self.SECONDS)
                self._minute, self._counts = minute, {}
            count = self._counts[address] = self._counts.get(address, 0) + 1
        return count <= self._most

    def forget(self) -> None:
        """Begin anew."""
        self._counts = {}

    def among(self, processes: int) -> None:
        """Take this process's part, rounded up, of what all together allow."""
        if self._shared:
            self._most = -(-self._whole // processes)


windows: list[Window] = []


def lean(most: int) -> Callable[[V], V]:
    """Mark a public view that needs neither session nor user; an address may ask it so many times a minute."""

    def mark(view: V) -> V:
        window = Window(view.__qualname__, most, shared=True)
        windows.append(window)

        @wraps(view)
        def counted(*arguments: Any, **named: Any) -> Any:
            if not window.allows(request.remote_addr or ""):
                abort(429)
            return view(*arguments, **named)

        setattr(counted, _LEAN, _PLAIN)
        return counted  # type: ignore[return-value]

    return mark


def without_cookies(view: V) -> V:
    """Mark a view for programs: whatever a request carries besides, no cookie of it is looked at."""
    setattr(view, _LEAN, _EVER)
    return view


def spread(processes: int) -> None:
    """Divide the limits among the processes of this machine."""
    for window in windows:
        window.among(processes)


def goes_lean(app: Flask, asked: Request) -> bool:
    """Whether this request is of such a view; a page's must be plain: a language in the address is remembered in a cookie."""
    if asked.endpoint is None or asked.routing_exception is not None:
        return False
    kind = getattr(app.view_functions[asked.endpoint], _LEAN, None)
    return kind == _EVER or (kind == _PLAIN and not asked.query_string)


class Sessions(SecureCookieSessionInterface):
    """Flask's cookie; its signer is not made for a visitor who brings no cookie, nor for a session that nobody looked at."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """An empty session for a visitor, else what the cookie holds."""
        if "HTTP_COOKIE" not in request.environ or not request.cookies.get(self.get_cookie_name(app)):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing for one that was not looked at."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)
