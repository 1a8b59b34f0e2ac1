"""Forms of the pages about a person's data, of the privacy text and of retention."""

from flask_babel import lazy_gettext as _
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from courses.enrolment.forms.trainees import REASON_LIMIT, TraineeForm
from courses.enrolment.trainees import TraineeFacts
from courses.models.trainees import IdType
from lms.core.forms import DayField, Form, PhoneField, choices, strip
from lms.core.retention_rules import PeriodUnit


def _reason_field(label: str) -> StringField:
    return StringField(
        label, filters=[strip], validators=[DataRequired(_("Enter a reason.")), Length(max=REASON_LIMIT)]
    )


class ExportForm(Form):
    """The reason for which staff export a person's data."""

    reason = _reason_field(_("Reason for the export"))


class EraseForm(Form):
    """The reason for which a person is erased."""

    reason = _reason_field(_("Reason for the erasure"))


class RefuseErasureForm(Form):
    """The answer to a request for erasure that is refused."""

    answer = _reason_field(_("Answer to the person"))


class CorrectionForm(TraineeForm):
    """A correction of the own record. A field that is left empty stays as it is."""

    reason = _reason_field(_("What is wrong?"))

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.name.validators = [Optional(), Length(max=60)]
        self.name.flags.required = False
        del self.phone, self.email, self.guardian_name, self.guardian_phone

    def facts(self) -> TraineeFacts:
        """The corrected facts; a field that was left empty has no value."""
        return TraineeFacts(
            name=self.name.data or "",
            birth_year=self.birth_year.data,
            id_type=IdType(self.id_type.data) if self.id_number.data else None,
            id_number=self.id_number.data,
        )


class ContactForm(Form):
    """A new contact of the own record."""

    phone = PhoneField(_("New mobile phone"), validators=[Optional()])
    email = StringField(_("New e-mail"), filters=[strip], validators=[Optional(), Length(max=254)])


class PrivacyTextForm(Form):
    """A new version of the privacy text."""

    text_zh = TextAreaField(
        _("Text in Chinese"), validators=[DataRequired(_("Enter the text in both languages."))], render_kw={"rows": 18}
    )
    text_en = TextAreaField(
        _("Text in English"), validators=[DataRequired(_("Enter the text in both languages."))], render_kw={"rows": 18}
    )
    in_force_from = DayField(_("In force from"), validators=[InputRequired(_("Choose a day."))])


class RetentionForm(Form):
    """A new period of retention."""

    amount = IntegerField(_("Keep for"), validators=[InputRequired(_("Enter a number.")), NumberRange(1, 3660)])
    unit = SelectField(_("Unit"), choices=choices([(PeriodUnit.DAYS, _("days")), (PeriodUnit.MONTHS, _("months"))]))
    reason = _reason_field(_("Why is the period changed?"))
