"""The web's edge: one session a request, one commit, headers, and errors turned into pages or problem documents."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask import session as cookie
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from psycopg import Error as DriverError
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from lms.core import access, audit, clock, events
from lms.core.constraints import refusal
from lms.core.db import Reading, commit
from lms.core.errors import N_, DomainError
from lms.core.forms import Form
from lms.core.languages import moment
from lms.core.lean import Sessions, goes_lean
from lms.core.replica import Freshness, Mark, Replica, Trouble

log = structlog.get_logger(__name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

# What each answer carries unless its view said otherwise.
STATIC_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=()"),
)
HEADERS = (*STATIC_HEADERS, ("Cache-Control", "no-store"))

_WRITTEN = "written"  # in the cookie

RETRY_AFTER = "60"  # seconds: most limits count by the minute

HTTP_MESSAGES = {
    400: N_("The request could not be read. Go back, reload the page and try again."),
    401: N_("Please sign in first."),
    403: N_("Your role does not allow this. Ask an administrator if you need it."),
    404: N_("This page does not exist, or you may not see it."),
    405: N_("This address cannot be used that way. Go back and use the page's buttons."),
    413: N_("The file is too large. Send a smaller one."),
    429: N_("Too many tries. Wait a few minutes and try again."),
    500: N_("Something went wrong on our side. Nothing was saved; try again in a moment."),
}


class App(Flask):
    """Flask, with the commit at the edge of each request: what a view did is saved when it answered well, all or nothing."""

    session_interface = Sessions()

    def full_dispatch_request(self) -> Response:
        """A lean view's request passes the guard, the limit, the headers and the log, and no other hook."""
        if not goes_lean(self, request_ctx.request):
            return super().full_dispatch_request()
        g.lean = True
        try:
            answer = access.check() or self.dispatch_request()
        except Exception as error:
            answer = self.handle_user_exception(error)
        return _finish(self.make_response(answer))

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """What the hooks would put away, a lean view's request never took out; its connections are closed with the context."""
        if "lean" not in g:
            super().do_teardown_request(exc)

    def dispatch_request(self) -> Response:
        """Run the view; commit when its answer is not an error, roll back otherwise."""
        _refuse_nul()
        try:
            answer = super().dispatch_request()
        except (DBAPIError, DriverError) as error:
            if not _lost_replica(error):
                raise
            answer = super().dispatch_request()
        response = self.make_response(answer)
        if "db" in g:
            if response.status_code < HTTPStatus.BAD_REQUEST:
                commit(g.db)
                _mark_written()
            else:
                g.db.rollback()
                events.discard(g.db)
        return response


def db() -> Session:
    """The session of this request, opened when first asked for; the edge commits it."""
    if "db" not in g:
        g.db = current_app.extensions["sessions"]()
        audit.act_as(g.db, None)
    opened: Session = g.db
    if audit.actor(opened) is None and "acting" not in g:
        g.acting = True
        audit.act_as(opened, current_user.id if current_user.is_authenticated else None)
    return opened


def reading() -> Reading:
    """Where this request asks single questions of the database, outside any unit of work."""
    if "reading" not in g:
        g.reading = Reading(current_app.extensions["reader"])
    found: Reading = g.reading
    return found


def reporting() -> Session:
    """Where this request reads reports and exports: the replica where there is one that may be asked, else `db()`.

    What is written (the audit) and who asks go to the primary, and so does all of a request that may change something.
    """
    replica = _replica()
    if replica is None or request.method not in access.SAFE_METHODS:
        return db()
    if "freshness" not in g:
        g.freshness = replica.freshness(_mark())
        if g.freshness.from_replica:
            g.reporting = replica.session()
    return g.reporting if "reporting" in g else db()


def freshness() -> Freshness | None:
    """How fresh what this request's report was read from is; None where there is no replica, or nothing was read."""
    found: Freshness | None = g.get("freshness")
    return found


def _replica() -> Replica | None:
    found: Replica | None = current_app.extensions["replica"]
    return found


def _lost_replica(error: Exception) -> bool:
    """Whether the replica failed this request, which only read so far: then the primary is asked, all over."""
    replica = _replica()
    if replica is None or "reporting" not in g or not replica.lost(error):
        return False
    _roll_back()
    g.pop("reporting").close()
    g.freshness = Freshness(clock.now(), trouble=Trouble.GONE)
    return True


def _mark_written() -> None:
    """Remember in the cookie how far the primary was: whichever web server this browser asks next shows what it saved."""
    replica = _replica()
    if replica is None or "lean" in g or request.method in access.SAFE_METHODS or not cookie:
        return
    mark = replica.written()
    if mark is not None:
        cookie[_WRITTEN] = [mark.position, mark.at]


