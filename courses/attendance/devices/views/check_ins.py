"""The JSON interface of paired devices, by their own token: send check-ins, list the user's sessions, read a roster."""

from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic_core import to_json

from courses import saved_events
from courses.attendance import recording
from courses.attendance.check_ins import CheckInAnswer
from courses.attendance.devices import day as device_day
from courses.attendance.devices import roster as device_roster
from courses.attendance.devices import session_version
from courses.attendance.devices.forms.check_ins import CHECK_INS
from courses.attendance.devices.views.openapi import PATHS, SCHEMAS
from courses.device_events import BYTES_LIMIT, answer_each, readable
from courses.saved_events import SavedKind
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import scope
from lms.core.request_db import autocommit_reads, db

blueprint = Blueprint("check_ins", __name__)

BATCHES_A_MINUTE = 600
READS_A_MINUTE = 120
LOOKS_A_MINUTE = 300  # a page that is looked at asks about 33 times
TAG_LENGTH = 32


@blueprint.post("/check-ins")
@device(BATCHES_A_MINUTE)
def record() -> ResponseReturnValue:
    """Record up to 100 events, and answer each of them in their order.

    An event whose id another event has is answered with 409 where it is alone in its batch.
    """
    request.max_content_length = BYTES_LIMIT
    now, paired = clock.now(), caller()
    events = CHECK_INS.read_batch(request.get_data(cache=False), now)
    answers = recording.record_all(
        db(), readable(events), user_id=paired.user_id, device_id=paired.device_id, scope=scope(), now=now
    )
    return _json({"received_at": now, "answers": answer_each(events, answers, _facts)})


@blueprint.get("/sessions")
@device(READS_A_MINUTE)
def sessions() -> ResponseReturnValue:
    """List the sessions that the device's user teaches, from a day back to a week ahead."""
    now = clock.now()
    return _json({"sessions": device_roster.device_sessions(db(), caller().user_id, now), "server_time": now})


@blueprint.get("/day")
@device(READS_A_MINUTE)
def day() -> ResponseReturnValue:
    """Read the rosters of today's and tomorrow's sessions in one answer, as `roster` reads each of them.

    A device that sends the tag of the answer that it stores is answered with 304 while nothing has changed.
    """
    now, zone = clock.now(), current_app.config["SETTINGS"].zone
    read = device_day.read_device_day(db(), scope(), caller(), zone)
    content = {"from": read.starts_at, "until": read.ends_at, "rosters": read.rosters}
    response = _json(content | {"server_time": now})
    response.set_etag(sha256(to_json(content)).hexdigest()[:TAG_LENGTH])
    return response.make_conditional(request)


@blueprint.get("/sessions/<int:session_id>/roster")
@device(READS_A_MINUTE)
def roster(session_id: int) -> ResponseReturnValue:
    """Read a session's roster for a device: masked names and hashed tickets, no phone and no ID number."""
    people = device_roster.read_device_roster(db(), session_id, scope(), caller())
    return _json({**people, "server_time": clock.now()})


@blueprint.get("/sessions/<int:session_id>/changes")
@device(LOOKS_A_MINUTE)
def changes(session_id: int) -> ResponseReturnValue:
    """Tell a device whether the session is as it knows it: 304 for the same ETag, else the version and who is present."""
    reads = autocommit_reads()
    version = str(session_version.read_version(reads, session_id, scope()))
    if request.if_none_match.contains_weak(version):
        response = Response(status=304)
    else:
        response = _json({"version": version, "present": session_version.read_presence(reads, session_id)})
    response.set_etag(version)
    return response


def _facts(answer: CheckInAnswer | None) -> dict[str, Any]:
    if answer is None:
        return _NO_FACTS
    return {
        "enrolment": answer.enrolment_id,
        "present": answer.present,
        "arrived_at": answer.arrived_at,
        "left_at": answer.left_at,
        "by": answer.by,
    }


_NO_FACTS = {"enrolment": None, "present": False, "arrived_at": None, "left_at": None, "by": None}


def _json(content: dict[str, Any]) -> Response:
    """A JSON response; pydantic writes ids and moments as texts, faster than Flask's `jsonify`."""
    return Response(to_json(content), mimetype="application/json")


saved_events.register(
    "/api/v1/check-ins",
    SavedKind(
        CHECK_INS,
        lambda events: recording.record_all(db(), events, user_id=current_user.id, scope=scope(), now=clock.now()),
        lambda event, answer: (event.walk_in.name if event.walk_in is not None else "", answer.enrolment_id),
    ),
)


def _describe(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.record_once(_describe)
