"""Forms for offerings: their facts, sessions and instructors, and the filters of the lists."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DecimalField,
    EmailField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, Email, InputRequired, Length, NumberRange, Optional

from courses.enrolment.forms.consents import TextVersionField
from courses.models.offerings import Offering
from courses.models.training_requests import ContactPerson
from courses.offerings import training_requests
from courses.offerings.class_hours import REASON_LIMIT, HoursDecision
from courses.offerings.public_facts import PublicFacts
from courses.offerings.training_requests import RequestedTraining
from lms.core.forms import DayField, Form, PersonNameField, PhoneField, QueryForm, WorkPhoneField, choices, strip
from lms.organisations.forms import SECTORS
from lms.organisations.models import Sector

MAX_CAPACITY = 10_000
MAX_SESSIONS = 60
MAX_ASSISTANTS = 12  # fields that the form offers; a session that has more already shows them all
MOST_ASSISTANTS = 200
# A session whose end is an earlier time of day than its start runs over midnight, unless it would be longer than this.
# For example, 20:00 to 02:00 is a session of six hours, but 09:00 to 08:00 is a mistake.
MAX_OVERNIGHT = timedelta(hours=12)
TIME_FORMATS = ("%H:%M", "%H:%M:%S")
CENT = Decimal("0.01")


@dataclass(frozen=True)
class SessionPeriod:
    """The start and the end of a session, as aware moments."""

    starts_at: datetime
    ends_at: datetime


def session_period(day: date, starts: time, ends: time, zone: ZoneInfo) -> SessionPeriod | None:
    """The period of a session from its day and its times of day in the zone, or None when it would end before it
    starts.
    """
    start = datetime.combine(day, starts, tzinfo=zone)
    end = datetime.combine(day, ends, tzinfo=zone)
    if end <= start:
        end = datetime.combine(day + timedelta(days=1), ends, tzinfo=zone)
        if ends == starts or end - start > MAX_OVERNIGHT:
            return None
    return SessionPeriod(start, end)


class SessionTimeForm(Form):
    """The time of a session: its day, its start and its end."""

    day = DayField(_("Day"), validators=[Optional()])
    starts = TimeField(_("Starts at"), format=list(TIME_FORMATS), validators=[Optional()])
    ends = TimeField(_("Ends at"), format=list(TIME_FORMATS), validators=[Optional()])

    def period(self) -> SessionPeriod:
        """The period of a valid form."""
        zone = current_app.config["SETTINGS"].zone
        period = session_period(self.day.data, self.starts.data, self.ends.data, zone)
        if period is None:
            raise ValueError(self.day.data)
        return period

    def validate(self, extra_validators: Any = None) -> bool:
        """Require all three fields, or none of them in a row that may stay blank."""
        valid = super().validate(extra_validators)
        if not valid or self.is_blank():
            return bool(valid)
        for time_field in (self.day, self.starts, self.ends):
            if time_field.data is None:
                time_field.errors = [*time_field.errors, _("Fill this in.")]
                valid = False
        if valid and not 2000 <= self.day.data.year <= 2100:
            self.day.errors = [_("Check the year.")]
            return False
        zone = current_app.config["SETTINGS"].zone
        if valid and session_period(self.day.data, self.starts.data, self.ends.data, zone) is None:
            self.ends.errors = [_("A session must end after it starts.")]
            return False
        return bool(valid)

    def is_blank(self) -> bool:
        """Tell whether the form has no input and may stay so. A session by itself may not."""
        return False


class SessionRowForm(SessionTimeForm):
    """A session of an offering's form. A new row without input is ignored."""

    class Meta:
        csrf = False

    session_id = HiddenField()
    place = HiddenField(filters=[strip])

    def is_blank(self) -> bool:
        """Tell whether the row is new and has no input."""
        return not self.session_id.data and not any(
            time_field.data or (time_field.raw_data or [""])[0] for time_field in (self.day, self.starts, self.ends)
        )


class TeamMixin:
    """The fields of a session's instructors, each typed as a name or a registration number, with suggestions."""

    lead = StringField(_("Lead instructor"), filters=[strip], validators=[Optional(), Length(max=200)])
    assistants = FieldList(
        StringField(_("Assisting instructor"), filters=[strip], validators=[Optional(), Length(max=200)]),
        label=_("Assisting instructors"),
        min_entries=1,
        max_entries=MOST_ASSISTANTS,
    )
    examiner = StringField(_("Examiner"), filters=[strip], validators=[Optional(), Length(max=200)])