def _mark() -> Mark | None:
    kept = cookie.get(_WRITTEN)
    return Mark(*kept) if kept else None


@contextmanager
def refused_on(form: Form) -> Iterator[None]:
    """Run a rule; if it refuses, undo its half-done work and put its message on the form (or on the field it names)."""
    try:
        with db().begin_nested():
            yield
    except DomainError as error:
        _show_on(form, error)
    except IntegrityError as error:
        found = refusal(error)
        if found is None:
            raise
        _show_on(form, found)


def _show_on(form: Form, error: DomainError) -> None:
    message = text_of(error)
    if error.field is not None and error.field in form:
        form[error.field].errors = [*form[error.field].errors, message]
    else:
        form.form_errors.append(message)


def text_of(error: DomainError) -> str:
    """An error's message in the reader's language; moments in it are shown as the branch's clock shows them."""
    shown = {name: moment(value) if isinstance(value, datetime) else value for name, value in error.params.items()}
    return _(error.message, **shown)


def wants_json() -> bool:
    """Whether the caller is a program: by address, or by what it accepts."""
    if request.path.startswith(("/api/", "/.well-known/", "/status/")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return best is not None and best != "text/html"


def local_address(target: str | None, default: str) -> str:
    """`target` if it stays on this site, else `default`: no open redirects."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default


def refuse(status: int, code: str, message: str) -> ResponseReturnValue:
    """One answer for every error: a page that says what to do next, or a problem document (RFC 9457)."""
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
    return render_template("errors/error.html", status=status, message=message), status


def _domain_error(error: DomainError) -> ResponseReturnValue:
    _roll_back()
    return refuse(error.status, error.code, text_of(error))


def _integrity_error(error: IntegrityError) -> ResponseReturnValue:
    _roll_back()
    found = refusal(error)
    if found is None:
        raise error
    return refuse(found.status, found.code, text_of(found))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    _roll_back()
    status = error.code or 500
    if status < HTTPStatus.BAD_REQUEST:
        return error.get_response()
    message = HTTP_MESSAGES.get(status, HTTP_MESSAGES[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400])
    return refuse(status, f"http_{status}", _(message))


def _csrf_error(_error: CSRFError) -> ResponseReturnValue:
    _roll_back()
    return refuse(400, "csrf", _("The page was open too long. Go back, reload it and send the form again."))


def _unexpected(error: Exception) -> ResponseReturnValue:
    _roll_back()
    log.exception("request_failed", route=request.endpoint, request_id=g.get("request_id"), error=type(error).__name__)
    return refuse(500, "http_500", _(HTTP_MESSAGES[500]))


def _roll_back() -> None:
    if "db" in g:
        g.db.rollback()
        events.discard(g.db)


def _refuse_nul() -> None:
    """PostgreSQL keeps no NUL. Nobody types one; what was copied out of a broken file may have it."""
    # What comes with a file, or as JSON, is read by its view, which says how long it may be.
    sent = (request.args, request.form) if request.mimetype == "application/x-www-form-urlencoded" else (request.args,)
    given = (part for fields in sent for pair in fields.items(multi=True) for part in pair)
    if any("\0" in part for part in given):
        raise DomainError(
            "bad_character", N_("The text contains a character that cannot be stored. Type it again."), status=400
        )


def _begin() -> None:
    g.request_id = uuid4().hex
    g.began = time.perf_counter()


def _finish(response: Response) -> Response:
    headers = response.headers
    static = request.endpoint in {"static", "bootstrap.static"}
    present = {name.lower() for name in headers.keys()}  # noqa: SIM118 - iterating headers gives pairs
    for name, value in STATIC_HEADERS if static else HEADERS:
        if name.lower() not in present:
            headers.add(name, value)
    if current_app.config["SETTINGS"].secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "began" in g and not static:
        log.info(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.began) * 1000, 1),
            request_id=g.request_id,
        )
    return response


def _close(_error: BaseException | None) -> None:
    for name in ("reporting", "db"):
        opened: Session | None = g.pop(name, None)
        if opened is not None:
            opened.close()
    read: Reading | None = g.pop("reading", None)
    if read is not None:
        read.close()


def init_app(app: App) -> None:
    """Sessions, the replica, headers, errors."""
    settings = app.config["SETTINGS"]
    address = settings.database_replica_url
    app.extensions["replica"] = (
        Replica(address, app.extensions["engine"], limit=settings.replica_limit_seconds) if address else None
    )
    app.jinja_env.globals.update(freshness=freshness)
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_appcontext(_close)
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(IntegrityError, _integrity_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    if not app.testing:
        app.register_error_handler(Exception, _unexpected)
