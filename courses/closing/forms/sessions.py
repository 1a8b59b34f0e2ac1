"""Forms of a session: headcount, closing, correction."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from courses.attendance.recording import REASON_LIMIT
from courses.closing import spot_check
from courses.closing.closing import HEADCOUNT_LIMIT
from courses.closing.spot_check import Heads
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
    """The one confirmation. `seen` says what was shown; the heads are asked for where people checked themselves in."""

    seen = HiddenField()
    heads = IntegerField(
        _("Heads in the room"),
        validators=[Optional(), NumberRange(0, spot_check.LARGEST, _("Enter a number from 0 to 100000."))],
        render_kw={
            "inputmode": "numeric",
            "min": 0,
            "max": spot_check.LARGEST,
            "autocomplete": "off",
        },
    )
    heads_reason = StringField(
        _("If the number differs from the list: why"), filters=[strip], validators=[Length(max=REASON_LIMIT)]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heads.flags.required = True  # where it is shown; where it is not, nothing is sent and nothing is missing

    def counted(self) -> Heads:
        """The heads as the rule takes them."""
        return Heads(self.heads.data, self.heads_reason.data)


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
