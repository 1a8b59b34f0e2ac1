"""Forms of self check-in: by name and last digits of the phone, by name alone, and by a trainee that the browser knows."""

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, InputRequired, Length, Regexp

from courses.enrolment.trainees import NAME_LIMIT
from lms.core.forms import Form, PersonNameField, strip


class NameForm(Form):
    """The name of a person whom the browser does not know."""

    name = PersonNameField(
        _("Name"),
        validators=[DataRequired(_("Enter the name.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "name"},
        printed=False,
    )


class IdentityForm(NameForm):
    """The name, and the last 4 digits of the phone."""

    tail = StringField(
        _("Last 4 digits of the mobile phone"),
        filters=[strip],
        validators=[
            InputRequired(_("Enter the last 4 digits.")),
            Regexp(r"^[0-9]{4}$", message=_("Enter 4 digits.")),
        ],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": 4, "pattern": "[0-9]{4}"},
    )


class KnownForm(Form):
    """A trainee whom the browser knows; the button sends the enrolment's id."""
