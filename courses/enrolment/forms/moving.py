"""The form by which staff move a person to another class."""

from flask_babel import lazy_gettext as _
from wtforms.validators import InputRequired

from lms.core.forms import Form, RowIdField


class MoveForm(Form):
    """The class to which a person is moved."""

    offering_id = RowIdField(validators=[InputRequired(_("Choose a class."))])
