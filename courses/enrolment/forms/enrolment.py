"""Forms of enrolment: by oneself, at the desk, cancelling, and sending a spreadsheet."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import BooleanField, HiddenField, IntegerField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from courses.enrolment.forms.trainees import REASON_LIMIT, PersonForm, TraineeForm
from courses.enrolment.trainees import TraineeFacts
from lms.core.forms import Form, PhoneField, strip


class SelfEnrolmentForm(PersonForm):
    """What a visitor gives. Name and phone are enough; for a child under 14 also the year of birth and a guardian."""

    phone = PhoneField(_("Mobile phone"), validators=[DataRequired(_("Give a mobile phone number."))])
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
