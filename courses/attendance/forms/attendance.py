"""Forms of the roster: one event as a form or as JSON, the search, and a walk-in."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from flask_babel import lazy_gettext as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator
from wtforms import HiddenField, SelectMultipleField
from wtforms.validators import DataRequired, InputRequired, Length

from courses.attendance import scanning
from courses.attendance.check_ins import AttendanceInput
from courses.device_events import EARLIEST, LATEST
from courses.enrolment.trainees import NAME_LIMIT, TraineeFacts
from courses.models.attendance import AttendanceKind, AttendanceMethod
from lms.core.db import LARGEST_ID
from lms.core.errors import N_, DomainError
from lms.core.forms import Form, PersonNameField, PhoneField, QueryForm
from lms.core.sealed_search import SealedSearchField

PAGE_METHODS = (AttendanceMethod.TAP, AttendanceMethod.SCAN, AttendanceMethod.PHOTO)


class EventBody(BaseModel):
    """An event as the roster page sends it: with the enrolment of a tapped name, or with the scanned text as `ticket`.

    A page without scripts sends no id; the event then gets one here.
    """

    model_config = ConfigDict(extra="ignore")

    id: UUID = Field(default_factory=uuid4)
    enrolment: int | None = Field(default=None, ge=1, le=LARGEST_ID)
    ticket: str | None = Field(default=None, max_length=400)
    kind: AttendanceKind = AttendanceKind.ARRIVE
    method: AttendanceMethod = AttendanceMethod.TAP
    happened_at: AwareDatetime | None = Field(default=None, ge=EARLIEST, le=LATEST)
    reason: str | None = Field(default=None, max_length=500)
    choice: str | None = Field(default=None, max_length=500)

    @field_validator("method")
    @classmethod
    def _sent(cls, value: AttendanceMethod) -> AttendanceMethod:
        if value not in PAGE_METHODS:
            raise ValueError("not a way to check in from a page")
        return value

    @field_validator("enrolment", "ticket", "happened_at", "reason", "choice", mode="before")
    @classmethod
    def _filled(cls, value: Any) -> Any:
        return None if value == "" else value

    def scanned(self) -> str | None:
        """Return the ticket in the scanned text; None for a tapped name. Raises DomainError for a code that is no ticket."""
        if self.ticket is None:
            return None
        ticket = scanning.ticket_in(self.ticket)
        if ticket is None:
            raise DomainError(
                "ticket_unknown",
                N_("This ticket was not issued by this system. Search for the person by name instead."),
            )
        return ticket

    def event(self, session_id: int, enrolment_id: int) -> AttendanceInput:
        """Return the event for `recording.record`."""
        told_at: datetime | None = self.happened_at
        return AttendanceInput(
            self.id,
            session_id,
            enrolment_id,
            self.kind,
            self.method,
            told_at=told_at,
            # Only an undo has a reason; the typed text goes before the chosen one.
            reason=(self.reason or self.choice) if self.kind == AttendanceKind.UNDO else None,
        )


def read_event(body: Any) -> EventBody:
    """Validate one event. Raises DomainError (422) where the body is no event or names not exactly one person."""
    try:
        event = EventBody.model_validate(body)
    except ValidationError as error:
        raise _unreadable() from error
    if (event.enrolment is None) == (event.ticket is None):
        raise _unreadable()
    return event


def _unreadable() -> DomainError:
    return DomainError(
        "bad_event", N_("This check-in could not be read. Reload the page and check in again."), status=422
    )


class NewcomerForm(Form):
    """A person who is on no list, by name and mobile phone. The phone finds the person again in the register."""

    name = PersonNameField(
        _("Name"),
        validators=[DataRequired(_("Enter the name.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "off"},
    )
    phone = PhoneField(
        _("Mobile phone"),
        validators=[InputRequired(_("Enter a mobile phone number."))],
        render_kw={"inputmode": "tel", "autocomplete": "off"},
    )

    def facts(self) -> TraineeFacts:
        """Return the facts for `trainees.register`."""
        return TraineeFacts(name=self.name.data, phone=self.phone.data)


class RosterSearchForm(QueryForm):
    """The search in a roster. `show`: the filter of the page on which the search was made (all, missing, present)."""

    q = SealedSearchField(_("Name, initials or last 4 phone digits"))
    show = HiddenField()


class EveryoneForm(Form):
    """Everybody who is missing, each with a checkbox. `batch`: made with the form, so that a form sent twice adds nothing."""

    batch = HiddenField()
    enrolments = SelectMultipleField(coerce=int)

    def event_ids(self) -> dict[int, UUID]:
        """Return an event id for each ticked enrolment, which is the same when the form is sent again."""
        try:
            batch = UUID(self.batch.data or "")
        except ValueError:
            batch = uuid4()
        return {enrolment_id: uuid5(batch, str(enrolment_id)) for enrolment_id in self.enrolments.data or []}


class WalkInForm(NewcomerForm):
    """A walk-in. `event`: an event id made with the form, so that a form sent twice adds one person."""

    event = HiddenField()

    def event_id(self) -> UUID:
        """Return the event's id, or a new one where the page sent no valid id."""
        try:
            return UUID(self.event.data or "")
        except ValueError:
            return uuid4()
