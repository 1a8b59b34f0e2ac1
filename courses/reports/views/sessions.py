"""The drill-down pages between an offering and its people: the offering's sessions, and the people of one."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from courses.reports import sessions
from courses.reports.labels import lists
from courses.reports.labels import report as labels
from courses.reports.views import navigation
from courses.reports.views.questions import drill_down_criteria, page_number, request_figure, request_question, zone
from courses.reports.views.sheets import send_sheet
from lms.core import languages
from lms.core.access import requires, scope
from lms.core.request_db import report_db
from lms.core.scope import STAFF_READERS

blueprint = Blueprint("report_sessions", __name__)


@blueprint.get("/offerings/<int:offering_id>/sessions")
@requires(*STAFF_READERS)
def page(offering_id: int) -> ResponseReturnValue:
    """Show an offering's sessions, and what the offering adds to the number that the reader followed."""
    question, options = request_question()
    filters, figure = question.filters, request_figure()
    return render_template(
        "reports/sessions.html",
        offering_sessions=sessions.of_offering(report_db(), offering_id, question),
        carried=navigation.carried_arguments(filters, figure),
        trail=[navigation.report_crumb(filters), navigation.offerings_crumb(filters, figure)],
        criteria=drill_down_criteria(question, options, figure),
        **_template_globals(),
    )


@blueprint.get("/offerings/<int:offering_id>/<any(sessions, lines):what>/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def export(offering_id: int, what: str, form: str) -> ResponseReturnValue:
    """Send the sessions ("sessions") or the ledger entries that the report adds up ("lines") as a file."""
    question, options = request_question()
    offering_sessions = sessions.of_offering(report_db(), offering_id, question)
    criteria = drill_down_criteria(question, options, request_figure())
    if what == "sessions":
        sheet = lists.sessions(offering_sessions, criteria, zone())
    else:
        sheet = lists.ledger_entries(offering_sessions, criteria)
    arguments = question.filters.address() | {"offering": str(offering_id)}
    return send_sheet(sheet, form, report=f"offering_{what}", name=f"{what}-{offering_id}", arguments=arguments)


@blueprint.get("/offerings/<int:offering_id>/sessions/<int:session_id>/people")
@requires(*STAFF_READERS)
def people(offering_id: int, session_id: int) -> ResponseReturnValue:
    """Show the people who were at a session."""
    question, _options = request_question()
    filters, figure = question.filters, request_figure()
    return render_template(
        "reports/session_people.html",
        attendees=sessions.attendees(report_db(), offering_id, session_id, scope(), page=page_number()),
        carried=navigation.carried_arguments(filters, figure),
        trail=[
            navigation.report_crumb(filters),
            navigation.offerings_crumb(filters, figure),
            navigation.sessions_crumb(filters, figure, offering_id),
        ],
        **_template_globals(),
    )


def _template_globals() -> dict[str, object]:
    return {
        "whole": languages.whole,
        "hours": labels.hours,
        "roles": lists.ROLE_LABELS,
        "kinds": lists.ENTRY_KIND_LABELS,
    }
