"""The form of the review list: whose check-in it is."""

from flask_babel import lazy_gettext as _
from wtforms import SelectField
from wtforms.validators import InputRequired

from lms.core.forms import Form


class MergeForm(Form):
    """Whose check-in it is, of those in the training."""

    enrolment = SelectField(_("Whose check-in is it?"), validators=[InputRequired()])
