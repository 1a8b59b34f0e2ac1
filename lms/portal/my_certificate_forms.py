"""Forms of the page on which people find their certificates again."""

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import Email, InputRequired, Length, ValidationError

from lms.core.contacts import ContactKind
from lms.core.forms import Form, PersonNameField, strip
from lms.core.phones import normalise_phone

REQUIRED = InputRequired(_("Fill this in."))


class OwnContactForm(Form):
    """The phone or e-mail address to which a code is sent. After validation `kind` says which of the two it is."""

    contact = StringField(
        _("Phone or e-mail address"),
        validators=[REQUIRED, Length(max=254)],
        filters=[strip],
        render_kw={"autocomplete": "tel", "autocapitalize": "none", "spellcheck": "false"},
    )
    kind = ContactKind.PHONE

    def validate_contact(self, field: StringField) -> None:
        """Refuse what is neither a phone number nor an e-mail address, and bring the contact into its compared form."""
        if "@" in (field.data or ""):
            self.kind = ContactKind.EMAIL
            Email(_("This is not an e-mail address."))(self, field)
            field.data = (field.data or "").lower()
            return
        try:
            field.data = normalise_phone(field.data or "")
        except ValueError:
            raise ValidationError(_("This is neither a phone number nor an e-mail address.")) from None


class OwnNameForm(Form):
    """The whole name of a person whose record has a contact that several people share."""

    names_missing_glyphs = False

    name = PersonNameField(
        _("Name"), validators=[REQUIRED, Length(max=100)], render_kw={"autocomplete": "name"}, printed=False
    )


class IdentityForm(Form):
    """The whole name and the ID number of a person who has no proven contact."""

    names_missing_glyphs = False

    name = PersonNameField(
        _("Name"), validators=[REQUIRED, Length(max=100)], render_kw={"autocomplete": "name"}, printed=False
    )
    id_number = StringField(
        _("ID number"),
        validators=[REQUIRED, Length(max=40)],
        filters=[strip],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
