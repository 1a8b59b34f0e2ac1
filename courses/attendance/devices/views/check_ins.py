"""What paired devices ask with their own token: sending check-ins, their sessions, and a session's roster to keep."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from pydantic_core import to_json

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput, Recorded
from courses.attendance.devices import roster as device_roster
from courses.attendance.devices.forms import check_ins
from courses.attendance.devices.forms.check_ins import Faulty, Sent
from courses.attendance.devices.views.openapi import PATHS, SCHEMAS
from courses.outcomes import Outcome
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import scope
from lms.core.errors import DomainError
from lms.core.languages import in_both
from lms.core.web import db

blueprint = Blueprint("check_ins", __name__)

BATCHES_A_MINUTE = 600
READS_A_MINUTE = 120


@blueprint.post("/check-ins")
@device(BATCHES_A_MINUTE)
def record() -> ResponseReturnValue:
    """Up to 100 events, an answer for each in their order."""
    request.max_content_length = check_ins.BYTES_LIMIT
    now, who = clock.now(), caller()
    sent = check_ins.read(request.get_data(cache=False), now)
    recorded = recording.record_all(
        db(), events_of(sent), user_id=who.user_id, device_id=who.device_id, scope=scope(), now=now
    )
    if len(recorded) == len(sent) == 1 and recorded[0].code == "event_conflict":
        raise DomainError(recorded[0].code, recorded[0].message)
    return _json({"received_at": now, "answers": answers(sent, recorded)})


@blueprint.get("/sessions")
@device(READS_A_MINUTE)
def sessions() -> ResponseReturnValue:
    """The sessions that the device's user teaches, from yesterday to a week ahead."""
    now = clock.now()
    return _json({"sessions": device_roster.sessions_of(db(), caller().user_id, now), "server_time": now})


@blueprint.get("/sessions/<int:session_id>/roster")
@device(READS_A_MINUTE)
def roster(session_id: int) -> ResponseReturnValue:
    """What a device keeps of a session: masked names and hashed tickets, no phone and no ID number."""
    return _json({**device_roster.read(db(), session_id, scope()), "server_time": clock.now()})


def events_of(sent: Sequence[Sent]) -> list[AttendanceInput]:
    """Those that could be read."""
    return [event for event in sent if isinstance(event, AttendanceInput)]


def answers(sent: Sequence[Sent], recorded: Sequence[Recorded]) -> list[dict[str, Any]]:
    """An answer for each event that was sent, in their order."""
    found = iter(recorded)
    return [_unread(event) if isinstance(event, Faulty) else _told(next(found)) for event in sent]


def _told(answer: Recorded) -> dict[str, Any]:
    return {
        "id": answer.id,
        "outcome": answer.outcome,
        "code": answer.code,
        "text": in_both(answer.message, **answer.params),
        "enrolment": answer.enrolment_id,
        "present": answer.present,
        "arrived_at": answer.arrived_at,
        "left_at": answer.left_at,
        "by": answer.by,
    }


def _unread(event: Faulty) -> dict[str, Any]:
    return {
        "id": event.id,
        "outcome": Outcome.REJECTED,
        "code": event.code,
        "text": in_both(check_ins.MESSAGES[event.code]),
        "enrolment": None,
        "present": False,
        "arrived_at": None,
        "left_at": None,
        "by": None,
    }


def _json(content: dict[str, Any]) -> Response:
    """JSON with ids and moments in it, written in one go."""
    return Response(to_json(content), mimetype="application/json")


def _prepare(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.record_once(_prepare)
