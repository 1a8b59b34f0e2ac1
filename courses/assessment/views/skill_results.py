"""The JSON interface by which paired devices send skill results, up to 100 at once; each is answered."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, jsonify, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user

from courses import saved_events
from courses.assessment import skill_results
from courses.assessment.skill_results import SkillAnswer, SkillInput
from courses.device_events import BATCH_LIMIT, BYTES_LIMIT, EventBody, EventReader, RowId, answer_each, readable
from courses.outcomes import Outcome
from courses.saved_events import SavedKind
from lms.accounts.bearer import caller, device
from lms.core import clock, openapi
from lms.core.access import scope_of
from lms.core.errors import N_, Denied
from lms.core.request_db import db
from lms.core.scope import EXAMINERS

blueprint = Blueprint("skill_results", __name__)

A_MINUTE = 120
BAD_EVENT = N_("This result could not be read. Reload the page and enter it again.")


class SkillEventBody(EventBody):
    """A result as a device sends it."""

    session: RowId
    enrolment: RowId
    skill: RowId
    passed: bool | None

    def event(self, offset_ms: int | None) -> SkillInput:
        """Return the result for `skill_results.record_all`. `offset_ms`: where the device had not measured its own yet."""
        return SkillInput(
            self.id,
            self.session,
            self.enrolment,
            self.skill,
            self.passed,
            self.told_at,
            offset_ms=self.offset_ms if self.offset_ms is not None else offset_ms,
        )


SKILL_RESULTS = EventReader(SkillEventBody, SkillEventBody.event, {"bad_event": BAD_EVENT}, {})


@blueprint.post("/api/v1/skill-results")
@device(A_MINUTE)
def record() -> ResponseReturnValue:
    """Record each result once, however often it is sent, and answer each of them in their order."""
    request.max_content_length = BYTES_LIMIT
    paired, now = caller(), clock.now()
    grants = [grant for grant in paired.grants if grant.role in EXAMINERS]
    if not grants:
        raise Denied("results_denied", N_("Your roles do not include entering results."))
    events = SKILL_RESULTS.read_batch(request.get_data(cache=False), now)
    answers = skill_results.record_all(
        db(),
        readable(events),
        user_id=paired.user_id,
        device_id=paired.device_id,
        scope=scope_of(paired.user_id, grants),
        now=now,
    )
    return jsonify(received_at=now.isoformat(), answers=answer_each(events, answers, _facts))


def _facts(answer: SkillAnswer | None) -> dict[str, Any]:
    if answer is None:
        return dict.fromkeys(("enrolment", "skill", "passed", "by"))
    return {
        "enrolment": answer.enrolment_id,
        "skill": answer.skill_id,
        "passed": answer.passed,
        "by": answer.params.get("by"),
    }


def _record_saved(events: Sequence[SkillInput]) -> Sequence[SkillAnswer]:
    """Record results within the scope of the user's examining roles; without such a role each result is `not_found`."""
    examining = scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in EXAMINERS])
    return skill_results.record_all(
        db(), events, user_id=current_user.id, device_id=None, scope=examining, now=clock.now()
    )


saved_events.register(
    "/api/v1/skill-results",
    SavedKind(SKILL_RESULTS, _record_saved, lambda _event, answer: ("", answer.enrolment_id)),
)


_TEXT = {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}}
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "session", "enrolment", "skill", "passed", "told_at"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "Made once by the device, sent with each retry"},
        "session": {"type": "integer"},
        "enrolment": {"type": "integer"},
        "skill": {"type": "integer"},
        "passed": {"type": ["boolean", "null"], "description": "null takes an earlier result back"},
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
