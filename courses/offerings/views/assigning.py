"""The page that assigns one instructor to the sessions of several offerings."""

from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms import RadioField, StringField

from courses.models.offerings import TeachingRole
from courses.offerings import assigning, staffing
from courses.offerings.assigning import AssignRow
from courses.offerings.staffing import InstructorScope
from instructors.models import Instructor
from lms.accounts.forms import REQUIRED
from lms.core import clock, edge
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.forms import Form, choices, strip
from lms.core.languages import named
from lms.core.request_db import db
from lms.core.scope import STAFF

blueprint = Blueprint("assigning", __name__)


class AssignForm(Form):
    """The instructor and the role that the chosen offerings get."""

    instructor = StringField(_l("Instructor"), validators=[REQUIRED], filters=[strip])
    role = RadioField(
        _l("Role"),
        choices=choices(
            ((TeachingRole.LEAD, _l("Lead instructor")), (TeachingRole.ASSISTANT, _l("Assisting instructor")))
        ),
        coerce=TeachingRole,
        default=TeachingRole.LEAD,
    )


@blueprint.route("/assign", methods=["GET", "POST"])
@requires(*STAFF)
def page() -> ResponseReturnValue:
    """Ask for the instructor and the role, show what would become of each offering, and assign."""
    ids = request.values.getlist("offering", type=edge.row_id)
    if not ids:
        flash(_("Choose at least one offering of the list."), "warning")
        return redirect(url_for("offerings.index"))
    form = AssignForm()
    rows: list[AssignRow] | None = None
    instructor: Instructor | None = None
    if form.validate_on_submit():
        with refused_on(form):
            reach = InstructorScope(clock.today(_zone()), scope())
            instructor = staffing.find(db(), form.instructor.data, reach, field="instructor")
            # The button names what was shown: after another choice the page shows what would change once more.
            if request.form.get("assign") == f"{instructor.id}:{form.role.data}":
                return _assigned(ids, instructor.id, form.role.data)
            rows = assigning.preview(db(), ids, instructor.id, form.role.data, scope=scope(), zone=_zone())
    body = render_template(
        "offerings/assign.html", form=form, ids=ids, rows=rows, instructor=instructor, label=staffing.label
    )
    return make_response(body, 422 if form.errors else 200)


def _assigned(ids: list[int], instructor_id: int, role: TeachingRole) -> ResponseReturnValue:
    rows = assigning.assign(db(), ids, instructor_id, role, scope=scope(), zone=_zone())
    number = sum(row.sessions for row in rows)
    flash(ngettext("%(num)s session has the instructor now.", "%(num)s sessions have the instructor now.", number))
    for row in rows:
        if row.refusal is not None:
            text = _(row.refusal.message, **row.refusal.params)
            flash(f"{named(row.offering.course)} · {row.offering.place}: {text}", "warning")
    return redirect(url_for("offerings.index"))


def _zone() -> ZoneInfo:
    return current_app.config["SETTINGS"].zone
