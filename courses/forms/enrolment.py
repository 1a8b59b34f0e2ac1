"""Forms of enrolment: by oneself, at the desk, cancelling, and sending a spreadsheet."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import BooleanField, HiddenField, IntegerField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from courses.forms.trainees import REASON_LIMIT, PersonForm, TraineeForm
from courses.trainees import TraineeFacts
from lms.core.forms import Form, PhoneField, strip


class SelfEnrolmentForm(PersonForm):
    """What a visitor gives: enough to be found and reached, and to know whether a guardian is needed."""

    phone = PhoneField(_("Mobile phone"), validators=[DataRequired(_("Give a mobile phone number."))])
    birth_year = IntegerField(
        _("Year of birth"),
        validators=[
            InputRequired(_("Give the year of birth as four digits, as in 1990.")),
            NumberRange(1900, 2100, _("Give the year of birth as four digits, as in 1990.")),
        ],
        render_kw={"inputmode": "numeric", "autocomplete": "bday-year", "min": 1900, "max": 2100},
    )
    consent = BooleanField(
        _(
            "I agree that these facts are kept to run this training and to issue its certificate; for a child under 14 "
            "I am the parent or guardian and agree for the child."
        ),
        validators=[DataRequired(_("Without your consent we cannot enrol you."))],
    )

    def facts(self) -> TraineeFacts:
        """The facts as the rule takes them."""
        return TraineeFacts(
            name=self.name.data,
            phone=self.phone.data,
            email=self.email.data,
            birth_year=self.birth_year.data,
            guardian_name=self.guardian_name.data,
            guardian_phone=self.guardian_phone.data,
        )


class DeskForm(TraineeForm):
    """Somebody whom staff enrol. `confirmed` is set once the warnings have been seen."""

    confirmed = HiddenField()


class KnownForm(Form):
    """Somebody from the register whom staff enrol."""

    trainee_id = IntegerField(validators=[InputRequired()])
    confirmed = HiddenField()


class ReasonForm(Form):
    """Why an enrolment is cancelled, or a place given out of turn."""

    reason = StringField(
        _("Reason"), filters=[strip], validators=[DataRequired(_("Give a reason.")), Length(max=REASON_LIMIT)]
    )


class CancelOwnForm(Form):
    """A trainee's own cancellation; a reason is welcome and not demanded."""

    reason = StringField(_("Reason"), filters=[strip], validators=[Optional(), Length(max=REASON_LIMIT)])


class UploadForm(Form):
    """A spreadsheet of people to enrol."""

    file = FileField(
        _("Spreadsheet (XLSX or CSV)"),
        validators=[
            FileRequired(_("Choose a file.")),
            FileAllowed(["xlsx", "csv"], _("Only XLSX and CSV files can be read. Save the file as one of them.")),
        ],
        render_kw={"accept": ".xlsx,.csv"},
    )


class ApplyForm(Form):
    """The confirmation of a preview."""
