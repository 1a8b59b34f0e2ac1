"""What the check-in page sends: one event as a form or as JSON, a walk-in, a photograph."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from courses.attendance import scanning
from courses.attendance.recording import AttendanceInput
from courses.enrolment.trainees import NAME_LIMIT, TraineeFacts
from courses.models.attendance import AttendanceKind, AttendanceMethod
from lms.core.errors import N_, DomainError
from lms.core.forms import Form, PhoneField, Question, strip
from lms.core.sought import SoughtField

SENT = (AttendanceMethod.TAP, AttendanceMethod.SCAN, AttendanceMethod.PHOTO)


class EventBody(BaseModel):
    """One event as sent. Either the enrolment or what was scanned; without an id (a page without scripts) we make one."""

    model_config = ConfigDict(extra="ignore")

    id: UUID = Field(default_factory=uuid4)
    enrolment: int | None = None
    ticket: str | None = Field(default=None, max_length=400)
    kind: AttendanceKind = AttendanceKind.ARRIVE
    method: AttendanceMethod = AttendanceMethod.TAP
    happened_at: AwareDatetime | None = None
    reason: str | None = Field(default=None, max_length=500)
    choice: str | None = Field(default=None, max_length=500)

    @field_validator("method")
    @classmethod
    def _sent(cls, value: AttendanceMethod) -> AttendanceMethod:
        if value not in SENT:
            raise ValueError("not a way to check in from a page")
        return value

    @field_validator("enrolment", "ticket", "happened_at", "reason", "choice", mode="before")
    @classmethod
    def _filled(cls, value: Any) -> Any:
        return None if value == "" else value

    def scanned(self) -> str | None:
        """The ticket in what was scanned; None when a name was tapped. Raises DomainError for a code of another kind."""
        if self.ticket is None:
            return None
        found = scanning.ticket_in(self.ticket)
        if found is None:
            raise DomainError(
                "ticket_unknown", N_("This is not a ticket of ours. Search for the person by name instead.")
            )
        return found

    def event(self, session_id: int, enrolment_id: int) -> AttendanceInput:
        """The event as the rule takes it."""
        told_at: datetime | None = self.happened_at
        return AttendanceInput(
            self.id,
            session_id,
            enrolment_id,
            self.kind,
            self.method,
            told_at=told_at,
            # Only undoing needs one; what is typed counts more than what is ticked.
            reason=(self.reason or self.choice) if self.kind == AttendanceKind.UNDO else None,
        )


def event_of(body: Any) -> EventBody:
    """Read one event. Raises DomainError (422) when it is none."""
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
    """Somebody who is in no list. The name is what was said at the door; the phone is how the person is found again."""

    name = StringField(
        _("Name"),
        filters=[strip],
        validators=[InputRequired(_("Give the name.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "off"},
    )
    phone = PhoneField(
        _("Mobile phone"),
        validators=[InputRequired(_("Give a mobile phone number."))],
        render_kw={"inputmode": "tel", "autocomplete": "off"},
    )

    def facts(self) -> TraineeFacts:
        """The facts as the rule takes them."""
        return TraineeFacts(name=self.name.data, phone=self.phone.data)


class RosterSearchForm(Question):
    """Looking for somebody in a roster. `show`: which of its people, as the page that was searched on."""

    q = SoughtField(_("Name or last 4 digits of the phone"))
    show = HiddenField()


class WalkInForm(NewcomerForm):
    """Somebody who came without a place. `event` is made with the form, so that sending it twice adds nobody twice."""

    event = HiddenField()

    def event_id(self) -> UUID:
        """The event's id, or a new one when the page sent none that can be read."""
        try:
            return UUID(self.event.data or "")
        except ValueError:
            return uuid4()
