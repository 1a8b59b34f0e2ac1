"""The JSON interface by which paired devices send theory marks and starts of retests, up to 100 at once; each is answered."""

from typing import Any

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from pydantic import Field

from courses import saved_events
from courses.assessment import retests, theory_marks
from courses.assessment.retests import RetestAnswer, RetestInput
from courses.assessment.theory_marks import TheoryAnswer, TheoryInput
from courses.assessment.views import examiner_api
from courses.assessment.views.examiner_api import A_MINUTE, BAD_EVENT, INTEGER_OR_NULL
from courses.device_events import EventBody, EventReader, RowId
from lms.accounts.bearer import device
from lms.core import openapi

blueprint = Blueprint("examiner_events", __name__)

LARGEST_ATTEMPT = 1000
ATTEMPT = INTEGER_OR_NULL | {"description": "The attempt to which the event belongs"}


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
    return examiner_api.record(THEORY_MARKS, theory_marks.record_all, _theory_facts)


@blueprint.post("/api/v1/retests")
@device(A_MINUTE)
def start_retests() -> ResponseReturnValue:
    """Start each retest once, however often it is sent, and answer each of them in their order."""
    return examiner_api.record(RETESTS, retests.record_all, _retest_facts)


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


saved_events.register("/api/v1/theory-marks", examiner_api.saved(THEORY_MARKS, theory_marks.record_all))
saved_events.register("/api/v1/retests", examiner_api.saved(RETESTS, retests.record_all))

SCHEMAS: dict[str, Any] = {
    "TheoryMark": examiner_api.event_schema(
        score={"type": ["integer", "null"], "minimum": 0, "maximum": 100, "description": "null takes it back"}
    ),
    "TheoryAnswer": examiner_api.answer_schema(
        "recorded, superseded",
        attempt=ATTEMPT,
        score=INTEGER_OR_NULL | {"description": "What holds now"},
        by={"type": ["string", "null"], "description": "Whose later score counts"},
    ),
    "Retest": examiner_api.event_schema(
        after={
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST_ATTEMPT,
            "description": "The attempt that was the latest for the examiner; the retest is the next one",
        },
    ),
    "RetestAnswer": examiner_api.answer_schema("recorded, started_before, nothing_to_retest", attempt=ATTEMPT),
}
PATHS: dict[str, Any] = {
    "/api/v1/theory-marks": examiner_api.path(
        "sendTheoryMarks",
        "Send theory scores that an examiner entered, up to 100 at once",
        "With a device's token. A score belongs to the attempt that was open when it was entered. Of one attempt the last"
        " score by its moment counts, in whatever order they arrive.",
        "TheoryMark",
        "TheoryAnswer",
    ),
    "/api/v1/retests": examiner_api.path(
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
