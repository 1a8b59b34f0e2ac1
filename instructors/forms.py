"""Forms of instructors."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, EmailField, SearchField, SelectField, StringField
from wtforms.validators import DataRequired, Email, InputRequired, Length, Optional

from instructors.models import Level
from instructors.register import Validity
from lms.accounts.forms import REQUIRED, ReasonForm
from lms.core.forms import DayField, Form, PersonNameField, PhoneField, QueryForm, choices, strip
from lms.organisations.forms import optional_number

LEVELS = {Level.JUNIOR: _("Junior"), Level.INTERMEDIATE: _("Intermediate"), Level.SENIOR: _("Senior")}
VALIDITIES = {
    Validity.VALID: _("Valid today"),
    Validity.EXPIRING: _("Expiring within 90 days"),
    Validity.EXPIRED: _("Expired"),
}


class InstructorForm(Form):
    """An instructor. The view sets the districts that the user may choose."""

    name = PersonNameField(
        _("Name"), validators=[DataRequired(_("Fill this in.")), Length(max=100)], render_kw={"autocomplete": "off"}
    )
    registration_number = StringField(_("Registration number"), validators=[REQUIRED, Length(max=50)], filters=[strip])
    district_id = SelectField(_("Registered with"), coerce=int)
    level = SelectField(_("Level"), choices=choices((level.value, name) for level, name in LEVELS.items()))
    phone = PhoneField(_("Phone"), render_kw={"inputmode": "tel", "autocomplete": "off"})
    email = EmailField(
        _("E-mail address"),
        validators=[Optional(), Email(_("This is not an e-mail address.")), Length(max=254)],
        filters=[strip],
        render_kw={"autocomplete": "off"},
    )


class InstructorChangeForm(InstructorForm):
    """An instructor who is on the register, or was."""

    active = BooleanField(_("On the register"))


class QualificationForm(Form):
    """A qualification: a programme and the first and last day on which the instructor may teach it."""

    programme = SelectField(_("Programme"))
    valid_from = DayField(_("Valid from"), validators=[InputRequired(_("Fill this in."))])
    valid_until = DayField(_("Valid until"), validators=[InputRequired(_("Fill this in."))])


class EndForm(ReasonForm):
    """The early end of a qualification."""

    last_day = DayField(_("Last day"), validators=[InputRequired(_("Fill this in."))])


class InstructorFilterForm(QueryForm):
    """Filters of the register."""

    text = SearchField(_("Name or registration number"), filters=[strip])
    district = SelectField(_("District"), coerce=optional_number, validators=[Optional()])
    programme = SelectField(_("Programme"), validators=[Optional()])
    validity = SelectField(
        _("Validity"),
        choices=choices([("", _("Any validity")), *((validity.value, name) for validity, name in VALIDITIES.items())]),
        validators=[Optional()],
    )
    state = SelectField(
        _("State"),
        choices=choices((("active", _("On the register")), ("left", _("Left the register")))),
        default="active",
    )
