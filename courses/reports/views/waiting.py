"""The page of waiting lists that a number of the indicators is made of."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from courses.reports import waiting
from courses.reports.labels import lists
from courses.reports.views import navigation
from courses.reports.views.questions import drill_down_criteria, page_number, request_question, today, zone
from courses.reports.views.sheets import send_sheet
from lms.core import languages
from lms.core.access import requires
from lms.core.paging import ALL
from lms.core.request_db import report_db
from lms.core.scope import STAFF_READERS

blueprint = Blueprint("report_waiting", __name__)


@blueprint.get("/waiting")
@requires(*STAFF_READERS)
def page() -> ResponseReturnValue:
    """Show the open offerings that have a waiting list. They have no period, so the criteria leave it out."""
    question, options = request_question()
    return render_template(
        "reports/waiting.html",
        waiting=waiting.waiting_offerings(report_db(), question, page=page_number()),
        carried=navigation.carried_arguments(question.filters),
        trail=[navigation.report_crumb(question.filters)],
        criteria=drill_down_criteria(question, options)[1:],
        whole=languages.whole,
    )


@blueprint.get("/waiting/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def export(form: str) -> ResponseReturnValue:
    """Send all of them as a file. Waiting lists are of now, so today is in the file's name."""
    question, options = request_question()
    offerings = waiting.waiting_offerings(report_db(), question, size=ALL)
    sheet = lists.waiting(offerings, drill_down_criteria(question, options)[1:], zone())
    name = f"waiting-{today().isoformat()}"
    return send_sheet(sheet, form, report="waiting", name=name, arguments=question.filters.address())
