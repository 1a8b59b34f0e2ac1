"""Forms about accounts: signing in, passwords, users, roles, and the filters of users and audit."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    PasswordField,
    SearchField,
    SelectField,
    StringField,
)
from wtforms.validators import DataRequired, Email, InputRequired, Length, Optional, ValidationError

from lms.accounts.passwords import MAXIMUM
from lms.core.contacts import ContactKind, ContactProof
from lms.core.forms import DayField, Form, PersonNameField, PhoneField, QueryForm, choices, strip
from lms.core.scope import Role
from lms.core.sealed_search import SealedSearchField

# The narrowest reach first, so that no list of choices begins with the widest.
ROLES = {
    Role.COORDINATOR: _("Coordinator of an organisation"),
    Role.INSTRUCTOR: _("Instructor"),
    Role.TRAINEE: _("Trainee"),
    Role.DISTRICT_ADMINISTRATOR: _("District administrator"),
    Role.AUDITOR: _("Auditor"),
    Role.CITY_ADMINISTRATOR: _("City administrator"),
}
PROOFS = {
    ContactProof.CODE: _("verified by a code"),
    ContactProof.LINK: _("verified by a link"),
    ContactProof.STAFF: _("verified by staff"),
}
LANGUAGES = choices((("zh", "中文"), ("en", "English")))
REQUIRED = InputRequired(_("Fill this in."))


def new_password(label: str) -> PasswordField:
    """A field for a new password. Pasting and password managers work."""
    return PasswordField(
        label,
        validators=[REQUIRED],
        render_kw={"autocomplete": "new-password", "minlength": 10, "maxlength": MAXIMUM},
    )


class SignInForm(Form):
    """Phone or e-mail address, and password."""

    identifier = StringField(
        _("Phone or e-mail address"),
        validators=[REQUIRED, Length(max=254)],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        _("Password"),
        validators=[REQUIRED, Length(max=MAXIMUM)],
        render_kw={"autocomplete": "current-password"},
    )


class SecondFactorForm(Form):
    """A code of the authenticator app, or a recovery code, and whether this browser is remembered."""

    code = StringField(
        _("Code from the app"),
        validators=[REQUIRED, Length(max=40)],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 40},
    )
    remember = BooleanField(_("Do not ask in this browser for 30 days"))


class RecoveryCodeForm(Form):
    """A recovery code; it is sent as the code of `SecondFactorForm`."""

    code = StringField(
        _("Recovery code"),
        validators=[REQUIRED, Length(max=40)],
        id="recovery",
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "maxlength": 40},
    )


class TotpForm(Form):
    """The first code of an authenticator app, with the secret that the app was given."""

    pending = HiddenField()
    code = StringField(
        _("Code from the app"),
        validators=[REQUIRED, Length(max=40)],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 40},
    )


class PasskeyNameForm(Form):
    """The name by which the owner recognises a passkey."""

    name = StringField(
        _("Name of the passkey"),
        validators=[REQUIRED, Length(max=100)],
        filters=[strip],
        render_kw={"autocomplete": "off", "maxlength": 100},
    )


class ResetFactorForm(Form):
    """Why somebody's second factor is removed, and that the person was recognised."""

    reason = StringField(_("Reason"), validators=[REQUIRED, Length(max=500)], filters=[strip])
    seen = BooleanField(
        _("I saw the person and the person's identity document."),
        validators=[InputRequired(_("Only reset the second factor of a person whom you have recognised."))],
    )


class CodeForm(Form):
    """The code of six digits that was sent to a contact. Phones offer to fill it in from the message."""

    code = StringField(
        _("Verification code"),
        validators=[REQUIRED, Length(max=20)],
        filters=[strip],
        render_kw={
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "pattern": "[0-9]*",
            "maxlength": 10,
            "autofocus": True,
        },
    )


class ButtonForm(Form):
    """A button, with nothing to fill in."""


class ConfirmForm(Form):
    """The password of a signed-in user, asked again before what concerns personal data."""

    confirm_password = PasswordField(
        _("Password"),
        validators=[REQUIRED, Length(max=MAXIMUM)],
        render_kw={"autocomplete": "current-password", "autofocus": True},
    )


