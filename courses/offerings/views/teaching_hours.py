"""Pages of teaching hours: an instructor's own, and the same page for readers of the register of instructors."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from flask_login import current_user

from courses.models.offerings import TeachingRole
from courses.offerings import teaching_hours
from instructors.models import Instructor
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.request_db import db
from lms.core.scope import READERS, Role, fetch

blueprint = Blueprint("teaching_hours", __name__)

ROLES = {
    TeachingRole.LEAD: _("Lead instructor"),
    TeachingRole.ASSISTANT: _("Assisting instructor"),
    TeachingRole.EXAMINER: _("Examiner"),
}


@blueprint.get("/today/teaching-hours")
@requires(Role.INSTRUCTOR)
def own() -> ResponseReturnValue:
    """The user's own hours. The page is empty for an account that no instructor of the register has."""
    instructor_id = teaching_hours.instructor_id_of(db(), current_user.id)
    return _render_page(instructor_id or 0, name=current_user.name, own=True)


@blueprint.get("/instructors/<int:instructor_id>/teaching-hours")
@requires(*READERS)
def page(instructor_id: int) -> ResponseReturnValue:
    """The hours of an instructor of the register."""
    instructor = fetch(db(), Instructor, instructor_id, scope())
    return _render_page(instructor.id, name=instructor.name, own=False)


def _render_page(instructor_id: int, *, name: str, own: bool) -> str:
    zone = current_app.config["SETTINGS"].zone
    return render_template(
        "teaching_hours/page.html",
        name=name,
        own=own,
        instructor_id=instructor_id,
        rows=teaching_hours.of_instructor(db(), instructor_id, zone, clock.now()),
        roles=ROLES,
    )
