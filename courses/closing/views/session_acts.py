"""The JSON interface by which paired devices send their user's own check-ins, and headcounts; each event is answered."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from flask import Blueprint, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from pydantic import Field

from courses import saved_events
from courses.closing import headcount, instructor_check_in
from courses.closing.headcount import HEADCOUNT_LIMIT
from courses.closing.session_events import SessionAct, SessionAnswer
from courses.device_events import BATCH_LIMIT, BYTES_LIMIT, EventBody, EventReader, RowId, answer_each, readable
from courses.models.session_events import SessionEventKind
from courses.outcomes import Outcome
from courses.saved_events import SavedKind
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import scope
from lms.core.errors import N_
from lms.core.request_db import db

blueprint = Blueprint("session_acts", __name__)

A_MINUTE = 120
OWN_CHECK_INS, HEADCOUNTS = "/api/v1/own-check-ins", "/api/v1/headcounts"
MESSAGES = {
    "bad_event": N_("This entry could not be read. Enter it again on its page."),
    "bad_number": N_("Enter a number from 0 to 100000."),
}


class OwnCheckInBody(EventBody):
    """The arrival or leaving of the device's user."""

    session: RowId
    kind: Literal["arrive", "leave", "attended"]

    def event(self, offset_ms: int | None) -> SessionAct:
        """Return the act for `instructor_check_in.record_all`."""
        offset = self.offset_ms if self.offset_ms is not None else offset_ms
        return SessionAct(self.id, self.session, SessionEventKind(self.kind), self.told_at, offset)


class HeadcountBody(EventBody):
    """A headcount as a device sends it."""

    session: RowId
    number: int = Field(ge=0, le=HEADCOUNT_LIMIT)

    def event(self, offset_ms: int | None) -> SessionAct:
        """Return the act for `headcount.record_all`."""
        offset = self.offset_ms if self.offset_ms is not None else offset_ms
        return SessionAct(self.id, self.session, SessionEventKind.HEADCOUNT, self.told_at, offset, self.number)


OWN_READER = EventReader(OwnCheckInBody, OwnCheckInBody.event, MESSAGES, {})
HEADCOUNT_READER = EventReader(HeadcountBody, HeadcountBody.event, MESSAGES, {"number": "bad_number"})


@blueprint.post(OWN_CHECK_INS)
@device(A_MINUTE)
def own_check_ins() -> ResponseReturnValue:
    """Record each own check-in once, however often it is sent, and answer each of them in their order."""
    return _record(OWN_READER, instructor_check_in.record_all, ("arrived_at", "left_at"))


@blueprint.post(HEADCOUNTS)
@device(A_MINUTE)
def headcounts() -> ResponseReturnValue:
    """Record each headcount once, however often it is sent, and answer each of them in their order."""
    return _record(HEADCOUNT_READER, headcount.record_all, ("number",))


def _record(
    reader: EventReader[Any, SessionAct], record_all: Callable[..., list[SessionAnswer]], facts: Sequence[str]
) -> ResponseReturnValue:
    request.max_content_length = BYTES_LIMIT
    paired, now = caller(), clock.now()
    events = reader.read_batch(request.get_data(cache=False), now)
    answers = record_all(
        db(), readable(events), user_id=paired.user_id, device_id=paired.device_id, scope=scope(), now=now
    )

    def facts_of(answer: SessionAnswer | None) -> dict[str, Any]:
        return {name: answer.facts.get(name) if answer is not None else None for name in facts}

    return jsonify(received_at=now.isoformat(), answers=answer_each(events, answers, facts_of))


def _saved(record_all: Callable[..., list[SessionAnswer]]) -> Callable[[Sequence[SessionAct]], list[SessionAnswer]]:
    """The recording of a batch from a file, in the name of the signed-in user."""
    return lambda acts: record_all(db(), acts, user_id=current_user.id, device_id=None, scope=scope(), now=clock.now())


