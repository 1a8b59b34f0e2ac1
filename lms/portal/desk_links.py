"""The page at the desk that shows a person's link to an own account once, as a code for the person's phone."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from courses.enrolment import desk_accounts
from courses.models.trainees import Trainee
from lms.accounts.current import confirmed
from lms.accounts.password_links import site_of
from lms.core.access import requires, scope
from lms.core.request_db import db
from lms.core.scope import STAFF, fetch
from lms.portal import ticket_code

blueprint = Blueprint("desk_links", __name__)


@blueprint.post("/<int:trainee_id>/account")
@requires(*STAFF)
@confirmed
def show(trainee_id: int) -> ResponseReturnValue:
    """Make the person's account and show the link to it once, as a QR code."""
    trainee = fetch(db(), Trainee, trainee_id, scope())
    address = desk_accounts.hand_over(db(), trainee, scope(), site_of(current_app.config["SETTINGS"]))
    return render_template(
        "trainees/account_link.html",
        trainee=trainee,
        address=address,
        code=Markup(ticket_code.svg_of(address)),  # noqa: S704  # made of rectangles by us
    )
