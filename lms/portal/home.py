"""The first page: for visitors the two things they come for, for each role its own start."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from lms.core.access import holds, public
from lms.core.scope import READERS, Role

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def page() -> ResponseReturnValue:
    """A visitor's landing page, or the start page of the user's role."""
    if not current_user.is_authenticated:
        return render_template("home/visitor.html")
    if holds(*READERS):
        return redirect(url_for("reports.enrolment"))
    if holds(Role.INSTRUCTOR):
        return redirect(url_for("today.page"))
    if holds(Role.COORDINATOR):
        return redirect(url_for("offerings.index"))
    return redirect(url_for("my_training.page"))
