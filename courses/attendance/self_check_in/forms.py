"""Forms of self check-in: who somebody is, and the heads that are counted afterwards."""

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Regexp

from courses.enrolment.trainees import NAME_LIMIT
from lms.core.forms import Form, strip


class NameForm(Form):
    """Somebody whom the browser does not know."""

    name = StringField(
        _("Name"),
        filters=[strip],
        validators=[InputRequired(_("Give the name.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "name"},
    )


class IdentityForm(NameForm):
    """Name and the end of the phone number."""

    tail = StringField(
        _("Last 4 digits of the mobile phone"),
        filters=[strip],
        validators=[
            InputRequired(_("Give the last 4 digits.")),
            Regexp(r"^[0-9]{4}$", message=_("Give 4 digits.")),
        ],
        render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": 4, "pattern": "[0-9]{4}"},
    )


class KnownForm(Form):
    """Somebody whom the browser knows: the button says who."""
