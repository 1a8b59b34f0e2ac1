"""Headers of pages whose address is a secret: they stay out of search engines, caches and other sites' logs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, make_response
from flask.typing import ResponseReturnValue

View = Callable[..., ResponseReturnValue]


def unlisted(view: View) -> View:
    """Decorate pages with forms: the referrer stays within this site, because the CSRF check on https needs it."""
    return _with_referrer("same-origin", view)


def unlisted_and_silent(view: View) -> View:
    """Decorate pages without forms: they send no referrer at all."""
    return _with_referrer("no-referrer", view)


def _with_referrer(policy: str, view: View) -> View:
    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Response:
        response = make_response(view(*args, **kwargs))
        response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        response.headers["Referrer-Policy"] = policy
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer
