"""The waiting lists that a number of the indicators is made of."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from courses.reports import waiting
from courses.reports.labels import lists
from courses.reports.views import navigation as ways
from courses.reports.views.files import exported
from courses.reports.views.question import asked, asked_of, today, zone
from lms.core import languages
from lms.core.access import requires, scope
from lms.core.paging import ALL
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
        here=ways.here(filters),
        trail=[ways.top(filters)],
        asked=asked_of(filters, choices, None)[1:],
        whole=languages.whole,
    )


@blueprint.get("/waiting/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """All of them as a file. It is of now, and named by the day."""
    filters, choices = asked()
    found = waiting.offerings(reporting(), filters, scope(), size=ALL)
    sheet = lists.waiting(found, asked_of(filters, choices, None)[1:], zone())
    return exported(sheet, form, report="waiting", name=f"waiting-{today().isoformat()}", asked=filters.address())
