"""The instructor's screen: the rotating code, and beside it who is present and who is missing.

Server-sent events tell the screen of changes. A stream occupies one of the process's few threads, so it ends after ten
seconds and the browser opens the next one. At most a quarter of the threads serve streams; a browser that gets none polls
the state every two seconds instead.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError

from courses.attendance import check_in_window
from courses.attendance.roster import load_session
from courses.attendance.self_check_in import code_display, code_picture
from courses.attendance.self_check_in.code_display import CodeScreen
from courses.models.offerings import CourseSession
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.autocommit import AutocommitReads
from lms.core.request_db import autocommit_reads, db
from lms.core.scope import ATTENDANCE_TAKERS, fetch

blueprint = Blueprint("code_display", __name__)

STREAMS = 2  # of eight threads
STREAM_SECONDS = 10.0
LOOK_SECONDS = 1.0
AGAIN_MILLISECONDS = 250

_streams = BoundedSemaphore(STREAMS)


@dataclass(frozen=True)
class _Screen:
    """The settings that the screen's JSON needs. A stream runs on after its request context, so they are taken before."""

    public_url: str
    zone: ZoneInfo

    def address(self, session_id: int, code: str) -> str:
        """The address in the QR code (view `self_check_in.scan`)."""
        return f"{self.public_url}/s/{session_id}/{code}"

    def state(self, session_id: int, content: CodeScreen) -> dict[str, Any]:
        """The screen as JSON for the script: the QR codes' bits, and the people by masked names."""
        codes = [(step, self.address(session_id, code)) for step, code in content.codes]
        return {
            "codes": [[step, code_picture.bits(address)] for step, address in codes],
            "side": code_picture.side(codes[0][1]) if codes else 0,
            "present": [
                [person.name, person.arrived_at.astimezone(self.zone).strftime("%H:%M")]
                for person in content.present
                if person.arrived_at is not None
            ],
            "missing": [person.name for person in content.missing],
            "waiting": content.waiting,
        }


@blueprint.get("/<int:session_id>/code")
@requires(*ATTENDANCE_TAKERS)
def page(session_id: int) -> ResponseReturnValue:
    """Show the screen; for a session without a code, an explanation and the button that makes one.

    The query `plain` is for a browser without scripts, which reloads the page every five seconds.
    """
    meeting = load_session(db(), session_id, scope())
    if not code_display.is_shown(db(), session_id):
        return render_template(
            "self_check_in/start.html",
            meeting=meeting,
            running=check_in_window.is_running(meeting),
            over=meeting.ends_at < clock.now(),
        )
    now = clock.now()
    content = code_display.read_screen(db(), session_id, now=now)
    screen = _screen()
    address = screen.address(meeting.id, content.codes[0][1]) if content.codes else None
    plain = "plain" in request.args
    body = render_template(
        "self_check_in/display.html",
        meeting=meeting,
        plain=plain,
        content=content,
        state=screen.state(session_id, content),
        path=code_picture.path(address) if address else "",
        side=code_picture.side(address) + 2 * code_picture.QUIET_ZONE if address else 0,
        opens_at=check_in_window.opening_ahead(meeting, now),
    )
    return body, {"Refresh": "5"} if plain else {}


@blueprint.post("/<int:session_id>/code")
@requires(*ATTENDANCE_TAKERS)
def show(session_id: int) -> ResponseReturnValue:
    """Make the session's code."""
    meeting = load_session(db(), session_id, scope())
    code_display.show(db(), meeting, now=clock.now())
    return redirect(url_for(".page", session_id=session_id))


@blueprint.post("/<int:session_id>/code/hide")
@requires(*ATTENDANCE_TAKERS)
def hide(session_id: int) -> ResponseReturnValue:
    """Delete the session's code."""
    meeting = load_session(db(), session_id, scope())
    code_display.hide(db(), meeting)
    flash(_("The check-in code is stopped. Nobody can check in with it any more."))
    return redirect(url_for("attendance.roster", session_id=session_id))


@blueprint.get("/<int:session_id>/code/state")
@requires(*ATTENDANCE_TAKERS)
def state(session_id: int) -> ResponseReturnValue:
    """Serve the screen as JSON, with the server's time as a header; 304 where the caller's ETag is that of the state."""
    meeting = fetch(db(), CourseSession, session_id, scope())
    screen_state = _screen().state(
        meeting.id, code_display.read_screen(autocommit_reads(), meeting.id, now=clock.now())
    )
    response = jsonify(screen_state)
    response.set_etag(_etag(screen_state))
    # Taken last: the browser's reckoning of the server's time is then late by the response's way alone, and never early.
    response.headers["Server-Time"] = str(_milliseconds())
    return response.make_conditional(request)


@blueprint.get("/<int:session_id>/code/stream")
@requires(*ATTENDANCE_TAKERS)
def stream(session_id: int) -> ResponseReturnValue:
    """Serve the screen as server-sent events, for ten seconds; 204, after which the browser polls, without a free thread."""
    meeting = fetch(db(), CourseSession, session_id, scope())
    if not _streams.acquire(blocking=False):
        return "", 204
    events = _events(autocommit_reads(), meeting.id, _screen())
    response = Response(events, mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(_streams.release)
    return response


def _events(reads: AutocommitReads, session_id: int, screen: _Screen) -> Iterator[str]:
    """Yield an event for each change until the time is up. A database connection is used for each look and then closed."""
    yield f"retry: {AGAIN_MILLISECONDS}\n\n"
    until, sent_etag = time.monotonic() + STREAM_SECONDS, ""
    while True:
        try:
            screen_state = screen.state(session_id, code_display.read_screen(reads, session_id, now=clock.now()))
        except DBAPIError:
            return  # the browser connects again, and that request is answered with the error
        finally:
            reads.close()
        etag = _etag(screen_state)
        if etag != sent_etag:
            sent_etag = etag
            yield f"data: {json.dumps({**screen_state, 'now': _milliseconds()})}\n\n"
        if time.monotonic() + LOOK_SECONDS > until:
            return
        time.sleep(LOOK_SECONDS)


def _screen() -> _Screen:
    settings = current_app.config["SETTINGS"]
    return _Screen(settings.public_url, settings.zone)


def _etag(screen_state: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(screen_state).encode()).hexdigest()[:24]


def _milliseconds() -> int:
    return round(clock.now().timestamp() * 1000)
