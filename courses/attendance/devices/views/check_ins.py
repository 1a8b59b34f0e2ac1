"""The JSON interface of paired devices, by their own token: send check-ins, list the user's sessions, read a roster."""

from typing import Any

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic_core import to_json

from courses import saved_events
from courses.attendance import recording
from courses.attendance.check_ins import CheckInAnswer
from courses.attendance.devices import roster as device_roster
from courses.attendance.devices.forms.check_ins import CHECK_INS
from courses.attendance.devices.views.openapi import PATHS, SCHEMAS
from courses.device_events import BYTES_LIMIT, answer_each, readable
from courses.saved_events import SavedKind
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import scope
from lms.core.request_db import db

blueprint = Blueprint("check_ins", __name__)

BATCHES_A_MINUTE = 600
READS_A_MINUTE = 120


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


@blueprint.get("/sessions/<int:session_id>/roster")
@device(READS_A_MINUTE)
def roster(session_id: int) -> ResponseReturnValue:
    """Read a session's roster for a device: masked names and hashed tickets, no phone and no ID number."""
    people = device_roster.read_device_roster(db(), session_id, scope(), caller())
    return _json({**people, "server_time": clock.now()})


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
