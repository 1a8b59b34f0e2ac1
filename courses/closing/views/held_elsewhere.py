"""The page on which an administrator accepts a certificate of another branch for an enrolment.

It stands here because it calls `courses.closing.correction`, and the enrolment may not import the closing.
"""

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.closing import held_elsewhere
from courses.closing.forms.held_elsewhere import HeldElsewhereForm
from courses.closing.views.sessions import flash_unentitled
from courses.enrolment import listings, prerequisites, trainees_rights
from courses.models.offerings import OfferingState
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import ADMINISTRATORS

blueprint = Blueprint("held_elsewhere", __name__)


@blueprint.route("/<int:enrolment_id>/held", methods=["GET", "POST"])
@requires(*ADMINISTRATORS)
def page(offering_id: int, enrolment_id: int) -> ResponseReturnValue:
    """Show what a trainee holds of what the course demands, and accept a certificate of another branch."""
    enrolment = listings.get_in_offering(db(), offering_id, enrolment_id, scope())
    form = HeldElsewhereForm(evidence=enrolment.held_elsewhere)
    if form.validate_on_submit():
        with refused_on(form):
            unentitled = held_elsewhere.decide(
                db(),
                enrolment,
                form.evidence.data,
                form.reason.data,
                scope=scope(),
                now=clock.now(),
                zone=current_app.config["SETTINGS"].zone,
            )
            flash(_("Saved."))
            flash_unentitled(unentitled)
            return redirect(url_for(".page", offering_id=offering_id, enrolment_id=enrolment_id))
    demands = prerequisites.of_offering(enrolment.offering)
    standing = held_elsewhere.standing_of(db(), enrolment)
    body = render_template(
        "enrolment/held.html",
        enrolment=enrolment,
        offering=enrolment.offering,
        closed=enrolment.offering.state == OfferingState.CLOSED,
        demands=demands,
        types=prerequisites.type_names(db(), demands),
        standing=standing,
        judge_again=held_elsewhere.may_be_judged_again(enrolment, standing),
        legible=enrolment.trainee_id in trainees_rights.legible_ids(db(), [enrolment.trainee_id], scope()),
        form=form,
    )
    return make_response(body, 422 if form.is_submitted() else 200)
