"""The reading of requests to close, as devices send them or save them in a file."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from courses.assessment.entitlement import Shortfall
from courses.closing.closing_requests import ClosingInput, Foreseen
from courses.closing.headcount import HEADCOUNT_LIMIT
from courses.closing.spot_check import HeadCount
from courses.device_events import EventBody, EventReader, RowId
from courses.offerings.class_hours import HoursDecision
from courses.outcomes import REASON_LIMIT
from lms.core.errors import N_

PEOPLE_LIMIT = 5000
BAD_EVENT = N_("This request could not be read. Reload the page and ask again.")


def _printable(text: str) -> str:
    """Leave out what PostgreSQL cannot store or a page cannot show."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


Number = Annotated[int, Field(ge=0, le=HEADCOUNT_LIMIT)]
Reason = Annotated[str, Field(max_length=REASON_LIMIT), AfterValidator(_printable)]
Codes = Annotated[list[Shortfall], Field(max_length=len(Shortfall))]


class ForeseenBody(BaseModel):
    """The foresight of the device."""

    model_config = ConfigDict(extra="ignore", strict=True)

    last: bool
    present: Number
    certified: Number
    missing: Annotated[dict[RowId, Codes], Field(max_length=PEOPLE_LIMIT)]

    def foreseen(self) -> Foreseen:
        """Return it as the rule takes it."""
        missing = {enrolment_id: [str(code) for code in codes] for enrolment_id, codes in self.missing.items()}
        return Foreseen(self.last, self.present, self.certified, missing)


class HoursBody(BaseModel):
    """Which hours the certificates print, where the offering plans fewer than its course has."""

    model_config = ConfigDict(extra="ignore", strict=True)

    choice: Literal["given", "course"]
    reason: Reason | None = None

    def decision(self) -> HoursDecision:
        """Return the decision as the rules take it."""
        return HoursDecision(None if self.choice == "given" else self.reason or "")


class ClosingBody(EventBody):
    """A request as a device sends it."""

    session: RowId
    heads: Number | None = None
    heads_reason: Reason | None = None
    before_end: bool = False
    hours: HoursBody | None = None
    foreseen: ForeseenBody

    def event(self, offset_ms: int | None) -> ClosingInput:
        """Return the request for `closing_requests.record_all`. `offset_ms`: where the device had not measured its own."""
        return ClosingInput(
            self.id,
            self.session,
            self.told_at,
            self.foreseen.foreseen(),
            self.offset_ms if self.offset_ms is not None else offset_ms,
            HeadCount(self.heads, self.heads_reason),
            self.before_end,
            self.hours.decision() if self.hours is not None else None,
        )


CLOSINGS = EventReader(ClosingBody, ClosingBody.event, {"bad_event": BAD_EVENT}, {})
