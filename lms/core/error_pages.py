"""Errors as responses: an HTML page for people, a problem document (RFC 9457) for programs."""

from contextlib import suppress
from datetime import datetime
from http import HTTPStatus

import psycopg
import structlog
from flask import Flask, current_app, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException, MethodNotAllowed, TooManyRequests

from lms.core import limits, request_db
from lms.core.constraints import refusal_of
from lms.core.errors import N_, DomainError
from lms.core.languages import HTML_LANGUAGE, moment, visitor_language

log = structlog.get_logger(__name__)

RETRY_AFTER = "60"  # seconds: most limits count by the minute

HTTP_MESSAGES = {
    400: N_("The request could not be read. Go back, reload the page and try again."),
    401: N_("Please sign in first."),
    403: N_("Your role does not allow this. Ask an administrator if you need it."),
    404: N_("This page does not exist, or you may not see it."),
    405: N_("This address cannot be opened in this way. Go back and use the buttons on the page."),
    413: N_("The file is too large. Send a smaller one."),
    429: N_("Too many tries. Wait a few minutes and try again."),
    500: N_("Something went wrong on our side. Nothing was saved; try again in a moment."),
    503: N_("The system is not available at the moment. Nothing was lost; try again in a minute."),
}
DATABASE_ERRORS = (DBAPIError, PoolExhausted, psycopg.Error, PoolTimeout)
# SQLSTATEs of a database that cannot be reached, shuts down, starts up or has no connection left.
_AWAY_STATES = ("08", "57P", "53300")


def message_of(error: DomainError) -> str:
    """The error's message in the reader's language; moments in it are shown in the branch's time zone."""
    params = {name: moment(value) if isinstance(value, datetime) else value for name, value in error.params.items()}
    return _(error.message, **params)


def wants_json() -> bool:
    """Tell whether the client is a program, judged by the path and by the header Accept."""
    if request.path.startswith(("/api/", "/.well-known/", "/status/")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return best is not None and best != "text/html"


def refuse(status: int, code: str, message: str) -> ResponseReturnValue:
    """The response for an error. code: for programs. message: for people, and says what to do next."""
    if wants_json():
        response = jsonify(
            type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=message, code=code
        )
        response.status_code = status
        response.content_type = "application/problem+json"
        if status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            response.headers["Retry-After"] = RETRY_AFTER
        return response
    try:
        return render_template("errors/error.html", status=status, message=message), status
    except DATABASE_ERRORS as error:  # the page's menu is the user's
        return _database_error(error)


def _domain_error(error: DomainError) -> ResponseReturnValue:
    request_db.roll_back()
    response = make_response(refuse(error.status, error.code, message_of(error)))
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def _integrity_error(error: IntegrityError) -> ResponseReturnValue:
    request_db.roll_back()
    refusal = refusal_of(error)
    if refusal is None:
        raise error
    return refuse(refusal.status, refusal.code, message_of(refusal))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    request_db.roll_back()
    status = error.code or 500
    if status < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    message = HTTP_MESSAGES.get(status, HTTP_MESSAGES[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400])
    response = make_response(refuse(status, f"http_{status}", _(message)))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.allow.update(error.valid_methods)
    if isinstance(error, TooManyRequests):
        seconds = error.retry_after or limits.seconds_left()
        response.headers["Retry-After"] = str(seconds) if isinstance(seconds, int) else RETRY_AFTER
    return response


def _csrf_error(_error: CSRFError) -> ResponseReturnValue:
    request_db.roll_back()
    if current_app.session_interface.get_cookie_name(current_app) not in request.cookies:
        message = _(
            "This browser did not send the cookie that the form needs. Allow cookies for this site, or open the page in"
            " another browser, and send the form again."
        )
        return refuse(400, "csrf", message)
    return refuse(400, "csrf", _("The page was open too long. Go back, reload it and send the form again."))


def is_away(error: Exception) -> bool:
    """Tell whether an error of the database means that it cannot be reached, and not that a statement is wrong."""
    if isinstance(error, PoolTimeout | PoolExhausted):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return isinstance(cause, psycopg.OperationalError) and (state is None or state.startswith(_AWAY_STATES))


def _database_error(error: Exception) -> ResponseReturnValue:
    """503 while the database is away. The page asks for no user and no menu, which are in the database."""
    if not is_away(error):
        raise error
    with suppress(DBAPIError, psycopg.Error):
        request_db.roll_back()
    g.language = visitor_language()
    log.warning("database_away", route=request.endpoint, error=type(error).__name__)
    message = _(HTTP_MESSAGES[503])
    if wants_json():
        response = make_response(refuse(503, "http_503", message))
    else:
        # Rendered without Flask's context processors, of which one loads the user.
        page = current_app.jinja_env.get_template("errors/away.html")
        response = make_response(page.render(message=message, html_language=HTML_LANGUAGE[g.language]), 503)
    response.headers["Retry-After"] = RETRY_AFTER
    return response


def _unexpected(error: Exception) -> ResponseReturnValue:
    request_db.roll_back()
    log.exception("request_failed", route=request.endpoint, request_id=g.get("request_id"), error=type(error).__name__)
    return refuse(500, "http_500", _(HTTP_MESSAGES[500]))


def init_app(app: Flask) -> None:
    """Register the error handlers. While testing, an unexpected exception is raised and not turned into a page."""
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(IntegrityError, _integrity_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    for kind in DATABASE_ERRORS:
        app.register_error_handler(kind, _database_error)
    if not app.testing:
        app.register_error_handler(Exception, _unexpected)
