"""The instructor's screen: the rotating code, and beside it who is there and who is not.

It hears of changes by server-sent events. A stream holds one of the process's few threads, so it ends with the code that it
began with and the browser opens the next one; only a quarter of the threads may be held, and whoever gets none asks every
two seconds instead.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
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

from courses.attendance import roster as rosters
from courses.attendance.self_check_in import code_display, code_picture
from courses.attendance.self_check_in.code_display import Display
from courses.models.offerings import CourseSession
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.db import Reading
from lms.core.scope import ATTENDANCE_TAKERS, fetch
from lms.core.web import db, reading

blueprint = Blueprint("code_display", __name__)

STREAMS = 2  # of eight threads
STREAM_SECONDS = 10.0
LOOK_SECONDS = 1.0
AGAIN_MILLISECONDS = 250

_streams = BoundedSemaphore(STREAMS)


@dataclass(frozen=True)
class _Screen:
    """What the state is made with; a stream goes on when its request is over, and has nothing else to ask."""

    public_url: str
    zone: ZoneInfo

    def address(self, session_id: int, code: str) -> str:
        """Where a code leads (`self_check_in.scan`)."""
        return f"{self.public_url}/s/{session_id}/{code}"

    def state(self, session_id: int, shown: Display) -> dict[str, Any]:
        """The screen as the browser takes it: codes as modules, people by masked names."""
        codes = [(step, self.address(session_id, code)) for step, code in shown.codes]
        return {
            "codes": [[step, code_picture.bits(address)] for step, address in codes],
            "side": code_picture.side(codes[0][1]) if codes else 0,
            "present": [
                [person.name, person.arrived_at.astimezone(self.zone).strftime("%H:%M")]
                for person in shown.present
                if person.arrived_at is not None
            ],
            "missing": [person.name for person in shown.missing],
            "waiting": shown.waiting,
        }


@blueprint.get("/<int:session_id>/code")
@requires(*ATTENDANCE_TAKERS)
def page(session_id: int) -> ResponseReturnValue:
    """The screen; before the code is shown, what it does and the button that shows it.

    `?plain`: for a browser without scripts, which loads it anew every five seconds.
    """
    meeting = rosters.meeting(db(), session_id, scope())
    if not code_display.is_shown(db(), session_id):
        return render_template(
            "self_check_in/start.html",
            meeting=meeting,
            running=rosters.is_running(meeting),
            over=meeting.ends_at < clock.now(),
        )
    now = clock.now()
    shown = code_display.display(db(), session_id, now=now)
    screen = _screen()
    address = screen.address(meeting.id, shown.codes[0][1]) if shown.codes else None
    plain = "plain" in request.args
    body = render_template(
        "self_check_in/display.html",
        meeting=meeting,
        plain=plain,
        shown=shown,
        state=screen.state(session_id, shown),
        path=code_picture.path(address) if address else "",
        side=code_picture.side(address) + 2 * code_picture.QUIET_ZONE if address else 0,
        opens_at=code_display.opens_at(meeting, now=now),
    )
    return body, {"Refresh": "5"} if plain else {}


@blueprint.post("/<int:session_id>/code")
@requires(*ATTENDANCE_TAKERS)
def show(session_id: int) -> ResponseReturnValue:
    """Show the code."""
    meeting = rosters.meeting(db(), session_id, scope())
    code_display.show(db(), meeting, now=clock.now())
    return redirect(url_for(".page", session_id=session_id))


@blueprint.post("/<int:session_id>/code/hide")
@requires(*ATTENDANCE_TAKERS)
def hide(session_id: int) -> ResponseReturnValue:
    """Take the code away."""
    meeting = rosters.meeting(db(), session_id, scope())
    code_display.hide(db(), meeting)
    flash(_("The check-in code is stopped. Nobody can check in with it any more."))
    return redirect(url_for("attendance.roster", session_id=session_id))


@blueprint.get("/<int:session_id>/code/state")
@requires(*ATTENDANCE_TAKERS)
def state(session_id: int) -> ResponseReturnValue:
    """The screen as JSON; nothing but the time when it is as the caller has it."""
    meeting = fetch(db(), CourseSession, session_id, scope())
    found = _screen().state(meeting.id, code_display.display(reading(), meeting.id, now=clock.now()))
    answer = jsonify(found)
    answer.set_etag(_tag(found))
    # Last of all, so that what the browser reckons from it is late by the way back alone, and never early.
    answer.headers["Server-Time"] = str(_milliseconds())
    return answer.make_conditional(request)


@blueprint.get("/<int:session_id>/code/stream")
@requires(*ATTENDANCE_TAKERS)
def stream(session_id: int) -> ResponseReturnValue:
    """The screen as server-sent events, for ten seconds; 204, which ends the asking, where no thread can be spared."""
    meeting = fetch(db(), CourseSession, session_id, scope())
    if not _streams.acquire(blocking=False):
        return "", 204
    events = _events(partial(Reading, current_app.extensions["reader"]), meeting.id, _screen())
    answer = Response(events, mimetype="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(_streams.release)
    return answer


def _events(opened: Callable[[], Reading], session_id: int, screen: _Screen) -> Iterator[str]:
    """Events until the time is up. A connection is held for each look alone, and none while the stream sleeps."""
    yield f"retry: {AGAIN_MILLISECONDS}\n\n"
    until, known = time.monotonic() + STREAM_SECONDS, ""
    while True:
        source = opened()
        try:
            found = screen.state(session_id, code_display.display(source, session_id, now=clock.now()))
        except DBAPIError:
            return  # the browser asks again, by a request that says what is wrong
        finally:
            source.close()
        tag = _tag(found)
        if tag != known:
            known = tag
            yield f"data: {json.dumps({**found, 'now': _milliseconds()})}\n\n"
        if time.monotonic() + LOOK_SECONDS > until:
            return
        time.sleep(LOOK_SECONDS)


def _screen() -> _Screen:
    settings = current_app.config["SETTINGS"]
    return _Screen(settings.public_url, settings.zone)


def _tag(found: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:24]


def _milliseconds() -> int:
    return round(clock.now().timestamp() * 1000)
