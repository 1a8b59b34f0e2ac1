"""The indicators page: person-times against the target and the year before, rates, and the certificates valid today."""

from functools import partial

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from courses.counting.rule import RULE
from courses.reports import indicators, valid_certificates
from courses.reports.filter_options import filter_options
from courses.reports.forms.filters import GROUPING_LABELS, ReportFilterForm
from courses.reports.labels import indicators as indicator_labels
from courses.reports.labels import pictures
from courses.reports.labels import report as labels
from courses.reports.questions import TIME_GROUPINGS, Filters, Grouping, Question
from courses.reports.views import navigation, paging
from courses.reports.views.bar import make_bar
from courses.reports.views.chart_images import is_narrow, svg_response
from courses.reports.views.questions import request_host, request_question, today, zone
from courses.reports.views.sheets import send_sheet
from lms.core import languages
from lms.core.access import requires, scope
from lms.core.request_db import report_db
from lms.core.scope import STAFF_READERS

blueprint = Blueprint("indicators", __name__)


@blueprint.get("/")
@requires(*STAFF_READERS)
def page() -> ResponseReturnValue:
    """Show the indicators, by district unless another grouping is asked for."""
    options = filter_options(report_db(), scope(), request_host())
    form = ReportFilterForm(request.args, options, today(), Grouping.DISTRICT)
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
        bar=make_bar("indicators", form, options, shown=filters.grouping),
        filters=filters,
        whole_branch=not question.beside_branch,
        today=today(),
        valid=valid_certificates.count(report_db(), today(), scope()),
        criteria=labels.criteria(filters, options),
        grouping=GROUPING_LABELS[filters.grouping],
        has_periods=has_periods,
        largest=0 if has_periods or len(report.rows) <= pictures.MAX_BARS else pictures.MAX_BARS,
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
        pictures=[
            (picture, navigation.link(".chart", {**filters.address(), "kind": kind}))
            for kind, picture in (
                ("completion", pictures.completion(report.completions, filters)),
                ("rates", pictures.rates(report.pass_rates, report.no_show_rates, filters)),
            )
            if picture.description
        ],
    )
    return make_response(text, status)


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def export(form: str) -> ResponseReturnValue:
    """Send the indicators as a file. Rates are shares of 1 there."""
    question, options = request_question()
    filters = question.filters
    report = indicators.report(report_db(), question, zone=zone())
    valid = valid_certificates.count(report_db(), today(), scope())
    sheet = indicator_labels.sheet(report, filters, options, valid.by_district)
    return send_sheet(sheet, form, report="indicators", name=f"indicators-{filters.span}", arguments=filters.address())


@blueprint.get("/<any(rates, completion):kind>.svg")
@requires(*STAFF_READERS)
def chart(kind: str) -> ResponseReturnValue:
    """Draw the pass rates and no-show rates ("rates"), or the part of the targets that was reached ("completion")."""
    question, _options = request_question()
    filters = question.filters
    if kind == "rates":
        picture = pictures.rates(*indicators.rates(report_db(), question), filters)
    else:
        picture = pictures.completion(indicators.completions(report_db(), question), filters)
    return svg_response(picture.draw(is_narrow()))


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
