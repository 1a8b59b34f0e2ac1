"""What stands in the way of a certificate, in words."""

from flask_babel import gettext as _

from lms.core.errors import N_

TEXTS = {
    "absent": N_("not present at any session"),
    "sessions_missing": N_("too few sessions attended"),
    "theory_missing": N_("no theory result"),
    "theory_failed": N_("theory below the pass mark"),
    "skills_missing": N_("skills not all assessed"),
    "skills_failed": N_("skills not all passed"),
    "no_certificate_course": N_("this course gives no certificate"),
    "name_missing": N_("full name missing"),
}


def text_of(code: str) -> str:
    """A shortfall's code in the reader's language; a code that is not known here is shown as it is."""
    return str(_(TEXTS[code])) if code in TEXTS else code
