"""The reading of requests to close that devices send as JSON: each is read by itself."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, ValidationError

from courses.assessment.entitlement import Shortfall
from courses.attendance.check_ins import EARLIEST, LATEST
from courses.attendance.devices.forms.check_ins import LARGEST_OFFSET
from courses.closing.closing_requests import ClosingInput, Foreseen
from courses.closing.headcount import HEADCOUNT_LIMIT
from courses.closing.spot_check import HeadCount
from courses.offerings.class_hours import HoursDecision
from courses.outcomes import REASON_LIMIT
from lms.core.db import LARGEST_ID

PEOPLE_LIMIT = 5000


def _printable(text: str) -> str:
    """Leave out what PostgreSQL cannot store or a page cannot show."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


RowId = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Number = Annotated[int, Field(ge=0, le=HEADCOUNT_LIMIT)]
Reason = Annotated[str, Field(max_length=REASON_LIMIT), AfterValidator(_printable)]


class ForeseenBody(BaseModel):
    """What the device foresaw."""

    model_config = ConfigDict(extra="ignore")

    last: StrictBool
    present: Number
    certified: Number
    missing: Annotated[dict[RowId, Annotated[list[Shortfall], Field(max_length=len(Shortfall))]], Field(max_length=PEOPLE_LIMIT)]

    def as_input(self) -> Foreseen:
        """Return it as the rule takes it."""
        missing = {enrolment_id: [str(code) for code in codes] for enrolment_id, codes in self.missing.items()}
        return Foreseen(self.last, self.present, self.certified, missing)


class HoursBody(BaseModel):
    """Which hours the certificates print, where the offering plans fewer than its course has."""

    model_config = ConfigDict(extra="ignore")

    choice: Literal["given", "course"]
    reason: Reason | None = None


class ClosingBody(BaseModel):
    """A request as a device sends it."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    session: RowId
    told_at: AwareDatetime = Field(ge=EARLIEST, le=LATEST)
    offset_ms: int | None = Field(default=None, ge=-LARGEST_OFFSET, le=LARGEST_OFFSET)
    heads: Number | None = None
    heads_reason: Reason | None = None
    before_end: StrictBool = False
    hours: HoursBody | None = None
    foreseen: ForeseenBody

    def as_input(self) -> ClosingInput:
        """Return the request for `closing_requests.record_all`."""
        return ClosingInput(
            self.id,
            self.session,
            self.told_at,
            self.foreseen.as_input(),
            self.offset_ms,
            HeadCount(self.heads, self.heads_reason),
            self.before_end,
            self._decision(),
        )

    def _decision(self) -> HoursDecision | None:
        if self.hours is None:
            return None
        return HoursDecision(None if self.hours.choice == "given" else self.hours.reason or "")


def read(body: Any) -> ClosingInput | None:
    """Return the request, or None where it cannot be read."""
    try:
        return ClosingBody.model_validate(body).as_input()
    except ValidationError:
        return None
