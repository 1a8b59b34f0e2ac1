"""Forms of the review list: why a check-in is rejected, and who a walk-in is."""

from flask_babel import lazy_gettext as _
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from courses.trainees import NAME_LIMIT, TraineeFacts
from lms.core.forms import Form, PhoneField, strip


class MergeForm(Form):
    """Whose check-in it is, of those in the training."""

    enrolment = SelectField(_("Whose check-in is it?"), validators=[InputRequired()])


class AdmitForm(Form):
    """Somebody new. The name is what was typed at the door; the phone is how the person is found again."""

    name = StringField(
        _("Name"),
        filters=[strip],
        validators=[InputRequired(_("Give the name.")), Length(max=NAME_LIMIT)],
        render_kw={"autocomplete": "off"},
    )
    phone = PhoneField(
        _("Mobile phone"),
        validators=[InputRequired(_("Give a mobile phone number."))],
        render_kw={"inputmode": "tel", "autocomplete": "off"},
    )

    def facts(self) -> TraineeFacts:
        """The facts as the rule takes them."""
        return TraineeFacts(name=self.name.data, phone=self.phone.data)
