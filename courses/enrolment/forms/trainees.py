"""Forms for trainees: the facts of a person, the search, and the reason for reading an ID number or a phone."""

from datetime import date

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, EmailField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, Email, InputRequired, Length, NumberRange, Optional

from courses.enrolment.disclosures import Reading, ReadReason
from courses.enrolment.labels import ID_TYPES, READ_REASONS
from courses.enrolment.trainees import NAME_LIMIT, TraineeFacts
from courses.models.trainees import IdType, Trainee
from lms.core.contacts import ContactKind
from lms.core.forms import DayField, Form, PersonNameField, PhoneField, QueryForm, choices, strip
from lms.core.sealed_search import SealedSearchField

REASON_LIMIT = 500
SEARCH_LABEL = _("Name, phone or ID number")


class PersonForm(Form):
    """The facts that every form about a person has."""

    name = PersonNameField(
        _("Name"),
        validators=[DataRequired(_("Enter the name.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "name"},
    )
    phone = PhoneField(_("Mobile phone"), validators=[Optional()])
    email = EmailField(
        _("E-mail"),
        filters=[strip],
        validators=[Optional(), Email(_("This is not an e-mail address.")), Length(max=254)],
        render_kw={"autocomplete": "email"},
    )
    birth_year = IntegerField(
        _("Year of birth"),
        validators=[Optional(), NumberRange(1900, 2100, _("Enter the year of birth as four digits, such as 1990."))],
        render_kw={"inputmode": "numeric", "autocomplete": "bday-year", "min": 1900, "max": 2100},
    )
    guardian_name = PersonNameField(
        _("Guardian's name"), validators=[Optional(), Length(max=NAME_LIMIT)], printed=False
    )
    guardian_phone = PhoneField(_("Guardian's phone"), validators=[Optional()], render_kw={"inputmode": "tel"})


class TraineeForm(PersonForm):
    """The facts of a trainee as staff enter them: also the ID number."""

    id_type = SelectField(_("ID type"), choices=choices(ID_TYPES.items()), validators=[Optional()])
    id_number = StringField(
        _("ID number"),
        filters=[strip],
        validators=[Optional(), Length(max=40)],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )

    def facts(self) -> TraineeFacts:
        """The facts for `trainees.validate`."""
        return TraineeFacts(
            name=self.name.data,
            phone=self.phone.data,
            email=self.email.data,
            birth_year=self.birth_year.data,
            id_type=IdType(self.id_type.data) if self.id_number.data else None,
            id_number=self.id_number.data,
            guardian_name=self.guardian_name.data,
            guardian_phone=self.guardian_phone.data,
        )


class TraineeEditForm(TraineeForm):
    """Corrections of a record. A fact that is shown masked stays when its field is left empty."""

    reason = StringField(_("Reason for the change"), filters=[strip], validators=[Optional(), Length(max=REASON_LIMIT)])

    @classmethod
    def of(cls, trainee: Trainee, *, may_change: bool) -> "TraineeEditForm":
        """The form with the facts of a record that may be shown: to whoever may only propose a change, the name alone."""
        if not may_change:
            return cls(data={"name": trainee.name, "id_type": IdType.RESIDENT})
        return cls(
            data={
                "name": trainee.name,
                "birth_year": trainee.birth_year,
                "guardian_name": trainee.guardian_name,
                "id_type": trainee.id_type or IdType.RESIDENT,
            }
        )


class TraineeSearchForm(Form):
    """Searches the register for a trainee to enrol: a part of a name, a whole phone or a whole ID number."""

    words = StringField(
        SEARCH_LABEL,
        filters=[strip],
        validators=[Optional(), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "off"},
    )


class TraineeFilterForm(QueryForm):
    """Filters the register's list: a part of a name, a whole phone or a whole ID number."""

    words = SealedSearchField(SEARCH_LABEL, render_kw={"autocomplete": "off"})


class DayForm(QueryForm):
    """The day of a list; today when it is empty."""

    day = DayField(_("Day"), validators=[Optional()])


class ReasonToReadForm(Form):
    """The reason for reading an ID number or a phone in clear: a choice, and a sentence for another reason."""

    reason = SelectField(
        _("Why do you need it?"),
        choices=choices([("", _("Choose…")), *READ_REASONS.items()]),
        validators=[InputRequired(_("Choose the reason. It is recorded with your name."))],
    )
    sentence = StringField(
        _("In a few words, for another reason"), filters=[strip], validators=[Optional(), Length(max=REASON_LIMIT)]
    )

    def reading(self, today: date, limit: int) -> Reading:
        """The request to read. today: the day in the branch's calendar; limit: the reads that a day allows."""
        return Reading(ReadReason(self.reason.data), self.sentence.data or "", today, limit)


class DeskProofForm(Form):
    """The contacts that staff saw the person confirm, and the document that the person showed."""

    phone = BooleanField(_("Mobile phone"))
    email = BooleanField(_("E-mail"))
    document = SelectField(_("Document that the person showed"), choices=choices(ID_TYPES.items()))
    seen = BooleanField(
        _("I saw the person and this document, and the person confirmed the contact."),
        validators=[InputRequired(_("Only a person whom you saw with a document can be proven here."))],
    )

    def kinds(self) -> list[ContactKind]:
        """The chosen contacts."""
        fields = ((ContactKind.PHONE, self.phone), (ContactKind.EMAIL, self.email))
        return [kind for kind, field in fields if field.data]


class ProposalAnswerForm(Form):
    """The answer to a proposal: needed for a refusal, optional for an acceptance."""

    answer = StringField(
        _("Answer to whoever proposed it"), filters=[strip], validators=[Optional(), Length(max=REASON_LIMIT)]
    )