class PublicFactsMixin:
    """The fields of what the public page of an offering says besides time and place."""

    contact_name = StringField(_("Whom to call"), filters=[strip], validators=[Optional(), Length(max=100)])
    contact_phone = WorkPhoneField(_("Phone at work"))
    map_address = StringField(_("Address for the map"), filters=[strip], validators=[Optional(), Length(max=200)])
    directions = TextAreaField(
        _("How to get there"), filters=[strip], validators=[Optional(), Length(max=500)], render_kw={"rows": 2}
    )
    bring = TextAreaField(
        _("What to bring"), filters=[strip], validators=[Optional(), Length(max=500)], render_kw={"rows": 2}
    )
    fee = DecimalField(_("Fee in yuan"), places=None, validators=[Optional(), NumberRange(min=0, max=99_999)])
    fee_note = StringField(_("About the fee"), filters=[strip], validators=[Optional(), Length(max=200)])

    def public_facts(self) -> PublicFacts:
        """The valid input."""
        facts = PublicFacts(**{name: self[name].data for name in PublicFacts.__dataclass_fields__})  # type: ignore[index]
        return facts if facts.fee is None else replace(facts, fee=facts.fee.quantize(CENT))


class OfferingForm(PublicFactsMixin, TeamMixin, Form):
    """An offering with its sessions. Buttons of the form itself add and remove rows, so no script is needed."""

    course_id = SelectField(
        _("Course"), coerce=lambda value: int(value) if value else None, validators=[InputRequired()]
    )
    organisation = StringField(_("Host organisation"), filters=[strip], validators=[DataRequired(), Length(max=300)])
    place = StringField(_("Place"), filters=[strip], validators=[DataRequired(), Length(max=200)])
    capacity = IntegerField(_("Places"), validators=[Optional(), NumberRange(min=1, max=MAX_CAPACITY)])
    by_invitation = BooleanField(_("By invitation: not on the public list, no self-enrolment"))
    sessions = FieldList(FormField(SessionRowForm), min_entries=1, max_entries=MAX_SESSIONS)

    def handle_button(self, submitted: MultiDict[str, str]) -> bool:
        """Add or remove a row if one of the form's own buttons was pressed; return whether one was.

        All other input stays in the form.
        """
        if "add_session" in submitted:
            self._add_session()
        elif "remove_session" in submitted:
            removed = submitted["remove_session"]
            self.sessions.entries = [row for row in self.sessions.entries if row.name != removed]
            if not self.sessions.entries:
                self.sessions.append_entry()
        else:
            return handle_assistant_button(self, submitted)
        return True

    def _add_session(self) -> None:
        """Add a row for the day after the last session, at the same time of day."""
        if len(self.sessions.entries) >= MAX_SESSIONS:
            return
        last = self.sessions.entries[-1].form if self.sessions.entries else None
        self.sessions.append_entry(
            {
                "day": last.day.data + timedelta(days=1) if last and last.day.data else None,
                "starts": last.starts.data if last else None,
                "ends": last.ends.data if last else None,
            }
        )

    def session_rows(self) -> Sequence[SessionRowForm]:
        """The session rows that are not blank."""
        return [entry.form for entry in self.sessions.entries if not entry.form.is_blank()]


class SessionForm(TeamMixin, SessionTimeForm):
    """A session by itself, with a place and a team of its own."""

    place = StringField(_("Place, if different"), filters=[strip], validators=[Optional(), Length(max=200)])


def handle_assistant_button(form: OfferingForm | SessionForm, submitted: MultiDict[str, str]) -> bool:
    """Add a field for another assistant if that button was pressed; return whether it was."""
    if "add_assistant" not in submitted:
        return False
    if len(form.assistants.entries) < MAX_ASSISTANTS:
        form.assistants.append_entry()
    return True


class HoursForm(Form):
    """The decision about an offering that plans fewer hours than its course. The template shows it only where needed."""

    hours_choice = RadioField(
        _("Hours that the certificates state"),
        choices=choices([("given", _("The hours given")), ("course", _("The class hours of the course"))]),
        validators=[Optional()],
    )
    hours_reason = StringField(
        _("Reason, if the certificates state the class hours of the course"),
        filters=[strip],
        validators=[Length(max=REASON_LIMIT)],
    )

    def hours_decision(self) -> HoursDecision | None:
        """Return the decision as the rules take it; None without a choice."""
        if not self.hours_choice.data:
            return None
        return HoursDecision((self.hours_reason.data or "") if self.hours_choice.data == "course" else None)

    def show_decided(self, offering: Offering) -> None:
        """Show the decision that was made when the offering was published."""
        if offering.certificate_hours is not None:
            self.hours_choice.data = "given"
        elif offering.hours_reason is not None:
            self.hours_choice.data, self.hours_reason.data = "course", offering.hours_reason


class OfferingCancelForm(Form):
    """The reason for cancelling an offering."""

    reason = TextAreaField(
        _("Reason"), filters=[strip], validators=[DataRequired(), Length(max=500)], render_kw={"rows": 3}
    )


