"""The list of people to call, because no message reached them."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from courses.enrolment import daily_counts
from courses.models.daily_counts import CountedAct
from lms.core import clock, edge
from lms.core.access import requires, scope
from lms.core.errors import N_, NotFound
from lms.core.messages import calling
from lms.core.messages.calling import CallOutcome
from lms.core.request_db import db
from lms.core.scope import STAFF

blueprint = Blueprint("to_call", __name__)

OUTCOMES = {
    CallOutcome.CALLED: N_("Called"),
    CallOutcome.NOT_REACHED: N_("Not reached"),
    CallOutcome.NOT_NEEDED: N_("No longer needed"),
}
RECORDED = {
    CallOutcome.CALLED: N_("Recorded: the person was told."),
    CallOutcome.NOT_REACHED: N_("Recorded: nobody answered. The person stays on the list."),
    CallOutcome.NOT_NEEDED: N_("Recorded: the call is no longer needed."),
}


@blueprint.get("")
@requires(*STAFF)
def page() -> ResponseReturnValue:
    """List the people to call of the user's districts and organisations."""
    return _page()


@blueprint.post("/<int:message_id>/number")
@requires(*STAFF)
def number(message_id: int) -> ResponseReturnValue:
    """Show one number as a link that calls it. The read is recorded and counted."""
    shown_number = calling.read_number(db(), message_id, scope())
    if shown_number is not None:
        daily_counts.add(db(), CountedAct.CALL, current_user.id, clock.today(current_app.config["SETTINGS"].zone))
    return _page(message_id, shown_number)


@blueprint.post("/<int:message_id>")
@requires(*STAFF)
def settle(message_id: int) -> ResponseReturnValue:
    """Record what became of a call."""
    try:
        outcome = CallOutcome(request.form.get("outcome", ""))
    except ValueError as error:
        raise NotFound from error
    calling.record_call(db(), message_id, outcome, request.form.get("note", ""), scope())
    flash(_(RECORDED[outcome]))
    return redirect(url_for(".page", page=_page_number()))


def _page_number() -> int:
    return request.values.get("page", 1, type=edge.page_number)


def _page(message_id: int | None = None, shown_number: str | None = None) -> str:
    site = current_app.config["SETTINGS"].public_url
    return render_template(
        "to_call/page.html",
        listing=calling.list_due(db(), scope(), _page_number(), site=site),
        outcomes=OUTCOMES,
        message_id=message_id,
        number=shown_number,
    )
