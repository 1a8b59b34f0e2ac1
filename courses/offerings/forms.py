"""Forms of offerings: their facts, their sessions, their instructors, the list's filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    DateField,
    FieldList,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from lms.core.forms import Form, Question, choices, strip

CAPACITY = 10_000
SESSIONS = 60
ASSISTANTS = 12
# A session that ends earlier in the day than it began goes on past midnight, unless it would be longer than this.
NIGHT = timedelta(hours=12)
TIMES = ("%H:%M", "%H:%M:%S")


@dataclass(frozen=True)
class Period:
    """When a session begins and ends; aware moments."""

    starts_at: datetime
    ends_at: datetime


def period(day: date, starts: time, ends: time, zone: ZoneInfo) -> Period | None:
    """The moments of a session as the branch's clock shows them, or None when it would end before it starts."""
    start = datetime.combine(day, starts, tzinfo=zone)
    end = datetime.combine(day, ends, tzinfo=zone)
    if end <= start:
        end = datetime.combine(day + timedelta(days=1), ends, tzinfo=zone)
        if ends == starts or end - start > NIGHT:
            return None
    return Period(start, end)


class WhenForm(Form):
    """A day, a beginning and an end."""

    day = DateField(_("Day"), validators=[Optional()])
    starts = TimeField(_("Starts at"), format=list(TIMES), validators=[Optional()])
    ends = TimeField(_("Ends at"), format=list(TIMES), validators=[Optional()])

    def period(self) -> Period:
        """The moments, once valid."""
        found = period(self.day.data, self.starts.data, self.ends.data, current_app.config["SETTINGS"].zone)
        if found is None:
            raise ValueError(self.day.data)
        return found

    def validate(self, extra_validators: Any = None) -> bool:
        """All three or, in a row that may stay empty, none."""
        valid = super().validate(extra_validators)
        if not valid or self.is_blank():
            return bool(valid)
        for each in (self.day, self.starts, self.ends):
            if each.data is None:
                each.errors = [*each.errors, _("Fill this in.")]
                valid = False
        if valid and not 2000 <= self.day.data.year <= 2100:
            self.day.errors = [_("Check the year.")]
            return False
        zone = current_app.config["SETTINGS"].zone
        if valid and period(self.day.data, self.starts.data, self.ends.data, zone) is None:
            self.ends.errors = [_("A session must end after it starts.")]
            return False
        return bool(valid)

    def is_blank(self) -> bool:
        """Whether nothing was typed."""
        return False


class SessionRow(WhenForm):
    """One session among others; an empty row does not count."""

    class Meta:
        csrf = False

    session_id = HiddenField()
    place = HiddenField(filters=[strip])

    def is_blank(self) -> bool:
        """Whether the row is new and nothing was typed."""
        return not self.session_id.data and not any(
            each.data or (each.raw_data or [""])[0] for each in (self.day, self.starts, self.ends)
        )


class TeamMixin:
    """Lead and assistants, written as name or registration number, with suggestions."""

    lead = StringField(_("Lead instructor"), filters=[strip], validators=[Optional(), Length(max=200)])
    assistants = FieldList(
        StringField(_("Assisting instructor"), filters=[strip], validators=[Optional(), Length(max=200)]),
        label=_("Assisting instructors"),
        min_entries=1,
        max_entries=ASSISTANTS,
    )
    examiner = StringField(_("Examiner"), filters=[strip], validators=[Optional(), Length(max=200)])


class OfferingForm(TeamMixin, Form):
    """An offering with its sessions. Rows are added and removed by buttons of the form itself, so no script is needed."""

    course_id = SelectField(
        _("Course"), coerce=lambda value: int(value) if value else None, validators=[InputRequired()]
    )
    organisation = StringField(_("Host organisation"), filters=[strip], validators=[DataRequired(), Length(max=300)])
    place = StringField(_("Place"), filters=[strip], validators=[DataRequired(), Length(max=200)])
    capacity = IntegerField(_("Places"), validators=[Optional(), NumberRange(min=1, max=CAPACITY)])
    by_invitation = BooleanField(_("By invitation: not on the public list, nobody enrols by themselves"))
    sessions = FieldList(FormField(SessionRow), min_entries=1, max_entries=SESSIONS)

    def press(self, pressed: MultiDict[str, str]) -> bool:
        """Do what a button inside the form asks for; whether one was pressed. Nothing typed is lost."""
        if "add_session" in pressed:
            self._add_session()
        elif "remove_session" in pressed:
            self.sessions.entries = [row for row in self.sessions.entries if row.name != pressed["remove_session"]]
            if not self.sessions.entries:
                self.sessions.append_entry()
        else:
            return press_assistants(self, pressed)
        return True

    def _add_session(self) -> None:
        if len(self.sessions.entries) >= SESSIONS:
            return
        last = self.sessions.entries[-1].form if self.sessions.entries else None
        self.sessions.append_entry(
            {
                "day": last.day.data + timedelta(days=1) if last and last.day.data else None,
                "starts": last.starts.data if last else None,
                "ends": last.ends.data if last else None,
            }
        )

    def rows(self) -> Sequence[SessionRow]:
        """The session rows in which something was typed."""
        return [entry.form for entry in self.sessions.entries if not entry.form.is_blank()]


class SessionForm(TeamMixin, WhenForm):
    """One session by itself, with a place and a team of its own."""

    place = StringField(_("Place, if different"), filters=[strip], validators=[Optional(), Length(max=200)])


def press_assistants(form: OfferingForm | SessionForm, pressed: MultiDict[str, str]) -> bool:
    """Add a line for another assistant, if that button was pressed."""
    if "add_assistant" not in pressed:
        return False
    if len(form.assistants.entries) < ASSISTANTS:
        form.assistants.append_entry()
    return True


class CancelForm(Form):
    """Why an offering does not take place."""

    reason = TextAreaField(
        _("Reason"), filters=[strip], validators=[DataRequired(), Length(max=500)], render_kw={"rows": 3}
    )


def _number(value: Any) -> int | None:
    return int(value) if value else None


class FilterForm(Question):
    """The list's filters; sent by GET, so that a list has an address."""

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
    district = SelectField(_("District"), coerce=_number)
    organisation = StringField(_("Host organisation"), filters=[strip])
    first_day = DateField(_("From day"), validators=[Optional()])
    last_day = DateField(_("To day"), validators=[Optional()])
    search = StringField(_("Search"), filters=[strip])


class PublicFilterForm(Question):
    """The public list's filters."""

    programme = SelectField(_("Programme"), default="")
    district = SelectField(_("District"), coerce=_number)
    first_day = DateField(_("From day"), validators=[Optional()])
    last_day = DateField(_("To day"), validators=[Optional()])
