"""Hours taught: every instructor's by role, the sessions they are made of, and the same as a picture and as a file."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.reports import charts
from courses.reports import hours as rules
from courses.reports.filters import Filters, Grouping, Options, presets
from courses.reports.forms.filters import FilterForm
from courses.reports.hours import Hours, Order
from courses.reports.labels import lists
from courses.reports.labels import report as words
from courses.reports.views import navigation as ways
from courses.reports.views import paging
from courses.reports.views.files import exported
from courses.reports.views.question import filter_form, today, zone
from lms.core import clock, languages
from lms.core.access import requires, scope
from lms.core.errors import N_, DomainError, NotFound
from lms.core.exports import Sheet
from lms.core.paging import ALL, PAGE_SIZE
from lms.core.scope import READERS
from lms.core.web import reporting

blueprint = Blueprint("report_hours", __name__)

LARGEST = 2**63 - 1
COLUMNS = {
    Order.TAUGHT: _l("Hours taught"),
    Order.LEAD: _l("As lead"),
    Order.ASSISTANT: _l("As assistant"),
    Order.EXAMINER: _l("As examiner"),
    Order.SESSIONS: _l("Sessions taught"),
    Order.MISSING: _l("Sessions without check-in"),
    Order.PLANNED: _l("Hours planned for them"),
}
IN_HOURS = frozenset({Order.TAUGHT, Order.LEAD, Order.ASSISTANT, Order.EXAMINER, Order.PLANNED})


def shown(hours: Hours, column: Order) -> str:
    """A figure as the page shows it."""
    value = int(getattr(hours, column.value))
    return words.hours(value) if column in IN_HOURS else languages.whole(value)


@blueprint.get("/hours")
@requires(*READERS)
def page() -> ResponseReturnValue:
    """Every instructor's hours."""
    form, choices = filter_form()
    status = 200 if form.validate() else 422
    filters = _question(form) if status == 200 else Filters(*form.year, grouping=Grouping.INSTRUCTOR)
    order = _order()
    found = rules.report(reporting(), filters, scope(), order=order, zone=zone(), now=clock.now())
    answer = render_template(
        "reports/hours.html",
        form=form,
        found=found,
        listing=paging.listing(found.rows, lambda row: (row.name, row.registration_number), filters.grouping),
        kept=_asking(filters, order),
        down=url_for(".sessions", instructor_id=0, via="hours", **_arguments({**filters.address(), **ways.down()})),
        filters=filters,
        asked=list(words.question(filters, choices))[:-1],
        order=order,
        presets=[
            {
                "label": words.PERIODS[one.name],
                "address": _to(".page", replace(filters, since=one.since, until=one.until)),
                "current": (one.since, one.until) == (filters.since, filters.until),
            }
            for one in presets(today())
        ],
        chart=_to(".chart", filters),
        description=_described(found.total),
        whole_branch=scope().everything and not filters.narrowed,
        columns=COLUMNS,
        Order=Order,
        shown=shown,
        whole=languages.whole,
        hours=words.hours,
        counted=counted(),
    )
    return make_response(answer, status)


@blueprint.get("/hours/<int:instructor_id>")
@requires(*READERS)
def sessions(instructor_id: int) -> ResponseReturnValue:
    """The sessions that an instructor's hours are made of."""
    filters, choices = _asked()
    part = _order_of(ways.PART, Order.NAME)
    found = _taught(instructor_id, filters, part, page=request.args.get("page", 1, type=int))
    return make_response(
        render_template(
            "reports/hours_sessions.html",
            found=found,
            here={**ways.here(filters.of_row(str(instructor_id))), "via": "hours"},
            files={**filters.address(), "instructor_id": instructor_id, **_part(part)},
            trail=[ways.top(filters, "hours")],
            asked=_asked_of(filters, choices, part),
            roles=lists.ROLES,
            whole=languages.whole,
            hours=words.hours,
        )
    )


