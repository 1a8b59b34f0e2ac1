"""The first page: verification and open training for visitors, and the start page of each role."""

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from certificates.verification import alarms
from courses.counting.headline import headline
from courses.offerings import training_requests
from lms.core.access import holds, public, scope_of
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS, READERS, Role, Scope

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@public
def page() -> ResponseReturnValue:
    """A visitor's landing page, an administrator's figures, or the start page of the user's role."""
    if not current_user.is_authenticated:
        return render_template("home/visitor.html")
    if holds(*READERS):
        reach = scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in READERS])
        figures = headline(db(), reach, current_app.config["SETTINGS"].zone)
        return render_template(
            "home/figures.html",
            figures=figures,
            may_schedule=holds(*ADMINISTRATORS),
            alarms=alarms.count(db()) if holds(Role.CITY_ADMINISTRATOR) else 0,
            alarm_action=alarms.ACTION,
            requested=training_requests.count_open(db(), _administered()) if holds(*ADMINISTRATORS) else 0,
        )
    if holds(Role.INSTRUCTOR):
        return redirect(url_for("today.page"))
    if holds(Role.COORDINATOR):
        return redirect(url_for("offerings.index"))
    return redirect(url_for("my_training.page"))


def _administered() -> Scope:
    """The scope of the user's roles as an administrator, without what the user may only read."""
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in ADMINISTRATORS])
