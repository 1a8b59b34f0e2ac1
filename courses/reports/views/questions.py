"""The question of the current request: its filters are read from the query string, and its scope is the user's."""

import re
from datetime import date
from zoneinfo import ZoneInfo

from flask import current_app, g, request
from flask_babel import gettext as _

from courses.reports import enrolment
from courses.reports.filter_options import FilterOptions, filter_options
from courses.reports.forms.filters import GROUPING_LABELS, ReportFilterForm
from courses.reports.labels import report as labels
from courses.reports.questions import Figure, Filters, Grouping, Question
from courses.reports.report_rows import empty_rows
from lms.core import clock, edge
from lms.core.access import scope
from lms.core.errors import N_, DomainError
from lms.core.request_db import report_db

KEY = re.compile(r"[A-Z0-9_-]{1,40}|[a-z_]{1,20}")


def zone() -> ZoneInfo:
    """The branch's time zone."""
    branch_zone: ZoneInfo = current_app.config["SETTINGS"].zone
    return branch_zone


def today() -> date:
    """The day in the branch's time zone."""
    return clock.today(zone())


def page_number() -> int:
    """The page of a list that the query string asks for."""
    return request.args.get("page", 1, type=edge.page_number)


def request_host() -> int | None:
    """The host that the query string names; None where it names none, or no number of a row."""
    return request.args.get("host", type=edge.row_id)


def filter_form() -> tuple[ReportFilterForm, FilterOptions]:
    """The filter bar, filled from the query string, and its options."""
    options = filter_options(report_db(), scope(), request_host())
    form = ReportFilterForm(request.args, options, today())
    g.report_form = form, options  # the bar of a drill-down shows it
    return form, options


def request_filters() -> tuple[Filters, FilterOptions]:
    """The filters of a link that one of our pages made. Raises DomainError when the query string cannot be read."""
    form, options = filter_form()
    key = request.args.get("key") or None
    if not form.validate() or (key is not None and not KEY.fullmatch(key)):
        raise DomainError(
            "filters", N_("The filters in this address cannot be read. Open the report and choose again."), status=422
        )
    return form.filters(zone(), key), options


def request_question() -> tuple[Question, FilterOptions]:
    """The question of a link that one of our pages made.

    Raises DomainError when the query string cannot be read, and NotFound for a district outside of the scope.
    """
    filters, options = request_filters()
    return Question(filters, scope()), options


def request_figure() -> Figure | None:
    """The figure that a drill-down is about; None where it is about none, or the query string names no figure."""
    name = request.args.get("column")
    return Figure(name) if name in set(Figure) else None


def drill_down_criteria(
    question: Question, options: FilterOptions, figure: Figure | None = None
) -> list[tuple[str, str]]:
    """The question of a drill-down as (label, value): the report's filters, the row, and the figure."""
    filters = question.filters
    criteria = labels.criteria(filters, options)[:-1]
    if filters.key is not None:
        # Hosts and instructors are named only where the reader's own rows have them; the other names are public.
        by_name = filters.grouping in {Grouping.HOST, Grouping.INSTRUCTOR}
        rows = (
            enrolment.rows(report_db(), question)
            if by_name
            else empty_rows(report_db(), filters.grouping, {filters.key})
        )
        criteria.append((str(GROUPING_LABELS[filters.grouping]), labels.key_name(filters, rows)))
    if figure is not None:
        criteria.append((_("Figure"), str(labels.FIGURE_LABELS[figure])))
    return criteria
