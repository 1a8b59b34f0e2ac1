"""The headers that every response carries unless its view set them, and the one that a view sets only where it is allowed to."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, current_app, request

V = TypeVar("V", bound=Callable[..., Any])

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
STATIC_ENDPOINTS = frozenset({"static", "bootstrap.static"})
STATIC_SECONDS = 3600
HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=()"),
)
CACHE_CONTROL, NO_STORE = "Cache-Control", "no-store"
_CACHEABLE = "_cacheable"


def cacheable(view: V) -> V:
    """Let a view say how long its response may be kept: one that is for everybody, and has nothing about a person.

    The response of any other view is kept nowhere, whatever it says.
    """
    setattr(view, _CACHEABLE, True)
    return view


def is_cacheable(endpoint: str | None) -> bool:
    """Tell whether a view may let its response be kept."""
    return endpoint is not None and getattr(current_app.view_functions.get(endpoint), _CACHEABLE, False)


def is_static() -> bool:
    """Tell whether this request is for a static file, which a browser may cache."""
    return request.endpoint in STATIC_ENDPOINTS


def set_defaults(response: Response) -> None:
    """Add the headers that the response lacks."""
    headers = response.headers
    present = {name.lower() for name in headers.keys()}  # noqa: SIM118 - iterating headers gives pairs
    for name, value in HEADERS:
        if name.lower() not in present:
            headers.add(name, value)
    if not is_static() and ("cache-control" not in present or not is_cacheable(request.endpoint)):
        headers[CACHE_CONTROL] = NO_STORE
    settings = current_app.config["SETTINGS"]
    if settings.secure:
        headers.setdefault("Strict-Transport-Security", settings.strict_transport_security)
