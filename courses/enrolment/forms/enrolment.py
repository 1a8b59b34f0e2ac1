"""Forms for enrolment: by oneself, by staff, cancelling, and uploading a spreadsheet."""

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileAllowed, FileField, FileRequired
from wtforms import BooleanField, EmailField, HiddenField, StringField
from wtforms.validators import DataRequired, Email, InputRequired, Length, Optional

from courses.enrolment.forms.consents import TextVersionField, relation_field
from courses.enrolment.forms.trainees import REASON_LIMIT, PersonForm, TraineeForm
from courses.enrolment.trainees import TraineeFacts
from lms.core.forms import Form, PhoneField, RowIdField, strip

CONSENT_GIVEN = _("The person gave consent on paper or in person. I have it, or heard it.")


class SelfEnrolmentForm(PersonForm):
    """The facts of a visitor: name and phone, and for a child under 14 also the year of birth and a guardian."""

    names_missing_glyphs = False  # the ticket's page does, and offers the writing

    phone = PhoneField(_("Mobile phone"), validators=[DataRequired(_("Enter a mobile phone number."))])
    consent = BooleanField(
        _(
            "I agree that this information is stored to run this training and to issue its certificate. For a child"
            " under 14, I am the parent or guardian and agree for the child."
        ),
        validators=[DataRequired(_("Without your consent we cannot enrol you."))],
    )
    privacy_version = TextVersionField()
    guardian_relation = relation_field()

    def facts(self) -> TraineeFacts:
        """The facts for `places.enrol_oneself`."""
        return TraineeFacts(
            name=self.name.data,
            phone=self.phone.data,
            email=self.email.data,
            birth_year=self.birth_year.data,
            guardian_name=self.guardian_name.data,
            guardian_phone=self.guardian_phone.data,
        )


class StaffEnrolmentForm(TraineeForm):
    """The facts of a person whom staff enrol. `confirmed` is "yes" once staff have seen the warnings."""

    confirmed = HiddenField()
    consent_given = BooleanField(CONSENT_GIVEN)
    guardian_relation = relation_field()


class RegisteredTraineeForm(Form):
    """The trainee of the register whom staff enrol. `confirmed` is "yes" once staff have seen the warnings."""

    consent_given = BooleanField(CONSENT_GIVEN)

    trainee_id = RowIdField(validators=[InputRequired()])
    confirmed = HiddenField()
    phone = PhoneField(_("Mobile phone for this training"), validators=[Optional()])
    email = EmailField(
        _("E-mail for this training"),
        filters=[strip],
        validators=[Optional(), Email(_("This is not an e-mail address.")), Length(max=254)],
    )

    def given(self, name: str) -> TraineeFacts:
        """The contacts that were given for this enrolment, as facts of the person with this name."""
        return TraineeFacts(name, phone=self.phone.data, email=self.email.data)


class ConflictForm(TraineeForm):
    """An ID number that does not agree with the name, handed to the city with the reason."""

    reason = StringField(
        _("What did you see on the document?"),
        filters=[strip],
        validators=[DataRequired(_("Enter a reason.")), Length(max=REASON_LIMIT)],
    )


class EnrolmentReasonForm(Form):
    """The reason for cancelling an enrolment, or for giving a place out of turn."""

    reason = StringField(
        _("Reason"), filters=[strip], validators=[DataRequired(_("Enter a reason.")), Length(max=REASON_LIMIT)]
    )


class OwnCancellationForm(Form):
    """A trainee's own cancellation. The reason is optional."""

    reason = StringField(_("Reason"), filters=[strip], validators=[Optional(), Length(max=REASON_LIMIT)])


class SheetUploadForm(Form):
    """A spreadsheet of people to enrol."""

    file = FileField(
        _("Spreadsheet (XLSX or CSV)"),
        validators=[
            FileRequired(_("Choose a file.")),
            FileAllowed(["xlsx", "csv"], _("Only XLSX and CSV files can be read. Save the file as one of them.")),
        ],
        render_kw={"accept": ".xlsx,.csv"},
    )


class SheetApplyForm(Form):
    """The confirmation of a previewed spreadsheet."""

    consent_given = BooleanField(_("The people of this list gave their consent on paper or in person."))
