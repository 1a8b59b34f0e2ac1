"""Texts of the shortfalls: the reasons why a trainee gets no certificate."""

from flask_babel import gettext as _

from courses.assessment.entitlement import SHORTFALL_LABELS


def text_of(code: str) -> str:
    """Return the text of a shortfall's code in the reader's language; an unknown code is shown as it is."""
    return str(_(SHORTFALL_LABELS[code][0])) if code in SHORTFALL_LABELS else code
