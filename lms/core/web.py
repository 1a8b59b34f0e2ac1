"""The Flask application class, with one commit per request, and the log of requests."""

import time
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request
from flask.globals import request_ctx
from psycopg import Error as DriverError
from sqlalchemy.exc import DBAPIError

from lms.core import access, compression, edge, error_pages, headers, request_db
from lms.core.fast_path import PAGES, CookieSessions, fast_path_of

log = structlog.get_logger(__name__)


class App(Flask):
    """Flask, with the commit at the edge of each request: what a view wrote is saved if its response is no error."""

    session_interface = CookieSessions()
    request_class = edge.Request
    json_provider_class = edge.BoundedJson

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url_map.converters["int"] = edge.RowNumberConverter

    def get_send_file_max_age(self, filename: str | None) -> int | None:  # noqa: ARG002
        """How long a browser keeps a file: an hour if it is static, and otherwise not."""
        return headers.STATIC_SECONDS if headers.is_static() else None

    def full_dispatch_request(self) -> Response:
        """Dispatch; on the fast path run the access check, the view and the headers, and no other hook.

        Its pages are of two packets, so that compressing them would save nothing.
        """
        path = fast_path_of(self, request_ctx.request)
        if path is None:
            return super().full_dispatch_request()
        g.fast_path = True
        try:
            answer = access.check() or self.dispatch_request()
        except Exception as error:
            answer = self.handle_user_exception(error)
        return _finish(self.make_response(answer), compresses=path != PAGES)

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """Run the teardown hooks, except on the fast path, whose session is closed with the application context."""
        if "fast_path" not in g:
            super().do_teardown_request(exc)

    def dispatch_request(self) -> Response:
        """Run the view; commit if its response is no error, else roll back."""
        edge.check_address(request)
        try:
            answer = super().dispatch_request()
        except (DBAPIError, DriverError) as error:
            if not request_db.fell_back_to_primary(error):
                raise
            answer = super().dispatch_request()
        response = self.make_response(answer)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            request_db.commit()
        else:
            request_db.roll_back()
        return response


def _begin() -> None:
    g.request_id = uuid4().hex
    g.began = time.perf_counter()


def _finish(response: Response, *, compresses: bool = True) -> Response:
    headers.set_defaults(response)
    if compresses:
        compression.compress(response, is_static=headers.is_static() or headers.is_cacheable(request.endpoint))
    if "began" in g and not headers.is_static():
        log.info(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.began) * 1000, 1),
            request_id=g.request_id,
        )
    return response


def init_app(app: App) -> None:
    """Register the hooks of a request: sessions, log and headers, error pages."""
    app.before_request(_begin)
    app.after_request(_finish)
    request_db.init_app(app)
    error_pages.init_app(app)
