"""Forms of a session: headcount, closing, correction."""

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from courses.attendance import REASON_LIMIT
from courses.sessions import HEADCOUNT_LIMIT
from lms.core.forms import Form, strip


class HeadcountForm(Form):
    """People who are there and not on the roster."""

    number = IntegerField(
        _("People present who are not on the roster"),
        validators=[
            InputRequired(_("Enter a number from 0 to 100000.")),
            NumberRange(0, HEADCOUNT_LIMIT, _("Enter a number from 0 to 100000.")),
        ],
        render_kw={"inputmode": "numeric", "min": 0, "max": HEADCOUNT_LIMIT},
    )


class CloseForm(Form):
    """The one confirmation. `seen` says what was shown."""

    seen = HiddenField()


class CorrectionForm(Form):
    """The reason, and the headcount as it should have been. Who was present comes as plain check boxes."""

    headcount = IntegerField(
        _("People present who are not on the roster"),
        validators=[
            InputRequired(_("Enter a number from 0 to 100000.")),
            NumberRange(0, HEADCOUNT_LIMIT, _("Enter a number from 0 to 100000.")),
        ],
        render_kw={"inputmode": "numeric", "min": 0, "max": HEADCOUNT_LIMIT},
    )
    reason = StringField(
        _("Reason for the correction"),
        filters=[strip],
        validators=[InputRequired(_("Say why, so that others understand it later.")), Length(max=REASON_LIMIT)],
    )
