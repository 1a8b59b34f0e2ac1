"""The headers that every response carries unless its view set them."""

from flask import Response, current_app, request

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
STATIC_ENDPOINTS = frozenset({"static", "bootstrap.static"})
STATIC_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=()"),
)
HEADERS = (*STATIC_HEADERS, ("Cache-Control", "no-store"))


def is_static() -> bool:
    """Tell whether this request is for a static file, which a browser may cache."""
    return request.endpoint in STATIC_ENDPOINTS


def set_defaults(response: Response) -> None:
    """Add the headers that the response lacks."""
    headers = response.headers
    present = {name.lower() for name in headers.keys()}  # noqa: SIM118 - iterating headers gives pairs
    for name, value in STATIC_HEADERS if is_static() else HEADERS:
        if name.lower() not in present:
            headers.add(name, value)
    if current_app.config["SETTINGS"].secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
