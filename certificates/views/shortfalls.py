"""What stands in the way of a certificate, in words."""

from flask_babel import gettext as _

from courses.assessment.entitlement import SHORTFALLS


def text_of(code: str) -> str:
    """A shortfall's code in the reader's language; a code that is not known here is shown as it is."""
    return str(_(SHORTFALLS[code][0])) if code in SHORTFALLS else code
