"""The cookies that the application sets: for this host alone, and by a name that says so.

Over https a name begins with `__Host-`: browsers then take the cookie only with `Secure`, with `Path=/` and without `Domain`, so
neither another host of the same domain nor a page over http can plant or replace it. A cookie that is for one part of the
site begins with `__Secure-`, which demands `Secure` alone. Over http, as on a laptop, names are plain. A cookie by the plain
name is not read over https: reading it would take what the prefix keeps out.
"""

from datetime import timedelta

from flask import Response, current_app, request

HOST, SECURE = "__Host-", "__Secure-"


def full_name(name: str, *, secure: bool, path: str = "/") -> str:
    """The name of a cookie in the browser."""
    if not secure:
        return name
    return f"{HOST if path == '/' else SECURE}{name}"


def read(name: str) -> str | None:
    """The value of a cookie of the whole site, as the browser sent it."""
    return request.cookies.get(full_name(name, secure=_is_secure()))


def read_all(prefix: str, *, path: str) -> list[str]:
    """The values of the cookies of one part of the site whose names begin with a prefix."""
    start = full_name(prefix, secure=_is_secure(), path=path)
    return [value for name, value in request.cookies.items() if name.startswith(start)]


def put(response: Response, name: str, value: str, max_age: timedelta, *, path: str = "/") -> None:
    """Set a cookie that scripts do not read and that other sites' forms do not send."""
    secure = _is_secure()
    response.set_cookie(
        full_name(name, secure=secure, path=path),
        value,
        max_age=max_age,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=secure,
    )


def _is_secure() -> bool:
    return bool(current_app.config["SETTINGS"].secure)
