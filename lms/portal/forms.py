"""Form of the portal: creating an account from a ticket."""

from flask_babel import lazy_gettext as _
from wtforms import EmailField, PasswordField
from wtforms.validators import Email, InputRequired, Length, Optional

from lms.core.forms import Form, strip


class TicketAccountForm(Form):
    """A password, and an e-mail address to reset it. The phone is the one of the ticket's enrolment."""

    email = EmailField(
        _("E-mail"),
        filters=[strip],
        validators=[Optional(), Email(_("This is not an e-mail address.")), Length(max=254)],
        render_kw={"autocomplete": "email"},
    )
    password = PasswordField(
        _("Password"),
        validators=[InputRequired(_("Choose a password.")), Length(max=200)],
        render_kw={"autocomplete": "new-password"},
    )
