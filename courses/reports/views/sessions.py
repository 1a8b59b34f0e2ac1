"""The step of a report between an offering and its people: its sessions, and who was at one."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from courses.reports import sessions as rules
from courses.reports.labels import lists
from courses.reports.labels import report as words
from courses.reports.views import navigation as ways
from courses.reports.views.files import exported
from courses.reports.views.question import asked, asked_of, column, zone
from lms.core import languages
from lms.core.access import requires, scope
from lms.core.errors import NotFound
from lms.core.scope import READERS
from lms.core.web import reporting

blueprint = Blueprint("report_sessions", __name__)

LARGEST = 2**63 - 1


@blueprint.get("/offerings/<int:offering_id>/sessions")
@requires(*READERS)
def page(offering_id: int) -> ResponseReturnValue:
    """An offering's sessions, and what it gives to the number one came from."""
    _demand(offering_id)
    filters, choices = asked()
    figure = column()
    return render_template(
        "reports/sessions.html",
        found=rules.of_offering(reporting(), offering_id, filters, scope()),
        filters=filters,
        here=ways.here(filters, figure),
        trail=[ways.top(filters), ways.offerings(filters, figure)],
        asked=asked_of(filters, choices, figure),
        **_words(),
    )


@blueprint.get("/offerings/<int:offering_id>/<any(sessions, lines):what>/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(offering_id: int, what: str, form: str) -> ResponseReturnValue:
    """The sessions, or the lines that the report adds up, as a file."""
    _demand(offering_id)
    filters, choices = asked()
    figure = column()
    found = rules.of_offering(reporting(), offering_id, filters, scope())
    of = asked_of(filters, choices, figure)
    sheet = lists.sessions(found, of, zone()) if what == "sessions" else lists.ledger_lines(found, of)
    question = filters.address() | {"offering": str(offering_id)}
    return exported(sheet, form, report=f"offering_{what}", name=f"{what}-{offering_id}", asked=question)


@blueprint.get("/offerings/<int:offering_id>/sessions/<int:session_id>/people")
@requires(*READERS)
def people(offering_id: int, session_id: int) -> ResponseReturnValue:
    """Who was at one session."""
    _demand(offering_id, session_id)
    filters, _choices = asked()
    figure = column()
    number = request.args.get("page", 1, type=int)
    return render_template(
        "reports/session_people.html",
        found=rules.people(reporting(), offering_id, session_id, scope(), page=number),
        here=ways.here(filters, figure),
        trail=[
            ways.top(filters), ways.offerings(filters, figure), ways.sessions(filters, figure, offering_id),
        ],
        **_words(),
    )  # fmt: skip


def _demand(*identities: int) -> None:
    if max(identities) > LARGEST:
        raise NotFound


def _words() -> dict[str, object]:
    return {"whole": languages.whole, "hours": words.hours, "roles": lists.ROLES, "kinds": lists.KINDS}