saved_events.register(
    OWN_CHECK_INS,
    SavedKind(OWN_READER, _saved(instructor_check_in.record_all), lambda *_pair: (_("Own check-in"), None)),
)
saved_events.register(
    HEADCOUNTS, SavedKind(HEADCOUNT_READER, _saved(headcount.record_all), lambda *_pair: (_("Headcount"), None))
)


_MOMENT = {"type": "string", "format": "date-time"}
_MOMENT_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
_SENT = {
    "id": {"type": "string", "format": "uuid", "description": "Made once by the device, sent with each retry"},
    "session": {"type": "integer"},
    "told_at": _MOMENT | {"description": "The device's own clock"},
    "offset_ms": {"type": ["integer", "null"], "description": "How much that clock is behind the server's"},
}
_ANSWERED = {
    "id": {"type": ["string", "null"]},
    "outcome": {"type": "string", "enum": [str(outcome) for outcome in Outcome]},
    "text": {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}},
}


def _code(*codes: str) -> dict[str, str]:
    return {"type": "string", "description": ", ".join((*codes, "event_conflict", "not_found", "bad_event"))}


SCHEMAS: dict[str, Any] = {
    "OwnCheckIn": {
        "type": "object",
        "required": ["id", "session", "kind", "told_at"],
        "properties": {
            **_SENT,
            "kind": {
                "type": "string",
                "enum": ["arrive", "leave", "attended"],
                "description": "`attended`: said after the end of having been there from the start to the end.",
            },
        },
    },
    "OwnCheckInAnswer": {
        "type": "object",
        "required": ["id", "outcome", "code", "text", "arrived_at", "left_at"],
        "properties": {
            **_ANSWERED,
            "code": _code(
                "arrived", "left", "not_present", "not_teaching", "not_running", "session_closed", "too_early", "over",
                "not_over",
            ),
            "arrived_at": _MOMENT_OR_NULL,
            "left_at": _MOMENT_OR_NULL,
        },
    },
    "Headcount": {
        "type": "object",
        "required": ["id", "session", "number", "told_at"],
        "properties": {**_SENT, "number": {"type": "integer", "minimum": 0, "maximum": HEADCOUNT_LIMIT}},
    },
    "HeadcountAnswer": {
        "type": "object",
        "required": ["id", "outcome", "code", "text", "number"],
        "properties": {
            **_ANSWERED,
            "code": _code("entered", "superseded", "not_running", "session_closed", "too_early", "bad_number"),
            "number": {"type": ["integer", "null"], "description": "The headcount that holds now"},
        },
    },
}  # fmt: skip


def _path(operation: str, summary: str, description: str, schema: str) -> dict[str, Any]:
    events = {
        "type": "array", "minItems": 1, "maxItems": BATCH_LIMIT, "items": {"$ref": f"#/components/schemas/{schema}"},
    }  # fmt: skip
    answers = {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}Answer"}}
    sent = {"type": "object", "required": ["events"], "properties": {"sent_at": _MOMENT, "events": events}}
    answered = {
        "type": "object",
        "required": ["received_at", "answers"],
        "properties": {"received_at": _MOMENT, "answers": answers},
    }
    return {
        "post": {
            "operationId": operation,
            "summary": summary,
            "description": description,
            "requestBody": {"required": True, "content": {"application/json": {"schema": sent}}},
            "responses": {
                "200": {
                    "description": "An answer for each, in the same order",
                    "content": {"application/json": {"schema": answered}},
                },
                **openapi.refusals(401, 409, 413, 422, 429),
            },
        }
    }


PATHS: dict[str, Any] = {
    OWN_CHECK_INS: _path(
        "sendOwnCheckIns",
        "Send when the device's user, who teaches, came to sessions and left them",
        "With a device's token. The time is credited from the moment of each event, in whatever order they arrive.",
        "OwnCheckIn",
    ),
    HEADCOUNTS: _path(
        "sendHeadcounts",
        "Send the number of people at sessions who are not on the roster",
        "With a device's token. Of one session the last headcount by its moment counts, in whatever order they arrive.",
        "Headcount",
    ),
}


def _describe(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.record_once(_describe)
