"""Forms of certificates and of their verification."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, IntegerField, SearchField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from lms.core.errors import N_, DomainError
from lms.core.forms import DayField, Form, PersonNameField, QueryForm, strip
from lms.core.headings import position_of
from lms.core.sealed_search import SealedSearchField


class NameForm(QueryForm):
    """The question whether a name is the one on the certificate."""

    name = StringField(_l("Name on the paper"), validators=[DataRequired(), Length(max=100)], filters=[strip])


class FindForm(QueryForm):
    """Verification by number and holder."""

    number = StringField(_l("Certificate number"), validators=[DataRequired(), Length(max=60)], filters=[strip])
    proof = StringField(
        _l("Holder's full name, or the last 6 characters of the ID number"),
        validators=[DataRequired(), Length(max=100)],
        filters=[strip],
    )


class ListForm(QueryForm):
    """Verification of many certificates, pasted or as a file.

    `answer` is the value of the button: the page, or a spreadsheet format.
    """

    certificates = TextAreaField()
    file = FileField()
    sheet = StringField(filters=[strip], validators=[Optional(), Length(max=100)])
    number_column = StringField(filters=[strip], validators=[Optional(), Length(max=3)])
    proof_column = StringField(filters=[strip], validators=[Optional(), Length(max=3)])
    answer = StringField()

    def columns(self) -> tuple[int, int | None] | None:
        """The positions of certificate and proof as a person chose them by letters; None where none was chosen.

        Raises DomainError `column_unknown`.
        """
        letters = self.number_column.data or "", self.proof_column.data or ""
        number, proof = map(position_of, letters)
        if any(letter and position is None for letter, position in zip(letters, (number, proof), strict=True)):
            raise DomainError("column_unknown", N_("Give a column by its letters, such as B."), status=422)
        return None if number is None else (number, proof)


class FilterForm(QueryForm):
    """Filters of the list of certificates; the view sets the choices."""

    number = SearchField(_l("Certificate number"), filters=[strip])
    holder = SealedSearchField(_l("Holder"))
    programme = SelectField(_l("Programme"))
    district = SelectField(_l("District"))
    state = SelectField(_l("State"))
    since = DayField(_l("Issued from"), validators=[Optional()])
    until = DayField(_l("Issued until"), validators=[Optional()])


class LegacyFilterForm(QueryForm):
    """Filters of the list of legacy certificates."""

    number = SearchField(_l("Certificate number"), filters=[strip])
    holder = SealedSearchField(_l("Holder"))


class LegacyHolderForm(Form):
    """The person whose legacy certificate it is, and its type where it has none; the view sets the types."""

    trainee = IntegerField(_l("Person"), validators=[InputRequired(), NumberRange(min=1, max=2**63 - 1)])
    certificate_type = SelectField(_l("Certificate type"), validators=[Optional()])

    def chosen_type(self) -> int | None:
        """Return the number of the chosen type, or None."""
        return int(self.certificate_type.data) if self.certificate_type.data else None


class UnlinkForm(Form):
    """Taking a legacy certificate from a person."""

    reason = TextAreaField(
        _l("Reason"), validators=[DataRequired(), Length(min=2, max=500)], filters=[strip], render_kw={"rows": 3}
    )


class RevokeForm(Form):
    """Revocation of a certificate."""

    reason = TextAreaField(
        _l("Reason"), validators=[DataRequired(), Length(min=2, max=500)], filters=[strip], render_kw={"rows": 3}
    )


class RestoreForm(Form):
    """Undoing of a revocation."""

    reason = TextAreaField(
        _l("Reason for undoing the revocation"),
        validators=[DataRequired(), Length(min=2, max=500)],
        filters=[strip],
        render_kw={"rows": 3},
    )


class ReissueForm(Form):
    """Correction: the texts of the new certificate."""

    holder_name = PersonNameField(_l("Holder's name"), validators=[DataRequired(), Length(max=60)], printed=False)
    as_writing = BooleanField(
        _l("The holder chose this writing, because no font can print the name. The trainee's record keeps the name.")
    )
    hours = StringField(
        _l("Class hours"),
        validators=[DataRequired(), Length(max=6)],
        filters=[strip],
        render_kw={"inputmode": "decimal"},
    )
    instructor = StringField(_l("Lead instructor"), validators=[Optional(), Length(max=60)], filters=[strip])
    instructor_registration = StringField(
        _l("Registration number"), validators=[Optional(), Length(max=60)], filters=[strip]
    )
    reason = TextAreaField(
        _l("Reason"), validators=[DataRequired(), Length(min=2, max=500)], filters=[strip], render_kw={"rows": 3}
    )


class ExpiringForm(QueryForm):
    """Filters of the list by expiry; the view sets the programmes."""

    holder = SealedSearchField(_l("Holder"))
    programme = SelectField(_l("Programme"))
    host = SearchField(_l("Host"), filters=[strip])


class SecondNameForm(Form):
    """The second writing of a holder's name."""

    writing = PersonNameField(
        _l("Name in pinyin or English"),
        validators=[DataRequired(_l("Enter the name in Latin letters.")), Length(max=60)],
        render_kw={"autocomplete": "off", "autocapitalize": "words", "spellcheck": "false", "lang": "en"},
        printed=False,
    )
