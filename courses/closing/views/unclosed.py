"""The list of sessions that nobody closed, for staff and auditors."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from courses.closing import unclosed
from lms.core import clock, edge
from lms.core.access import holds, requires, scope
from lms.core.request_db import db
from lms.core.scope import EXAMINERS, STAFF_READERS

blueprint = Blueprint("unclosed", __name__)


@blueprint.get("/unclosed")
@requires(*STAFF_READERS)
def page() -> ResponseReturnValue:
    """List the sessions that ended more than 48 hours ago; with `?requested=1` those whose closing waits."""
    requested = request.args.get("requested") == "1"
    page_number = request.args.get("page", 1, type=edge.page_number)
    return render_template(
        "sessions/unclosed.html",
        listing=unclosed.listing(db(), scope(), clock.now(), requested=requested, page=page_number),
        requested=requested,
        may_close=holds(*EXAMINERS),
    )
