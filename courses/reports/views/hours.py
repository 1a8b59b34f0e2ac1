"""The pages of hours taught: all instructors by role, the sessions of one of them, the chart, and the files."""

from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.reports import hours
from courses.reports.filter_options import FilterOptions
from courses.reports.forms.filters import ReportFilterForm
from courses.reports.hours import Hours, HoursColumn, HoursReport, TaughtSessions
from courses.reports.labels import lists, pictures
from courses.reports.labels import report as labels
from courses.reports.labels.pictures import Picture
from courses.reports.questions import Filters, Grouping, Question
from courses.reports.views import navigation, paging
from courses.reports.views.bar import make_bar
from courses.reports.views.chart_images import is_narrow, svg_response
from courses.reports.views.questions import filter_form, page_number, zone
from courses.reports.views.sheets import send_sheet
from lms.core import clock, languages
from lms.core.access import requires, scope
from lms.core.errors import N_, DomainError
from lms.core.exports import DecimalHours, Sheet
from lms.core.paging import ALL, PAGE_SIZE
from lms.core.request_db import report_db
from lms.core.scope import STAFF_READERS

blueprint = Blueprint("report_hours", __name__)

COLUMN_LABELS = {
    HoursColumn.TAUGHT: _l("Hours taught"),
    HoursColumn.LEAD: _l("As lead"),
    HoursColumn.ASSISTANT: _l("As assistant"),
    HoursColumn.EXAMINER: _l("As examiner"),
    HoursColumn.SESSIONS: _l("Sessions taught"),
    HoursColumn.MISSING: _l("Sessions without check-in"),
    HoursColumn.PLANNED: _l("Planned hours without check-in"),
}
# The columns whose figures are minutes and are shown as hours.
IN_HOURS = frozenset(
    {HoursColumn.TAUGHT, HoursColumn.LEAD, HoursColumn.ASSISTANT, HoursColumn.EXAMINER, HoursColumn.PLANNED}
)


def cell_text(figures: Hours, column: HoursColumn) -> str:
    """A figure as the page shows it."""
    value = int(getattr(figures, column.value))
    return labels.hours(value) if column in IN_HOURS else languages.whole(value)


@blueprint.get("/hours")
@requires(*STAFF_READERS)
def page() -> ResponseReturnValue:
    """Show the hours of every instructor."""
    form, options = filter_form()
    status = 200 if form.validate() else 422
    filters = _filters(form) if status == 200 else Filters(*form.year, grouping=Grouping.INSTRUCTOR)
    question = Question(filters, scope())
    sort_by = _sort_column()
    report = hours.report(report_db(), question, sort_by=sort_by, zone=zone(), now=clock.now())
    # The template puts the id of each instructor in the place of the 0.
    down_arguments = {"instructor_id": 0, "via": "hours", **filters.address(), **navigation.view_arguments()}
    text = render_template(
        "reports/hours.html",
        form=form,
        report=report,
        listing=paging.listing(report.rows, lambda row: (row.name, row.registration_number), filters.grouping),
        view_arguments=_view_arguments(filters, sort_by),
        down=navigation.link(".sessions", down_arguments),
        filters=filters,
        criteria=labels.criteria(filters, options)[:-1],
        sort_by=sort_by,
        bar=make_bar("hours", form, options, groupings=(), shown=Grouping.INSTRUCTOR, more=_sort_argument(sort_by)),
        chart=navigation.link(".chart", _view_arguments(filters, sort_by)),
        description=_describe(report.total),
        whole_branch=not question.beside_branch,
        columns=COLUMN_LABELS,
        HoursColumn=HoursColumn,
        cell_text=cell_text,
        whole=languages.whole,
        hours=labels.hours,
        rule=rule_text(),
    )
    return text, status


@blueprint.get("/hours/<int:instructor_id>")
@requires(*STAFF_READERS)
def sessions(instructor_id: int) -> ResponseReturnValue:
    """Show the sessions that an instructor's hours are made of."""
    question, options = _request_question()
    filters, column = question.filters, _column_of(navigation.PART, HoursColumn.NAME)
    return render_template(
        "reports/hours_sessions.html",
        taught=_taught_sessions(instructor_id, question, column, page=page_number()),
        carried={**navigation.carried_arguments(filters.with_key(str(instructor_id))), "via": "hours"},
        file_arguments={**filters.address(), "instructor_id": instructor_id, **_part_argument(column)},
        trail=[navigation.report_crumb(filters, "hours")],
        criteria=_session_criteria(filters, options, column),
        roles=lists.ROLE_LABELS,
        whole=languages.whole,
        hours=labels.hours,
    )


