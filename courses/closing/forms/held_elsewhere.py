"""The form in which a certificate of another branch is accepted for an enrolment."""

from flask_babel import lazy_gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from lms.core.forms import Form, strip

EVIDENCE_LIMIT = REASON_LIMIT = 200


class HeldElsewhereForm(Form):
    """The certificate that was seen, and the reason. Without a certificate nothing is accepted."""

    evidence = StringField(_("Certificate of another branch"), filters=[strip], validators=[Length(max=EVIDENCE_LIMIT)])
    reason = StringField(
        _("Reason"), filters=[strip], validators=[DataRequired(_("Enter a reason.")), Length(max=REASON_LIMIT)]
    )