class ForgottenForm(Form):
    """The phone or e-mail address to which a password link is sent."""

    identifier = StringField(
        _("Phone or e-mail address"),
        validators=[REQUIRED, Length(max=254)],
        filters=[strip],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )


class NewPasswordForm(Form):
    """The new password of a user who opened a password link."""

    password = new_password(_("New password"))


class OwnPasswordForm(Form):
    """A signed-in user's change of password."""

    present_password = PasswordField(
        _("Current password"),
        validators=[REQUIRED, Length(max=MAXIMUM)],
        render_kw={"autocomplete": "current-password"},
    )
    password = new_password(_("New password"))


class ProfileForm(Form):
    """The fields of their own account that users may change."""

    name = PersonNameField(
        _("Name"),
        validators=[DataRequired(_("Fill this in.")), Length(max=100)],
        render_kw={"autocomplete": "name"},
        printed=False,
    )
    language = SelectField(_("Language"), choices=LANGUAGES)


class OwnPhoneForm(Form):
    """A phone that the owner of an account adds."""

    phone = PhoneField(_("New phone number"), validators=[REQUIRED])


class OwnEmailForm(Form):
    """An e-mail address that the owner of an account adds."""

    email = EmailField(
        _("New e-mail address"),
        validators=[REQUIRED, Email(_("This is not an e-mail address.")), Length(max=254)],
        filters=[strip],
        render_kw={"autocomplete": "email"},
    )


class UserForm(Form):
    """Name, e-mail address and phone of a user."""

    name = PersonNameField(
        _("Name"),
        validators=[DataRequired(_("Fill this in.")), Length(max=100)],
        render_kw={"autocomplete": "off"},
        printed=False,
    )
    email = EmailField(
        _("E-mail address"),
        validators=[Optional(), Email(_("This is not an e-mail address.")), Length(max=254)],
        filters=[strip],
        render_kw={"autocomplete": "off"},
    )
    phone = PhoneField(_("Phone"), render_kw={"inputmode": "tel", "autocomplete": "off"})
    language = SelectField(_("Language"), choices=LANGUAGES)


class GrantForm(Form):
    """A role and the district or organisation in which it holds. The choices depend on the user who grants it."""

    role = SelectField(_("Role"))
    district = SelectField(_("District (for a district administrator)"), coerce=int, validators=[Optional()])
    organisation = StringField(
        _("Organisation (for a coordinator)"),
        validators=[Length(max=200)],
        filters=[strip],
        render_kw={"list": "organisation-names", "autocomplete": "off", "data-suggest": ""},
    )

    def validate_organisation(self, field: StringField) -> None:
        """A coordinator belongs to an organisation."""
        if self.role.data == Role.COORDINATOR and not field.data:
            raise ValidationError(_("Enter the organisation."))

    def validate_district(self, field: SelectField) -> None:
        """A district administrator belongs to a district."""
        if self.role.data == Role.DISTRICT_ADMINISTRATOR and not field.data:
            raise ValidationError(_("Choose the district."))


class NewUserForm(UserForm, GrantForm):
    """A new account with its first role."""


class MessagesForm(Form):
    """The contact to which messages about the own trainings come first."""

    messages_by = SelectField(
        _("Messages about my trainings come first by"),
        choices=choices(((ContactKind.EMAIL.value, _("E-mail")), (ContactKind.PHONE.value, _("SMS")))),
    )


class ReasonForm(Form):
    """The reason for an act, which is kept in the audit trail."""

    reason = StringField(_("Reason"), validators=[REQUIRED, Length(max=500)], filters=[strip])


class UserFilterForm(QueryForm):
    """Filters of the list of users."""

    text = SealedSearchField(_("Name, phone or e-mail address"))
    role = SelectField(_("Role"), validators=[Optional()])
    state = SelectField(
        _("State"), choices=choices((("active", _("Active")), ("disabled", _("Disabled")))), default="active"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.role.choices = choices([("", _("All roles")), *((role.value, name) for role, name in ROLES.items())])


class AuditFilterForm(QueryForm):
    """Filters of the audit trail."""

    action = SelectField(_("Action"), validators=[Optional()])
    subject = SearchField(_("Subject"), filters=[strip], render_kw={"placeholder": "trainee:17"})
    user = SealedSearchField(_("User"))
    since = DayField(_("From"), validators=[Optional()])
    until = DayField(_("Until"), validators=[Optional()])