@blueprint.get("/hours/<int:instructor_id>/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def sessions_export(instructor_id: int, form: str) -> ResponseReturnValue:
    """All of an instructor's sessions as a file."""
    filters, choices = _asked()
    part = _order_of(ways.PART, Order.NAME)
    found = _taught(instructor_id, filters, part, size=ALL)
    sheet = lists.taught(found, _asked_of(filters, choices, part), counted(), zone())
    question = filters.address() | {"instructor": str(instructor_id), **_part(part)}
    name = f"sessions-taught-{instructor_id}-{filters.span}"
    return exported(sheet, form, report="hours_sessions", name=name, asked=question)


def _taught(
    instructor_id: int, filters: Filters, part: Order, *, page: int = 1, size: int = PAGE_SIZE
) -> rules.TaughtSessions:
    if instructor_id > LARGEST:
        raise NotFound
    return rules.sessions(
        reporting(), instructor_id, filters, scope(), part=part, zone=zone(), now=clock.now(), page=page, size=size
    )


def _part(part: Order) -> dict[str, str]:
    """How the figure that sessions give to stands in an address."""
    return {} if part is Order.NAME else {ways.PART: part.value}


def _asked_of(filters: Filters, choices: Options, part: Order) -> list[tuple[str, str]]:
    figure = [] if part is Order.NAME else [(_("Figure"), str(COLUMNS[part]))]
    return [*list(words.question(filters, choices))[:-1], *figure]


@blueprint.get("/hours/chart.svg")
@requires(*READERS)
def chart() -> ResponseReturnValue:
    """The hours month by month, by role. `narrow=1` draws it for a phone."""
    filters, _choices = _asked()
    months = rules.by_month(reporting(), filters, scope(), zone=zone(), now=clock.now())
    drawn = charts.stacked_bars(
        title=_("Hours taught by month"),
        description=_described(sum((one for _month, one in months), Hours())),
        names=[month for month, _hours in months],
        series=[
            (str(COLUMNS[role]), [round(int(getattr(one, role.value)) / 60) for _month, one in months])
            for role in (Order.LEAD, Order.ASSISTANT, Order.EXAMINER)
        ],
        upright=True,
        narrow=request.args.get("narrow") == "1",
        nothing=_("Nobody taught in this period."),
    )
    answer = Response(drawn, mimetype="image/svg+xml")
    answer.headers["Content-Security-Policy"] = charts.CONTENT_SECURITY_POLICY
    return answer


@blueprint.get("/hours/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """Every instructor's hours as a file."""
    filters, choices = _asked()
    found = rules.report(reporting(), filters, scope(), order=_order(), zone=zone(), now=clock.now())
    sheet = _sheet(found, filters, choices)
    return exported(sheet, form, report="hours", name=f"hours-{filters.span}", asked=filters.address())


def _sheet(found: rules.Report, filters: Filters, choices: Options) -> Sheet:
    return Sheet(
        title=_("Hours taught"),
        preamble=words.preamble([*list(words.question(filters, choices))[:-1], (_("How it is counted"), counted())]),
        headings=[_("Instructor"), _("Registration number"), *(str(label) for label in COLUMNS.values())],
        rows=[[row.name, row.registration_number, *_cells(row.hours)] for row in found.rows],
        total=[_("Total"), None, *_cells(found.total)],
        widths=[16, 18],
    )


def _cells(hours: Hours) -> list[float]:
    figures = {column: int(getattr(hours, column.value)) for column in COLUMNS}
    return [round(value / 60, 2) if column in IN_HOURS else value for column, value in figures.items()]


def counted() -> str:
    """The rule of hours, in words."""
    return _(
        "Hours count from the own check-in to the check-out, within the session's planned hours. A session without a check-in"
        " counts no hours; what was planned for it stands apart. A session belongs to the district of its offering."
    )


def _described(total: Hours) -> str:
    return _(
        "Hours: %(taught)s; %(lead)s as lead, %(assistant)s as assistant, %(examiner)s as examiner.",
        taught=words.hours(total.taught),
        lead=words.hours(total.lead),
        assistant=words.hours(total.assistant),
        examiner=words.hours(total.examiner),
    )


def _question(form: FilterForm) -> Filters:
    return replace(form.filters(zone()), grouping=Grouping.INSTRUCTOR, known_before=None)


def _asked() -> tuple[Filters, Options]:
    form, choices = filter_form()
    if not form.validate():
        raise DomainError(
            "filters", N_("The filters in this address cannot be read. Open the report and choose again."), status=422
        )
    return _question(form), choices


def _order() -> Order:
    return _order_of("order", Order.TAUGHT)


def _order_of(name: str, otherwise: Order) -> Order:
    found = request.args.get(name)
    return Order(found) if found in set(Order) else otherwise


def _asking(filters: Filters, order: Order) -> dict[str, str]:
    return {**filters.address(), **({} if order is Order.TAUGHT else {"order": order.value})}


def _to(endpoint: str, filters: Filters) -> str:
    return url_for(endpoint, **_arguments(_asking(filters, _order())))


def _arguments(arguments: dict[str, str]) -> dict[str, Any]:
    """For url_for, whose own arguments have other types."""
    return dict(arguments)
