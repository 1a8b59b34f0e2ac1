"""The page on which a visitor without an account enrols by name and phone, and gets a ticket."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from courses.enrolment import places
from courses.enrolment.forms.enrolment import SelfEnrolmentForm
from lms.core.access import public
from lms.core.form_errors import refused_on
from lms.core.limits import limiter
from lms.core.request_db import db

blueprint = Blueprint("self_enrolment", __name__)

# The limit of one IP address: a whole class of a school can enrol from one, but a script cannot try names and phones.
RATE_LIMIT = "30 per minute; 120 per hour"


@blueprint.route("/<int:offering_id>/enrol", methods=["GET", "POST"])
@public
@limiter.limit(RATE_LIMIT, methods=["POST"])
def page(offering_id: int) -> ResponseReturnValue:
    """Show the form, and then the ticket. A trainee who is enrolled already gets a notice, and the ticket by mail."""
    offering = places.get_open_to_visitors(db(), offering_id)
    form = SelfEnrolmentForm()
    if form.validate_on_submit():
        with refused_on(form):
            result = places.enrol_oneself(db(), offering_id, form.facts())
            if result.already_enrolled:
                return render_template("self_enrolment/again.html", offering=offering)
            return redirect(url_for("tickets.page", ticket=result.enrolment.ticket))
    counts = places.count_places(db(), offering)
    body = render_template("self_enrolment/page.html", offering=offering, form=form, places=counts)
    return make_response(body, 422 if form.is_submitted() else 200)
