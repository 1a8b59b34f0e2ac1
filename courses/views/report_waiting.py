"""The waiting lists that a number of the indicators is made of."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from courses.reports import waiting
from courses.views import report_ways as ways
from courses.views import report_words as words
from courses.views.report_question import asked, asked_of
from lms.core.access import requires, scope
from lms.core.scope import READERS
from lms.core.web import reporting

blueprint = Blueprint("report_waiting", __name__)


@blueprint.get("/waiting")
@requires(*READERS)
def page() -> ResponseReturnValue:
    """The open offerings that people wait for."""
    filters, choices = asked()
    return render_template(
        "reports/waiting.html",
        found=waiting.offerings(reporting(), filters, scope(), page=request.args.get("page", 1, type=int)),
        trail=[ways.top(filters)],
        asked=asked_of(filters, choices, None)[1:],
        whole=words.whole,
    )
