"""The form of the review queue that assigns a check-in to an enrolment."""

from flask_babel import lazy_gettext as _
from wtforms import SelectField
from wtforms.validators import InputRequired

from lms.core.forms import Form


class MergeForm(Form):
    """The choice of the enrolment whose check-in it is; the view fills in the choices."""

    enrolment = SelectField(_("Whose check-in is it?"), validators=[InputRequired()])
