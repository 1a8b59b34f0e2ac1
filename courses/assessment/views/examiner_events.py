"""The JSON interface by which paired devices send theory marks and starts of retests, up to 100 at once; each is answered."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user
from pydantic import Field

from courses import saved_events
from courses.assessment import retests, theory_marks
from courses.assessment.retests import RetestAnswer, RetestInput
from courses.assessment.theory_marks import TheoryAnswer, TheoryInput
from courses.device_events import BATCH_LIMIT, BYTES_LIMIT, EventBody, EventReader, RowId, answer_each, readable
from courses.outcomes import Outcome
from courses.saved_events import SavedKind
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import scope_of
from lms.core.errors import N_, Denied
from lms.core.request_db import db
from lms.core.scope import EXAMINERS

blueprint = Blueprint("examiner_events", __name__)

A_MINUTE = 120
BAD_EVENT = N_("This result could not be read. Reload the page and enter it again.")
LARGEST_ATTEMPT = 1000


class TheoryBody(EventBody):
    """A theory mark as a device sends it."""

    session: RowId
    enrolment: RowId
    score: int | None = Field(ge=0, le=100)

    def event(self, offset_ms: int | None) -> TheoryInput:
        """Return the mark for `theory_marks.record_all`. `offset_ms`: where the device had not measured its own yet."""
        offset_ms = self.offset_ms if self.offset_ms is not None else offset_ms
        return TheoryInput(self.id, self.session, self.enrolment, self.score, self.told_at, offset_ms)


class RetestBody(EventBody):
    """The start of a retest as a device sends it."""

    session: RowId
    enrolment: RowId
    after: int = Field(ge=1, le=LARGEST_ATTEMPT)

    def event(self, offset_ms: int | None) -> RetestInput:
        """Return the start for `retests.record_all`. `offset_ms`: where the device had not measured its own yet."""
        offset_ms = self.offset_ms if self.offset_ms is not None else offset_ms
        return RetestInput(self.id, self.session, self.enrolment, self.after, self.told_at, offset_ms)


THEORY_MARKS = EventReader(TheoryBody, TheoryBody.event, {"bad_event": BAD_EVENT}, {})
RETESTS = EventReader(RetestBody, RetestBody.event, {"bad_event": BAD_EVENT}, {})


@blueprint.post("/api/v1/theory-marks")
@device(A_MINUTE)
def record_theory() -> ResponseReturnValue:
    """Record each theory mark once, however often it is sent, and answer each of them in their order."""
    return _record(THEORY_MARKS, theory_marks.record_all, _theory_facts)


@blueprint.post("/api/v1/retests")
@device(A_MINUTE)
def start_retests() -> ResponseReturnValue:
    """Start each retest once, however often it is sent, and answer each of them in their order."""
    return _record(RETESTS, retests.record_all, _retest_facts)


def _record(
    reader: EventReader[Any, Any], record_all: Callable[..., Sequence[Any]], facts: Callable[[Any], dict[str, Any]]
) -> ResponseReturnValue:
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


def _theory_facts(answer: TheoryAnswer | None) -> dict[str, Any]:
    if answer is None:
        return dict.fromkeys(("enrolment", "attempt", "score", "by"))
    return {
        "enrolment": answer.enrolment_id,
        "attempt": answer.attempt,
        "score": answer.score,
        "by": answer.params.get("by"),
    }


def _retest_facts(answer: RetestAnswer | None) -> dict[str, Any]:
    if answer is None:
        return dict.fromkeys(("enrolment", "attempt"))
    return {"enrolment": answer.enrolment_id, "attempt": answer.attempt}


def _saved(reader: EventReader[Any, Any], record_all: Callable[..., Sequence[Any]]) -> SavedKind:
    """The kind for files of unsent events: without an examining role each event is `not_found`."""

    def record(events: Sequence[Any]) -> Sequence[Any]:
        examining = scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in EXAMINERS])
        return record_all(db(), events, user_id=current_user.id, device_id=None, scope=examining, now=clock.now())

    return SavedKind(reader, record, lambda _event, answer: ("", answer.enrolment_id))


saved_events.register("/api/v1/theory-marks", _saved(THEORY_MARKS, theory_marks.record_all))
saved_events.register("/api/v1/retests", _saved(RETESTS, retests.record_all))

_TEXT = {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}}
_INTEGER_OR_NULL: dict[str, Any] = {"type": ["integer", "null"]}
_LATE = "offering_closed, not_running, not_enrolled, event_conflict, not_found, bad_event"


def _event_schema(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "session", "enrolment", name, "told_at"],
        "properties": {
            "id": {"type": "string", "format": "uuid", "description": "Made once by the device, sent with each retry"},
            "session": {"type": "integer"},
            "enrolment": {"type": "integer"},
            name: schema,
            "told_at": {"type": "string", "format": "date-time", "description": "The device's own clock"},
            "offset_ms": _INTEGER_OR_NULL | {"description": "How much that clock is behind the server's"},
        },
    }


def _answer_schema(codes: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "outcome", "code", "text"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "outcome": {"type": "string", "enum": [str(outcome) for outcome in Outcome]},
            "code": {"type": "string", "description": f"{codes}, {_LATE}"},
            "text": _TEXT,
            "enrolment": _INTEGER_OR_NULL,
            "attempt": _INTEGER_OR_NULL | {"description": "The attempt to which the event belongs"},
            **properties,
        },
    }


def _path(operation: str, summary: str, description: str, event: str, answer: str) -> dict[str, Any]:
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


SCHEMAS: dict[str, Any] = {
    "TheoryMark": _event_schema(
        "score", {"type": ["integer", "null"], "minimum": 0, "maximum": 100, "description": "null takes it back"}
    ),
    "TheoryAnswer": _answer_schema(
        "recorded, superseded",
        score=_INTEGER_OR_NULL | {"description": "What holds now"},
        by={"type": ["string", "null"], "description": "Whose later score counts"},
    ),
    "Retest": _event_schema(
        "after",
        {
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST_ATTEMPT,
            "description": "The attempt that was the latest for the examiner; the retest is the next one",
        },
    ),
    "RetestAnswer": _answer_schema("recorded, started_before, nothing_to_retest"),
}
PATHS: dict[str, Any] = {
    "/api/v1/theory-marks": _path(
        "sendTheoryMarks",
        "Send theory scores that an examiner entered, up to 100 at once",
        "With a device's token. A score belongs to the attempt that was open when it was entered. Of one attempt the last"
        " score by its moment counts, in whatever order they arrive.",
        "TheoryMark",
        "TheoryAnswer",
    ),
    "/api/v1/retests": _path(
        "startRetests",
        "Start retests, up to 100 at once",
        "With a device's token. Two starts after one attempt start one retest, from the earlier of their moments; what the"
        " same device enters afterwards belongs to it.",
        "Retest",
        "RetestAnswer",
    ),
}


def _describe(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.record_once(_describe)
