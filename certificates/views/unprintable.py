"""The page of people whose certificates cannot be printed yet."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates import unprintable
from certificates.unprintable import Stage
from courses.models.name_writings import HOLDER
from lms.core import edge, fonts
from lms.core.access import requires, scope
from lms.core.errors import N_
from lms.core.request_db import db
from lms.core.scope import STAFF, Role

blueprint = Blueprint("unprintable", __name__)

STAGES = {
    Stage.WAITING: (N_("Certificate waits"), "warning"),
    Stage.ISSUED: (N_("Issued, cannot be printed"), "danger"),
    Stage.COMING: (N_("Enrolled"), "secondary"),
}
TEXTS = {
    HOLDER: N_("Name"),
    "programme_zh": N_("Programme"),
    "programme_en": N_("Programme"),
    "course_zh": N_("Course"),
    "course_en": N_("Course"),
    "qualification_zh": N_("Qualification"),
    "qualification_en": N_("Qualification"),
    "unit_zh": N_("Issuing unit"),
    "unit_en": N_("Issuing unit"),
    "instructor": N_("Lead instructor"),
    "instructor_registration": N_("Registration number"),
    "organisation_zh": N_("Branch"),
    "organisation_en": N_("Branch"),
}


@blueprint.get("/")
@requires(*STAFF, Role.INSTRUCTOR, Role.AUDITOR)
def page() -> ResponseReturnValue:
    """List who cannot be printed yet, with what lacks, and the way to decide; with `?due=1` without classes to come."""
    due = request.args.get("due") == "1"
    listing = unprintable.listing(db(), scope(), page=request.args.get("page", 1, type=edge.page_number), due=due)
    return render_template("unprintable/page.html", listing=listing, stages=STAGES, texts=texts_of, due=due)


def texts_of(lacking: dict[str, list[str]]) -> list[tuple[str, str]]:
    """The label of each text with missing characters, and these characters by their code points."""
    return [(str(_(TEXTS[name])), fonts.named(characters)) for name, characters in lacking.items()]
