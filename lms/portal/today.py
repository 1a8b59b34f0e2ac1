"""The instructor's start page: today's sessions, sessions still to be closed, and coming sessions."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from courses.attendance import check_in_window
from courses.offerings import agenda
from lms.core import clock
from lms.core.access import requires
from lms.core.request_db import db
from lms.core.scope import Role

blueprint = Blueprint("today", __name__)


@blueprint.get("/")
@requires(Role.INSTRUCTOR)
def page() -> ResponseReturnValue:
    """List the instructor's sessions."""
    zone = current_app.config["SETTINGS"].zone
    return render_template(
        "today/page.html",
        agenda=agenda.of_instructor(db(), current_user.id, zone),
        today=clock.today(zone),
        now=clock.now(),
        opens_before=check_in_window.OPENS_BEFORE,
        here_before=check_in_window.INSTRUCTORS_OPEN_BEFORE,
    )
