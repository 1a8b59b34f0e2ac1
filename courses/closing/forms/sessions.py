"""Forms of a session: headcount, confirmation of closing, correction."""

from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from courses.closing.headcount import HEADCOUNT_LIMIT
from courses.closing.spot_check import HeadCount
from courses.models.closing_requests import ClosingRequest
from courses.offerings.forms.offerings import HoursForm
from courses.outcomes import REASON_LIMIT
from lms.core.forms import Form, strip


class HeadcountForm(Form):
    """The number of people who are present and not on the roster."""

    number = IntegerField(
        _("People present who are not on the roster"),
        validators=[
            InputRequired(_("Enter a number from 0 to 100000.")),
            NumberRange(0, HEADCOUNT_LIMIT, _("Enter a number from 0 to 100000.")),
        ],
        render_kw={"inputmode": "numeric", "min": 0, "max": HEADCOUNT_LIMIT},
    )


class CloseForm(HoursForm):
    """The confirmation of closing. `seen` is `ClosingOutlook.seen` of the page that is confirmed, `request` the id of a device's
    request that it confirms.

    The template shows the two fields of the heads only where trainees checked themselves in, `before_end` and `end_now` only
    before the planned end, and the decision about the hours only where one is needed.
    """

    seen = HiddenField()
    request = HiddenField()
    before_end = BooleanField(_("Close it all the same: minutes count to the planned end"))
    heads = IntegerField(
        _("People in the room"),
        validators=[Optional(), NumberRange(0, HEADCOUNT_LIMIT, _("Enter a number from 0 to 100000."))],
        render_kw={
            "inputmode": "numeric",
            "min": 0,
            "max": HEADCOUNT_LIMIT,
            "autocomplete": "off",
        },
    )
    heads_reason = StringField(
        _("Reason, if the number differs from the list"), filters=[strip], validators=[Length(max=REASON_LIMIT)]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # `required` is for the browser alone: the server must accept a form on which the field was not shown.
        self.heads.flags.required = True

    def head_count(self) -> HeadCount:
        """Return the heads as `courses.closing.closing.close` takes them."""
        return HeadCount(self.heads.data, self.heads_reason.data)

    def request_id(self) -> UUID | None:
        """Return the id of the request that is confirmed; None where there is none, or the text is no id."""
        try:
            return UUID(self.request.data) if self.request.data else None
        except ValueError:
            return None

    def show_request(self, row: ClosingRequest) -> None:
        """Show what was entered on the device that asked to close."""
        self.request.data = str(row.id)
        self.before_end.data = row.before_end
        self.heads.data, self.heads_reason.data = row.heads, row.heads_reason
        if row.hours is not None:
            self.hours_choice.data, self.hours_reason.data = row.hours, row.hours_reason


class CorrectionForm(Form):
    """The correct headcount and the reason. The template adds a check box `present` for each trainee."""

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
        validators=[InputRequired(_("Enter a reason for later reference.")), Length(max=REASON_LIMIT)],
    )
