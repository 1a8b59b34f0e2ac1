"""The form by which staff write to a class."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.validators import DataRequired, Length

from courses.models.offerings import CourseSession
from courses.offerings.class_messages import LONGEST
from lms.core.forms import Form, choices, strip
from lms.core.languages import moment


class ClassMessageForm(Form):
    """A message to a class. `confirmed` is "yes" once its sender has seen who gets it. begun: the sessions that have begun."""

    to = SelectField(_("Meant for"))
    text = TextAreaField(
        _("Message"),
        filters=[strip],
        validators=[
            DataRequired(_("Write the message, up to 1,000 characters.")),
            Length(max=LONGEST, message=_("Write the message, up to 1,000 characters.")),
        ],
        render_kw={"rows": 6, "maxlength": LONGEST},
    )
    confirmed = HiddenField()

    def __init__(self, *, begun: Sequence[CourseSession], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        told = [(meeting, moment(meeting.starts_at)) for meeting in begun]
        self.to.choices = choices(
            [
                ("enrolled", _("Everybody with a place")),
                ("waiting", _("The waiting list")),
                *((f"present:{meeting.id}", _("Present on %(day)s", day=day)) for meeting, day in told),
                *((f"absent:{meeting.id}", _("Absent on %(day)s", day=day)) for meeting, day in told),
            ]
        )