@blueprint.get("/hours/<int:instructor_id>/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def sessions_export(instructor_id: int, form: str) -> ResponseReturnValue:
    """Send all of an instructor's sessions as a file."""
    question, options = _request_question()
    filters, column = question.filters, _column_of(navigation.PART, HoursColumn.NAME)
    taught = _taught_sessions(instructor_id, question, column, size=ALL)
    sheet = lists.taught_sessions(taught, _session_criteria(filters, options, column), rule_text(), zone())
    arguments = filters.address() | {"instructor": str(instructor_id), **_part_argument(column)}
    name = f"sessions-taught-{instructor_id}-{filters.span}"
    return send_sheet(sheet, form, report="hours_sessions", name=name, arguments=arguments)


def _taught_sessions(
    instructor_id: int, question: Question, column: HoursColumn, *, page: int = 1, size: int = PAGE_SIZE
) -> TaughtSessions:
    return hours.taught_sessions(
        report_db(), instructor_id, question, column=column, zone=zone(), now=clock.now(), page=page, size=size
    )


def _part_argument(column: HoursColumn) -> dict[str, str]:
    """The column of a drill-down as a query argument."""
    return {} if column is HoursColumn.NAME else {navigation.PART: column.value}


def _session_criteria(filters: Filters, options: FilterOptions, column: HoursColumn) -> list[tuple[str, str]]:
    figure = [] if column is HoursColumn.NAME else [(_("Figure"), str(COLUMN_LABELS[column]))]
    return [*labels.criteria(filters, options)[:-1], *figure]


@blueprint.get("/hours/chart.svg")
@requires(*STAFF_READERS)
def chart() -> ResponseReturnValue:
    """Draw the hours by month and role."""
    question, _options = _request_question()
    months = hours.by_month(report_db(), question, zone=zone(), now=clock.now())
    return svg_response(_picture(months).draw(is_narrow()))


def _picture(months: Sequence[tuple[str, Hours]]) -> Picture:
    roles = (HoursColumn.LEAD, HoursColumn.ASSISTANT, HoursColumn.EXAMINER)
    total = _describe(sum((figures for _month, figures in months), Hours()))
    return pictures.hours_by_month(months, total, [(str(COLUMN_LABELS[role]), role.value) for role in roles])


@blueprint.get("/hours/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def export(form: str) -> ResponseReturnValue:
    """Send the hours of every instructor as a file."""
    question, options = _request_question()
    filters = question.filters
    report = hours.report(report_db(), question, sort_by=_sort_column(), zone=zone(), now=clock.now())
    sheet = _sheet(report, filters, options)
    return send_sheet(sheet, form, report="hours", name=f"hours-{filters.span}", arguments=filters.address())


def _sheet(report: HoursReport, filters: Filters, options: FilterOptions) -> Sheet:
    rule = (_("How it is counted"), rule_text())
    return Sheet(
        title=_("Hours taught"),
        preamble=labels.preamble([*labels.criteria(filters, options)[:-1], rule]),
        headings=[_("Instructor"), _("Registration number"), *(str(label) for label in COLUMN_LABELS.values())],
        rows=[[row.name, row.registration_number, *_cells(row.hours)] for row in report.rows],
        total=[_("Total"), None, *_cells(report.total)],
        widths=[16, 18],
    )


def _cells(figures: Hours) -> list[float]:
    values = {column: int(getattr(figures, column.value)) for column in COLUMN_LABELS}
    return [DecimalHours(value / 60) if column in IN_HOURS else value for column, value in values.items()]


def rule_text() -> str:
    """The counting rule of hours, in the reader's language."""
    return _(
        "Hours are counted from check-in to check-out, within the session's planned hours. A session without a "
        "check-in counts no hours; its planned hours are shown separately. A session belongs to the district of its"
        " offering."
    )


def _describe(total: Hours) -> str:
    return _(
        "Hours: %(taught)s; %(lead)s as lead, %(assistant)s as assistant, %(examiner)s as examiner.",
        taught=labels.hours(total.taught),
        lead=labels.hours(total.lead),
        assistant=labels.hours(total.assistant),
        examiner=labels.hours(total.examiner),
    )


def _filters(form: ReportFilterForm) -> Filters:
    """The filters of a form that validated. The hours have one grouping, and no earlier state of knowledge."""
    return replace(form.filters(zone()), grouping=Grouping.INSTRUCTOR, known_before=None)


def _request_question() -> tuple[Question, FilterOptions]:
    form, options = filter_form()
    if not form.validate():
        raise DomainError(
            "filters", N_("The filters in this address cannot be read. Open the report and choose again."), status=422
        )
    return Question(_filters(form), scope()), options


def _sort_column() -> HoursColumn:
    return _column_of("order", HoursColumn.TAUGHT)


def _column_of(argument: str, default: HoursColumn) -> HoursColumn:
    name = request.args.get(argument)
    return HoursColumn(name) if name in set(HoursColumn) else default


def _view_arguments(filters: Filters, sort_by: HoursColumn) -> dict[str, str]:
    """The filters and the sort column as query arguments."""
    return {**filters.address(), **_sort_argument(sort_by)}


def _sort_argument(sort_by: HoursColumn) -> dict[str, str]:
    return {} if sort_by is HoursColumn.TAUGHT else {"order": sort_by.value}
