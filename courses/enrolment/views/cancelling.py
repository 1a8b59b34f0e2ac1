"""The page that cancels the enrolments of several people of a class at once."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.enrolment import cancelling, place_counts
from courses.enrolment.forms.enrolment import EnrolmentReasonForm
from courses.models.offerings import Offering
from lms.core import edge
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import STAFF, fetch

blueprint = Blueprint("cancelling", __name__)


@blueprint.route("/cancel", methods=["GET", "POST"])
@requires(*STAFF)
def page(offering_id: int) -> ResponseReturnValue:
    """Show what would become of each chosen enrolment, ask for a reason, and cancel."""
    offering = fetch(db(), Offering, offering_id, scope())
    ids = request.values.getlist("enrolment", type=edge.row_id)
    if not ids:
        flash(_("Choose at least one person of the list."), "warning")
        return redirect(url_for("enrolment.index", offering_id=offering_id))
    form = EnrolmentReasonForm()
    if form.validate_on_submit():
        with refused_on(form):
            rows = cancelling.cancel(db(), offering_id, ids, form.reason.data, scope())
            number = sum(row.refusal is None for row in rows)
            flash(ngettext("%(num)s enrolment was cancelled.", "%(num)s enrolments were cancelled.", number))
            for row in rows:
                if row.refusal is not None:
                    flash(f"{row.name}: {_(row.refusal)}", "warning")
            return redirect(url_for("enrolment.index", offering_id=offering_id))
    body = render_template(
        "enrolment/cancel_several.html",
        offering=offering,
        form=form,
        rows=cancelling.preview(db(), offering_id, ids, scope()),
        places=place_counts.count_places(db(), offering),
    )
    return make_response(body, 422 if form.is_submitted() else 200)
