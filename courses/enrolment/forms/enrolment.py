"""Forms for enrolment: by oneself, by staff, cancelling, and lists of people."""

from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileAllowed, FileField
from wtforms import BooleanField, EmailField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import AnyOf, DataRequired, Email, InputRequired, Length, Optional

from courses.enrolment.forms.consents import TextVersionField, relation_field
from courses.enrolment.forms.trainees import REASON_LIMIT, PersonForm, TraineeForm
from courses.enrolment.pasted_list import MAX_CHARACTERS
from courses.enrolment.sheet import HEADINGS
from courses.enrolment.trainees import TraineeFacts
from lms.core.forms import Form, PersonNameField, PhoneField, RowIdField, choices, strip
from lms.core.spreadsheets import CELL_LENGTH

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


class CompanionForm(SelfEnrolmentForm):
    """The facts of a person whom a visitor enrols beside oneself, and whether places may be given to a part of them."""

    may_split = BooleanField(_("If there are not enough places for all of us, places may be given to a part of us."))


class OfferAnswerForm(Form):
    """The answer to the offer of a place."""

    answer = HiddenField(validators=[AnyOf(("accept", "decline"))])


class GroupForm(Form):
    """The choice whether places may be given to a part of the people who wait together."""

    split = HiddenField(validators=[AnyOf(("part", "together"))])


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


def _unless_blank(value: Any) -> Any:
    """A WTForms filter: None for a text of blanks; any other text as it is, because its lines are counted."""
    return value if isinstance(value, str) and value.strip() else None


class SheetUploadForm(Form):
    """A list of people to enrol: a spreadsheet, or a pasted text."""

    file = FileField(
        _("Spreadsheet (XLSX or CSV)"),
        validators=[
            Optional(),
            FileAllowed(["xlsx", "csv"], _("Only XLSX and CSV files can be read. Save the file as one of them.")),
        ],
        render_kw={"accept": ".xlsx,.csv"},
    )
    text = TextAreaField(
        _("Or paste a list"),
        filters=[_unless_blank],
        validators=[Optional(), Length(max=MAX_CHARACTERS, message=_("The text is too long. Paste fewer lines."))],
        render_kw={"rows": 8, "autocomplete": "off", "spellcheck": "false"},
    )

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Demand one of the two."""
        valid: bool = super().validate(*args, **kwargs)
        if valid and bool(self.file.data) == bool(self.text.data):
            both = _("Send a file or a pasted text, not both at once.")
            self.file.errors = [both if self.text.data else _("Choose a file, or paste a list.")]
            return False
        return valid


class SheetChoiceForm(Form):
    """The sheet of a workbook to read; `hidden` is "yes" to read its hidden rows and columns too."""

    sheet = StringField(_("Sheet"), validators=[DataRequired(_("Choose a sheet.")), Length(max=200)])
    hidden = HiddenField()


class SheetRowForm(Form):
    """The texts of a row as they stand in its cells. They are read as those of a file are, so that no field refuses them."""

    name = PersonNameField(_("Name"), validators=[Length(max=CELL_LENGTH)])
    phone = StringField(_("Mobile phone"), validators=[Length(max=CELL_LENGTH)], render_kw={"inputmode": "tel"})
    id_type = StringField(_("ID type"), validators=[Length(max=CELL_LENGTH)])
    id_number = StringField(_("ID number"), validators=[Length(max=CELL_LENGTH)])
    birth_year = StringField(_("Year of birth"), validators=[Length(max=CELL_LENGTH)])
    email = StringField(_("E-mail"), validators=[Length(max=CELL_LENGTH)])
    guardian_name = PersonNameField(_("Guardian's name"), validators=[Length(max=CELL_LENGTH)])
    guardian_phone = StringField(_("Guardian's phone"), validators=[Length(max=CELL_LENGTH)])
    was = HiddenField()

    def cells(self) -> dict[str, str]:
        """The texts by fact."""
        return {fact: self[fact].data or "" for fact in HEADINGS}


class SheetApplyForm(Form):
    """The confirmation of a previewed list. `revision` is that of the list on the page."""

    consent_given = BooleanField(_("The people of this list gave their consent on paper or in person."))
    split = RadioField(
        _("There are not enough free places for all. What should happen?"),
        choices=choices(
            [
                ("part", _("Give places to a part of them, in the order of the rows; the others wait")),
                ("together", _("Keep them together: all wait until there are places for all of them")),
            ]
        ),
        validators=[Optional()],
    )
    revision = HiddenField()

    @property
    def may_split(self) -> bool | None:
        """The choice whether places may be given to a part of the people; None where nothing was chosen."""
        return {"part": True, "together": False}.get(self.split.data or "")
