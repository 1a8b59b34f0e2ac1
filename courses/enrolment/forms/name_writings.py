"""Forms for the writing of a name that no font can print."""

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from courses.enrolment.forms.trainees import REASON_LIMIT
from courses.enrolment.trainees import NAME_LIMIT
from lms.core.forms import Form, PersonNameField, strip


class OwnWritingForm(Form):
    """The writing that the holder chooses."""

    writing = PersonNameField(
        _("Writing on the certificate"),
        validators=[DataRequired(_("Enter the name as the certificate should print it.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "off"},
        printed=False,
    )


class WritingForm(OwnWritingForm):
    """The writing that the holder chose, as staff record it."""

    reason = StringField(
        _("How the holder chose it"),
        filters=[strip],
        validators=[DataRequired(_("Enter a reason.")), Length(max=REASON_LIMIT)],
    )


class WithdrawForm(Form):
    """The reason for undoing a writing."""

    reason = StringField(
        _("Reason"), filters=[strip], validators=[DataRequired(_("Enter a reason.")), Length(max=REASON_LIMIT)]
    )
