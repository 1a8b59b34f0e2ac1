"""The parts that the JSON interfaces of examiners' devices share: skill results, theory marks and retests."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from courses.device_events import BATCH_LIMIT, BYTES_LIMIT, EventReader, answer_each, readable
from courses.outcomes import Outcome
from courses.saved_events import SavedKind
from lms.accounts.bearer import caller
from lms.core import clock, openapi
from lms.core.access import scope_of
from lms.core.errors import N_, Denied
from lms.core.request_db import db
from lms.core.scope import EXAMINERS

A_MINUTE = 120
BAD_EVENT = N_("This result could not be read. Reload the page and enter it again.")
INTEGER_OR_NULL: dict[str, Any] = {"type": ["integer", "null"]}
_TEXT = {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}}
_LATE = "offering_closed, not_running, not_enrolled, event_conflict, not_found, bad_event"


def record(
    reader: EventReader[Any, Any], record_all: Callable[..., Sequence[Any]], facts: Callable[[Any], dict[str, Any]]
) -> ResponseReturnValue:
    """Record each event of a device once, however often it is sent, and answer each of them in their order."""
    request.max_content_length = BYTES_LIMIT
    paired, now = caller(), clock.now()
    grants = [grant for grant in paired.grants if grant.role in EXAMINERS]
    if not grants:
        raise Denied("results_denied", N_("Your roles do not include entering results."))
    events = reader.read_batch(request.get_data(cache=False), now)
    examining = scope_of(paired.user_id, grants)
    answers = record_all(
        db(), readable(events), user_id=paired.user_id, device_id=paired.device_id, scope=examining, now=now
    )
    return jsonify(received_at=now.isoformat(), answers=answer_each(events, answers, facts))


def saved(reader: EventReader[Any, Any], record_all: Callable[..., Sequence[Any]]) -> SavedKind:
    """The kind for files of unsent events: without an examining role each event is `not_found`."""

    def record_saved(events: Sequence[Any]) -> Sequence[Any]:
        examining = scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in EXAMINERS])
        return record_all(db(), events, user_id=current_user.id, device_id=None, scope=examining, now=clock.now())

    return SavedKind(reader, record_saved, lambda _event, answer: ("", answer.enrolment_id))


def event_schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """Describe an event; `properties` are those that only events of its kind have, all required."""
    return {
        "type": "object",
        "required": ["id", "session", "enrolment", *properties, "told_at"],
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "Made once by the device, sent with each retry"},
            "session": {"type": "integer"},
            "enrolment": {"type": "integer"},
            **properties,
            "told_at": {"type": "string", "format": "date-time", "description": "The device's own clock"},
            "offset_ms": INTEGER_OR_NULL | {"description": "How much that clock is behind the server's"},
        },
    }


def answer_schema(codes: str, **properties: Any) -> dict[str, Any]:
    """Describe an answer with its own codes; `properties` are those that only answers of its kind have."""
    return {
        "type": "object",
        "required": ["id", "outcome", "code", "text"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "outcome": {"type": "string", "enum": [str(outcome) for outcome in Outcome]},
            "code": {"type": "string", "description": f"{codes}, {_LATE}"},
            "text": _TEXT,
            "enrolment": INTEGER_OR_NULL,
            **properties,
        },
    }


def path(operation: str, summary: str, description: str, event: str, answer: str) -> dict[str, Any]:
    """Describe an address that takes a batch of events; `event` and `answer` are names of schemas."""
    events = {"type": "array", "minItems": 1, "maxItems": BATCH_LIMIT}
    sent = {
        "type": "object",
        "required": ["events"],
        "properties": {
            "sent_at": {"type": "string", "format": "date-time"},
            "events": events | {"items": {"$ref": f"#/components/schemas/{event}"}},
        },
    }
    answered = {
        "type": "object",
        "required": ["received_at", "answers"],
        "properties": {
            "received_at": {"type": "string", "format": "date-time"},
            "answers": {"type": "array", "items": {"$ref": f"#/components/schemas/{answer}"}},
        },
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
                **openapi.refusals(401, 403, 409, 413, 422, 429),
            },
        }
    }
