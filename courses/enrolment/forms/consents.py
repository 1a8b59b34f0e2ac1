"""Forms of consents: the fields that every consent has."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional
from wtforms.widgets import HiddenInput

from courses.enrolment.consents import Relation
from courses.enrolment.trainees import NAME_LIMIT
from lms.core.forms import Form, PersonNameField, choices, strip

RELATIONS = {Relation.MOTHER: _("Mother"), Relation.FATHER: _("Father"), Relation.OTHER: _("Other legal guardian")}


class TextVersionField(IntegerField):
    """The version of the privacy text that the page showed. It is a hidden field."""

    widget = HiddenInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the version; what is no small number is none."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None


def relation_field() -> SelectField:
    """The field of a guardian's relation to the child."""
    return SelectField(
        _("Relation to the child"), choices=choices([("", _("Choose…")), *RELATIONS.items()]), validators=[Optional()]
    )


class ConsentForm(Form):
    """A consent outside of an enrolment: on the ticket's page or in the account."""

    privacy_version = TextVersionField()
    guardian_name = PersonNameField(
        _("Guardian's name"), validators=[Optional(), Length(max=NAME_LIMIT)], printed=False
    )
    guardian_relation = relation_field()
    consent = BooleanField(
        _(
            "I have read the privacy notice and agree. For a child under 14, I am the parent or guardian and agree for the child."
        ),
        validators=[DataRequired(_("Tick the box if you agree."))],
    )


class PaperConsentForm(Form):
    """A consent that staff have on paper or heard in person."""

    guardian_name = PersonNameField(
        _("Guardian's name"), validators=[Optional(), Length(max=NAME_LIMIT)], printed=False
    )
    guardian_relation = relation_field()


class WithdrawalForm(Form):
    """The withdrawal of a consent. No reason is needed."""

    reason = StringField(_("Reason"), filters=[strip], validators=[Optional(), Length(max=500)])
