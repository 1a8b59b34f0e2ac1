"""Pages whose address is the secret: kept out of search engines, caches and other sites' logs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, make_response
from flask.typing import ResponseReturnValue

View = Callable[..., ResponseReturnValue]


def unlisted(view: View) -> View:
    """For pages with forms: the referrer stays within this site, as the check against forged forms needs on https."""
    return _with_referrer("same-origin", view)


def unlisted_and_silent(view: View) -> View:
    """For pages without forms: no referrer at all."""
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
