"""Moving a person to another class, in two taps: the person's page of classes, and the class."""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.enrolment import listings, moving, places
from courses.enrolment.forms.moving import MoveForm
from courses.models.offerings import Offering
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import STAFF, fetch

blueprint = Blueprint("moving", __name__)


@blueprint.route("/<int:enrolment_id>/move", methods=["GET", "POST"])
@requires(*STAFF)
def page(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Show the classes to which a person can be moved, and move the person to the one that is chosen."""
    enrolment = listings.get_in_offering(db(), offering_id, enrolment_id, scope())
    form = MoveForm()
    if form.validate_on_submit():
        target = fetch(db(), Offering, form.offering_id.data, scope())
        with refused_on(form):
            moving.move(db(), enrolment, target)
            flash(_("%(name)s was moved to this class and is told.", name=enrolment.trainee.name))
            return redirect(url_for("enrolment.index", offering_id=target.id))
    body = render_template(
        "enrolment/move.html",
        enrolment=enrolment,
        offering=enrolment.offering,
        form=form,
        targets=moving.list_targets(db(), enrolment, scope()),
        attended=places.has_attended(db(), enrolment),
    )
    return make_response(body, 422 if form.is_submitted() else 200)
