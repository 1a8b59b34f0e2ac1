"""The JSON interface by which paired devices send skill results, up to 100 at once; each is answered."""

from typing import Any

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from courses import saved_events
from courses.assessment import skill_results
from courses.assessment.skill_results import SkillAnswer, SkillInput
from courses.assessment.views import examiner_api
from courses.assessment.views.examiner_api import A_MINUTE, BAD_EVENT, INTEGER_OR_NULL
from courses.device_events import EventBody, EventReader, RowId
from lms.accounts.bearer import device
from lms.core import openapi

blueprint = Blueprint("skill_results", __name__)


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
    return examiner_api.record(SKILL_RESULTS, skill_results.record_all, _facts)


def _facts(answer: SkillAnswer | None) -> dict[str, Any]:
    if answer is None:
        return dict.fromkeys(("enrolment", "skill", "passed", "by"))
    return {
        "enrolment": answer.enrolment_id,
        "skill": answer.skill_id,
        "passed": answer.passed,
        "by": answer.params.get("by"),
    }


saved_events.register("/api/v1/skill-results", examiner_api.saved(SKILL_RESULTS, skill_results.record_all))

SCHEMAS: dict[str, Any] = {
    "SkillEvent": examiner_api.event_schema(
        skill={"type": "integer"},
        passed={"type": ["boolean", "null"], "description": "null takes an earlier result back"},
    ),
    "SkillAnswer": examiner_api.answer_schema(
        "recorded, superseded",
        skill=INTEGER_OR_NULL,
        passed={"type": ["boolean", "null"], "description": "What holds now"},
        by={"type": ["string", "null"], "description": "Whose later result counts"},
    ),
}
PATHS: dict[str, Any] = {
    "/api/v1/skill-results": examiner_api.path(
        "sendSkillResults",
        "Send what an examiner entered in the skills checklist, up to 100 results at once",
        "With a device's token. Of one skill of one trainee the last result by its moment counts, in whatever order they arrive.",
        "SkillEvent",
        "SkillAnswer",
    )
}


def _describe(_state: BlueprintSetupState) -> None:
    openapi.describe(paths=PATHS, schemas=SCHEMAS)


blueprint.record_once(_describe)
