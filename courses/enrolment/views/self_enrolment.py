"""Enrolling oneself, without an account: name and phone, and the ticket in return."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from courses.enrolment import places as enrolment
from courses.enrolment.forms.enrolment import SelfEnrolmentForm
from lms.core.access import public
from lms.core.limits import limiter
from lms.core.web import db, refused_on

blueprint = Blueprint("self_enrolment", __name__)

# A whole class may enrol from one school's address; a machine that tries names and phones may not go on for long.
LIMIT = "30 per minute; 120 per hour"


@blueprint.route("/<int:offering_id>/enrol", methods=["GET", "POST"])
@public
@limiter.limit(LIMIT, methods=["POST"])
def page(offering_id: int) -> ResponseReturnValue:
    """The form, and then the ticket; whoever is enrolled already is told so and gets it by mail."""
    offering = enrolment.open_to_visitors(db(), offering_id)
    form = SelfEnrolmentForm()
    if form.validate_on_submit():
        with refused_on(form):
            answer = enrolment.enrol_oneself(db(), offering_id, form.facts())
            if answer.again:
                return render_template("self_enrolment/again.html", offering=offering)
            return redirect(url_for("tickets.page", ticket=answer.enrolment.ticket))
    places = enrolment.places_of(db(), offering)
    body = render_template("self_enrolment/page.html", offering=offering, form=form, places=places)
    return make_response(body, 422 if form.is_submitted() else 200)