def _optional_int(value: Any) -> int | None:
    return int(value) if value else None


class OfferingFilterForm(QueryForm):
    """The filters of the staff's list. They are sent by GET, so that a filtered list has an address."""

    shown = SelectField(
        _("State"),
        choices=choices(
            (
                ("current", _("Drafts and published")),
                ("draft", _("Draft")),
                ("published", _("Published")),
                ("closed", _("Closed")),
                ("cancelled", _("Cancelled")),
                ("all", _("All")),
            )
        ),
        default="current",
    )
    programme = SelectField(_("Programme"), default="")
    district = SelectField(_("District"), coerce=_optional_int)
    organisation = StringField(_("Host organisation"), filters=[strip])
    first_day = DayField(_("From day"), validators=[Optional()])
    last_day = DayField(_("To day"), validators=[Optional()])
    search = StringField(_("Search"), filters=[strip])


class PublicOfferingFilterForm(QueryForm):
    """The filters of the public list."""

    programme = SelectField(_("Programme"), default="")
    district = SelectField(_("District"), coerce=_optional_int)
    first_day = DayField(_("From day"), validators=[Optional()])
    last_day = DayField(_("To day"), validators=[Optional()])


class AskTrainingForm(Form):
    """A training that an organisation asks for, and the person whom the district calls or writes to."""

    organisation_name = StringField(
        _("Your organisation"), filters=[strip], validators=[DataRequired(), Length(max=200)]
    )
    district_id = SelectField(_("District"), coerce=_optional_int, validators=[DataRequired(_("Choose the district."))])
    course_id = SelectField(_("Course"), coerce=_optional_int, validators=[DataRequired(_("Choose a course."))])
    people = IntegerField(
        _("Number of people"), validators=[InputRequired(), NumberRange(min=1, max=training_requests.MAX_PEOPLE)]
    )
    days = StringField(_("Wished days and times"), filters=[strip], validators=[DataRequired(), Length(max=300)])
    place = StringField(_("Place, if you have one"), filters=[strip], validators=[Optional(), Length(max=200)])
    contact_name = PersonNameField(
        _("Contact person"),
        printed=False,
        validators=[DataRequired(), Length(max=100)],
        render_kw={"autocomplete": "name"},
    )
    phone = PhoneField(_("Phone, mobile or landline"))
    email = EmailField(
        _("E-mail"),
        filters=[strip],
        validators=[Optional(), Email(), Length(max=254)],
        render_kw={"autocomplete": "email"},
    )
    remarks = TextAreaField(
        _("Remarks"), filters=[strip], validators=[Optional(), Length(max=500)], render_kw={"rows": 3}
    )
    consent = BooleanField(
        _(
            "I agree that this information is stored to answer this request. It is deleted after the request is settled."
        ),
        validators=[DataRequired(_("Without your consent we cannot take the request."))],
    )
    privacy_version = TextVersionField()

    def training(self) -> RequestedTraining:
        """The valid input."""
        return RequestedTraining(
            organisation_name=self.organisation_name.data,
            district_id=self.district_id.data,
            course_id=self.course_id.data,
            people=self.people.data,
            days=self.days.data,
            place=self.place.data,
            contact=ContactPerson(self.contact_name.data, self.phone.data, self.email.data, self.remarks.data),
        )


class RequestFilterForm(QueryForm):
    """The filter of the list of requested trainings."""

    state = SelectField(
        _("State"),
        choices=choices(
            (("open", _("To decide")), ("accepted", _("Accepted")), ("declined", _("Declined")), ("all", _("All")))
        ),
        default="open",
    )


class RequestAcceptForm(Form):
    """The host of a requested training: an organisation of the register, or a new one with the name that was typed."""

    organisation = StringField(_("Host organisation"), filters=[strip], validators=[Optional(), Length(max=300)])
    new_sector = SelectField(
        _("New organisation: its sector"),
        choices=choices([("", _("Not new")), *((sector.value, label) for sector, label in SECTORS.items())]),
        validators=[Optional()],
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Require one of the two: an organisation of the register, or the sector of a new one."""
        valid = bool(super().validate(extra_validators))
        if valid and not self.organisation.data and not self.new_sector.data:
            self.organisation.errors = [_("Choose the organisation, or the sector of a new one.")]
            return False
        return valid

    def sector(self) -> Sector | None:
        """The sector of a new organisation; None where the host is in the register."""
        return Sector(self.new_sector.data) if self.new_sector.data else None


class RequestDeclineForm(Form):
    """The reason for declining a requested training."""

    reason = TextAreaField(
        _("Reason"), filters=[strip], validators=[DataRequired(), Length(max=500)], render_kw={"rows": 2}
    )
    silent = BooleanField(_("Tell nobody: this is no real request"))
