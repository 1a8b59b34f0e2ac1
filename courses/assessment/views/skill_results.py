"""The JSON interface by which paired devices send skill results, up to 100 at once; each is answered."""

from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, ValidationError

from courses.assessment import skill_results
from courses.assessment.skill_results import BATCH_LIMIT, SkillAnswer, SkillInput
from courses.outcomes import Outcome
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import scope_of
from lms.core.db import LARGEST_ID
from lms.core.errors import N_, Denied, DomainError
from lms.core.languages import in_both
from lms.core.request_db import db
from lms.core.scope import EXAMINERS

blueprint = Blueprint("skill_results", __name__)

A_MINUTE = 120
BODY_LIMIT = 128 * 1024
BAD_EVENT = N_("This result could not be read. Reload the page and enter it again.")


class SkillEventBody(BaseModel):
    """A result as a device sends it."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    session: int
    enrolment: int
    skill: int
    passed: StrictBool
    told_at: AwareDatetime
    offset_ms: int | None = Field(default=None, ge=-LARGEST_ID, le=LARGEST_ID)

    def as_input(self) -> SkillInput:
        """Return the result for `skill_results.record_all`."""
        return SkillInput(
            self.id, self.session, self.enrolment, self.skill, self.passed, self.told_at, offset_ms=self.offset_ms
        )


@blueprint.post("/api/v1/skill-results")
@device(A_MINUTE)
def record() -> ResponseReturnValue:
    """Record each result once, however often it is sent, and answer each of them in their order."""
    request.max_content_length = BODY_LIMIT
    paired, now = caller(), clock.now()
    grants = [grant for grant in paired.grants if grant.role in EXAMINERS]
    if not grants:
        raise Denied("results_denied", N_("Your roles do not include entering results."))
    bodies = _event_bodies(request.get_json(silent=True))
    inputs = [_read(body) for body in bodies]
    answers = iter(
        skill_results.record_all(
            db(),
            [skill_input for skill_input in inputs if skill_input is not None],
            user_id=paired.user_id,
            device_id=paired.device_id,
            scope=scope_of(paired.user_id, grants),
            now=now,
        )
    )
    answers_json = [
        _answer_json(next(answers)) if skill_input is not None else _rejection_json(body)
        for body, skill_input in zip(bodies, inputs, strict=True)
    ]
    if len(answers_json) == 1 and answers_json[0]["code"] == "event_conflict":
        raise DomainError("event_conflict", skill_results.MESSAGES["event_conflict"], status=409)
    return jsonify(received_at=now.isoformat(), answers=answers_json)


def _event_bodies(body: Any) -> list[Any]:
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list) or not 1 <= len(events) <= BATCH_LIMIT:
        raise DomainError("bad_batch", N_("Send “events”, a list of 1 to 100."), status=422)
    return events


def _read(body: Any) -> SkillInput | None:
    try:
        return SkillEventBody.model_validate(body).as_input()
    except ValidationError:
        return None


def _answer_json(answer: SkillAnswer) -> dict[str, Any]:
    return {
        "id": str(answer.id),
        "outcome": answer.outcome,
        "code": answer.code,
        "text": in_both(answer.message, **answer.params),
        "enrolment": answer.enrolment_id,
        "skill": answer.skill_id,
        "passed": answer.passed,
        "by": answer.params.get("by"),
    }


def _rejection_json(body: Any) -> dict[str, Any]:
    event_id = body.get("id") if isinstance(body, dict) else None
    return {
        "id": event_id if isinstance(event_id, str) else None,
        "outcome": Outcome.REJECTED,
        "code": "bad_event",
        "text": in_both(BAD_EVENT),
        "enrolment": None,
        "skill": None,
        "passed": None,
        "by": None,
    }


_TEXT = {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}}
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "session", "enrolment", "skill", "passed", "told_at"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "Made once by the device, sent with each retry"},
        "session": {"type": "integer"},
        "enrolment": {"type": "integer"},
        "skill": {"type": "integer"},
        "passed": {"type": "boolean"},
        "told_at": {"type": "string", "format": "date-time", "description": "The device's own clock"},
        "offset_ms": {"type": ["integer", "null"], "description": "How much that clock is behind the server's"},
    },
}
_ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "outcome", "code", "text"],
    "properties": {
        "id": {"type": ["string", "null"]},
        "outcome": {"type": "string", "enum": [str(outcome) for outcome in Outcome]},
        "code": {
            "type": "string",
            "description": "recorded, superseded, offering_closed, not_running, not_enrolled, event_conflict, not_found,"
            " bad_event",
        },
        "text": _TEXT,
        "enrolment": {"type": ["integer", "null"]},
        "skill": {"type": ["integer", "null"]},
        "passed": {"type": ["boolean", "null"], "description": "What holds now"},
        "by": {"type": ["string", "null"], "description": "Whose later result counts"},
    },
}
SCHEMAS: dict[str, Any] = {"SkillEvent": _EVENT, "SkillAnswer": _ANSWER}
PATHS: dict[str, Any] = {
    "/api/v1/skill-results": {
        "post": {
            "operationId": "sendSkillResults",
            "summary": "Send what an examiner entered in the skills checklist, up to 100 results at once",
            "description": "With a device's token. Of one skill of one trainee the last result by its moment counts,"
            " in whatever order they arrive.",
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "required": ["events"],
                            "properties": {
                                "sent_at": {"type": "string", "format": "date-time"},
                                "events": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": BATCH_LIMIT,
                                    "items": {"$ref": "#/components/schemas/SkillEvent"},
                                },
                            },
                        }
                    }
                },
            },
            "responses": {
                "200": {
                    "description": "An answer for each, in the same order",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["received_at", "answers"],
                                "properties": {
                                    "received_at": {"type": "string", "format": "date-time"},
                                    "answers": {
                                        "type": "array",
                                        "items": {"$ref": "#/components/schemas/SkillAnswer"},
                                    },
                                },
                            }
                        }
                    },
                },
                **openapi.refusals(401, 403, 409, 413, 422, 429),
            },
        }
    }
}


def _describe(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.record_once(_describe)
