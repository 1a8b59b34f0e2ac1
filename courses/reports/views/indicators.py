"""The indicators page: person-times against the target and the year before, rates, and the certificates valid today."""

from collections.abc import Sequence
from functools import partial

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.counting.rule import RULE
from courses.reports import charts, indicators, valid_certificates
from courses.reports.filter_options import filter_options
from courses.reports.forms.filters import GROUPING_LABELS, ReportFilterForm
from courses.reports.indicators import RowRate
from courses.reports.labels import indicators as indicator_labels
from courses.reports.labels import report as labels
from courses.reports.questions import TIME_GROUPINGS, Filters, Grouping, Question
from courses.reports.views import navigation, paging
from courses.reports.views.chart_images import is_narrow, svg_response
from courses.reports.views.questions import request_host, request_question, today, zone
from courses.reports.views.sheets import send_sheet
from lms.core import languages
from lms.core.access import requires, scope
from lms.core.request_db import report_db
from lms.core.scope import READERS

blueprint = Blueprint("indicators", __name__)

MAX_BARS = 20  # of a chart whose rows are no periods: the first rows


@blueprint.get("/")
@requires(*READERS)
def page() -> ResponseReturnValue:
    """Show the indicators, by district unless another grouping is asked for."""
    options = filter_options(report_db(), scope(), request_host())
    arguments = request.args.copy()
    arguments.setdefault("grouping", Grouping.DISTRICT.value)
    form = ReportFilterForm(arguments, options, today())
    status = 200 if form.validate() else 422
    filters = form.filters(zone()) if status == 200 else Filters(*form.year, grouping=Grouping.DISTRICT)
    question = Question(filters, scope())
    report = indicators.report(report_db(), question, zone=zone())
    has_periods = filters.grouping in TIME_GROUPINGS
    listing = paging.listing(
        report.rows,
        lambda indicator: (indicator.row.name_zh, indicator.row.name_en, indicator.row.note),
        filters.grouping,
    )
    text = render_template(
        "reports/indicators.html",
        form=form,
        report=report,
        listing=listing,
        filters=filters,
        whole_branch=question.covers_branch,
        today=today(),
        valid=valid_certificates.count(report_db(), today(), scope()),
        criteria=labels.criteria(filters, options),
        grouping=GROUPING_LABELS[filters.grouping],
        has_periods=has_periods,
        largest=0 if has_periods or len(report.rows) <= MAX_BARS else MAX_BARS,
        Grouping=Grouping,
        row_name=labels.row_name,
        whole=languages.whole,
        rule=RULE,
        percent=indicator_labels.percent,
        mean=indicator_labels.mean,
        branch_rates=(
            indicators.pass_rate(report.branch.figures),
            indicators.no_show_rate(report.branch.figures),
            indicators.class_size(report.branch.figures),
        ),
        links=_links(filters),
        key_before=partial(indicators.key_a_year_before, filters.grouping),
        rates_described=_describe(filters, [(_("Pass rate"), report.pass_rates), (_("No-show"), report.no_show_rates)]),
        completion_described=_describe(filters, [(_("Completion"), report.completions)]),
        charts={
            name: navigation.link(".chart", {**filters.address(), "kind": name}) for name in ("rates", "completion")
        },
    )
    return make_response(text, status)


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """Send the indicators as a file. Rates are shares of 1 there."""
    question, options = request_question()
    filters = question.filters
    report = indicators.report(report_db(), question, zone=zone())
    valid = valid_certificates.count(report_db(), today(), scope())
    sheet = indicator_labels.sheet(report, filters, options, valid.by_district)
    return send_sheet(sheet, form, report="indicators", name=f"indicators-{filters.span}", arguments=filters.address())


@blueprint.get("/<any(rates, completion):kind>.svg")
@requires(*READERS)
def chart(kind: str) -> ResponseReturnValue:
    """Draw the pass rates and no-show rates ("rates"), or the part of the targets that was reached ("completion")."""
    question, _options = request_question()
    filters = question.filters
    series: list[tuple[str, list[RowRate]]]
    if kind == "rates":
        pass_rates, no_show_rates = indicators.rates(report_db(), question)
        title, series = (
            _("Pass rate and no-show rate"), [(_("Pass rate"), pass_rates), (_("No-show"), no_show_rates)],
        )  # fmt: skip
    else:
        title, series = _("Targets reached"), [(_("Completion"), indicators.completions(report_db(), question))]
    bars = None if filters.grouping in TIME_GROUPINGS else MAX_BARS
    rates_of_rows = series[0][1]
    svg = charts.shares(
        title=title,
        description=_describe(filters, series),
        names=[labels.row_name(rate.row, filters.grouping) for rate in rates_of_rows[:bars]],
        series=[(label, [rate.share for rate in rates[:bars]]) for label, rates in series],
        lines=filters.grouping in TIME_GROUPINGS and len(rates_of_rows) > 1,
        narrow=is_narrow(),
        nothing=_("Nothing was counted in this period."),
    )
    return svg_response(svg)


def _describe(filters: Filters, series: Sequence[tuple[str, Sequence[RowRate]]]) -> str:
    """A chart in words: the mean of each series, its smallest and its largest row.

    Empty where there is nothing to draw.
    """
    texts = []
    for label, rates in series:
        known = [rate for rate in rates if rate.share is not None]
        if not known:
            continue
        least, most = (choose(known, key=lambda rate: rate.share or 0.0) for choose in (min, max))
        texts.append(
            _(
                "%(label)s: %(mean)s together, from %(least)s (%(least_name)s) to %(most)s (%(most_name)s).",
                label=label,
                mean=indicator_labels.percent(sum(rate.part for rate in known) / sum(rate.whole for rate in known)),
                least=indicator_labels.percent(least.share),
                least_name=labels.row_name(least.row, filters.grouping),
                most=indicator_labels.percent(most.share),
                most_name=labels.row_name(most.row, filters.grouping),
            )
        )
    return " ".join(texts)


def _links(filters: Filters) -> dict[str, str]:
    """The links that the table's numbers lead to, each without the key of a row: made once a page, not once a cell."""
    view = navigation.view_arguments()
    this_year = {**filters.address(), "via": "indicators", **view}
    year_before = {**filters.a_year_before().address(), "via": "indicators-later", **view}
    certified = this_year | {"column": "certificates"}
    if filters.refresher is None:
        certified["via"] = "indicators-kind"
    return {
        "offerings": navigation.link("reports.offerings", this_year),
        "first": navigation.link("reports.offerings", certified | {"refresher": "0"}),
        "renewed": navigation.link("reports.offerings", certified | {"refresher": "1"}),
        "before": navigation.link("reports.offerings", year_before | {"column": "person_times"}),
        "people": navigation.link("reports.people", this_year),
        "waiting": navigation.link("report_waiting.page", this_year),
    }
