"""The enrolment report, the districts by period, and the drill-down from each of their numbers."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, make_response, render_template, request, send_file
from flask.typing import ResponseReturnValue

from courses.counting.rule import RULE
from courses.reports import districts_by_period, enrolment, export_audit, offerings, pdf, people
from courses.reports.adjustments import adjustments
from courses.reports.districts_by_period import DistrictPeriodTable
from courses.reports.enrolment import ADJUSTMENTS_ON_PAGE
from courses.reports.forms.filters import GROUPING_LABELS
from courses.reports.labels import enrolment as enrolment_labels
from courses.reports.labels import lists, pictures
from courses.reports.labels import report as labels
from courses.reports.labels.pictures import Picture
from courses.reports.ledger import Figures
from courses.reports.questions import TIME_GROUPINGS, Figure, Filters, Grouping, Question
from courses.reports.report_rows import ReportRow
from courses.reports.trends import trend
from courses.reports.views import navigation, paging
from courses.reports.views.bar import make_bar, register_globals
from courses.reports.views.chart_images import is_narrow, svg_response
from courses.reports.views.questions import (
    drill_down_criteria,
    filter_form,
    page_number,
    request_figure,
    request_question,
    today,
    zone,
)
from courses.reports.views.sheets import send_sheet
from lms.core import clock, languages
from lms.core.access import requires, scope
from lms.core.languages import named
from lms.core.request_db import db, report_db
from lms.core.scope import READERS, STAFF_READERS
from lms.organisations.districts import everyone

blueprint = Blueprint("reports", __name__)
register_globals(blueprint)

PERIODS = (Grouping.MONTH, Grouping.QUARTER, Grouping.YEAR)

PER_INHABITANTS = "per_inhabitants"  # the query argument of the districts by period


def _template_globals() -> dict[str, object]:
    """The variables that the templates of the reports share (`reports/parts.html` reads them too)."""
    return {
        "headings": labels.headings(),
        "rule": RULE,
        "figure_text": labels.figure_text,
        "row_name": labels.row_name,
        "whole": languages.whole,
        "hours": labels.hours,
        "Figure": Figure,
        "Grouping": Grouping,
    }


def _address_of(endpoint: str, filters: Filters, **more: Any) -> str:
    return navigation.link(endpoint, {**filters.address(), **more})


@blueprint.get("/enrolment", endpoint="enrolment")
@requires(*STAFF_READERS)
def enrolment_page() -> ResponseReturnValue:
    """Show the report."""
    form, options = filter_form()
    status = 200 if form.validate() else 422
    question = Question(form.filters(zone()) if status == 200 else Filters(*form.year), scope())
    filters = question.filters
    report = enrolment.report(report_db(), question, zone=zone())
    listing = paging.listing(report.rows, lambda row: (row.name_zh, row.name_en, row.note), filters.grouping)
    view = navigation.view_arguments()
    page = render_template(
        "reports/enrolment.html",
        form=form,
        report=report,
        listing=listing,
        largest=0 if filters.grouping in TIME_GROUPINGS or len(report.rows) <= pictures.MAX_BARS else pictures.MAX_BARS,
        matching_figures=sum((row.figures for row in listing.matches or ()), Figures()),
        filters=filters,
        criteria=labels.criteria(filters, options),
        bar=make_bar("enrolment", form, options, shown=filters.grouping),
        whole_branch=not question.beside_branch,
        grouping=GROUPING_LABELS[filters.grouping],
        picture=picture_of(question, report.rows),
        opening=enrolment_labels.opening_rows(report, options),
        adjustments_on_page=ADJUSTMENTS_ON_PAGE,
        linked_cells=labels.linked_cells(
            _address_of("reports.offerings", filters, **view), _address_of("reports.people", filters, **view)
        ),
        **_template_globals(),
    )
    return make_response(page, status)


@blueprint.get("/enrolment/chart.svg")
@requires(*STAFF_READERS)
def enrolment_chart() -> ResponseReturnValue:
    """Draw the report's chart."""
    question, _options = request_question()
    rows = enrolment.rows(report_db(), question)
    return svg_response(picture_of(question, rows).draw(is_narrow()))


def picture_of(question: Question, rows: Sequence[ReportRow]) -> Picture:
    """The picture of a report's rows. A trend takes a statement of its own, for the year before."""
    return pictures.enrolment(rows, trend(report_db(), question, rows, today()), question.filters, today())


@blueprint.get("/enrolment/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def enrolment_export(form: str) -> ResponseReturnValue:
    """Send the report as CSV, XLSX or Parquet."""
    question, options = request_question()
    filters = question.filters
    report = enrolment.report(report_db(), question, zone=zone())
    sheet = enrolment_labels.report_sheet(report, options)
    return send_sheet(sheet, form, report="enrolment", name=f"enrolment-{filters.span}", arguments=filters.address())


@blueprint.get("/enrolment.pdf")
@requires(*STAFF_READERS)
def enrolment_paper() -> ResponseReturnValue:
    """Send the report as a PDF; one that would be too long leads back to the report and offers its files."""
    question, options = request_question()
    filters = question.filters
    report = enrolment.report(report_db(), question, zone=zone())
    if len(report.rows) > pdf.MAX_ROWS:
        page = render_template(
            "reports/too_long.html",
            filters=filters,
            criteria=labels.criteria(filters, options),
            rows=len(report.rows),
            limit=pdf.MAX_ROWS,
            whole=languages.whole,
        )
        return make_response(page, 422)
    document = pdf.render(
        enrolment_labels.report_document(report, options, picture_of(question, report.rows)), now=clock.now()
    )
    export_audit.record_export(db(), "enrolment", filters.address(), "pdf", len(report.rows))
    return send_file(
        io.BytesIO(document),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"enrolment-{filters.span}.pdf",
    )


@blueprint.get("/adjustments/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def adjustments_export(form: str) -> ResponseReturnValue:
    """Send all adjustments of the period, of which the report's page shows the latest, as a file."""
    question, options = request_question()
    filters = question.filters
    sheet = lists.adjustments(adjustments(report_db(), question), labels.criteria(filters, options)[:-1])
    name = f"adjustments-{filters.span}"
    return send_sheet(sheet, form, report="adjustments", name=name, arguments=filters.address())


@blueprint.get("/districts")
@requires(*READERS)
def districts() -> ResponseReturnValue:
    """Show person-times by district and by month, quarter or year."""
    form, options = filter_form()
    status = 200 if form.validate() else 422
    filters = form.filters(zone()) if status == 200 else Filters(*form.year)
    if filters.grouping not in TIME_GROUPINGS:
        filters = replace(filters, grouping=Grouping.MONTH)
    question = Question(filters, scope())
    table = districts_by_period.table(report_db(), question)
    branch = None if question.covers_branch else enrolment.branch_total(report_db(), question).person_times
    page = render_template(
        "reports/districts.html",
        form=form,
        table=table,
        by_rate=request.args.get(PER_INHABITANTS) == "1",
        rate_text=lambda rate: "–" if rate is None else f"{rate:,.1f}",
        picture=_map(question, table),
        filters=filters,
        criteria=labels.criteria(filters, options),
        names={int(option.key): named(option) for option in options.districts},
        branch=branch,
        bar=make_bar("districts", form, options, groupings=PERIODS, shown=filters.grouping),
        down_arguments={
            **filters.address(),
            "column": Figure.PERSON_TIMES.value,
            "via": "districts" if filters.district is None else "district",
        },
        **_template_globals(),
    )
    return make_response(page, status)


@blueprint.get("/districts/map.svg")
@requires(*READERS)
def districts_map() -> ResponseReturnValue:
    """Draw the map of the districts."""
    question, _options = request_question()
    filters = question.filters
    # The map needs no periods, and years are the fewest; a key belongs to the grouping that it came with.
    coarse = Question(filters if filters.key else replace(filters, grouping=Grouping.YEAR), scope())
    return svg_response(_map(coarse, districts_by_period.table(report_db(), coarse)).draw(is_narrow()))


def _map(question: Question, table: DistrictPeriodTable) -> Picture:
    """The map of the districts that the question covers."""
    covered = [district for district in everyone(report_db()) if question.covers_district(district.id)]
    person_times = {district: table.of_district(district) for district in table.districts}
    return pictures.district_map(covered, person_times, table.people)


@blueprint.get("/districts/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def districts_export(form: str) -> ResponseReturnValue:
    """Send the figures by programme, district and period as a file."""
    question, options = request_question()
    filters = question.filters
    rows = districts_by_period.figures(report_db(), question)
    sheet = enrolment_labels.districts_sheet(rows, filters, options)
    return send_sheet(sheet, form, report="districts", name=f"districts-{filters.span}", arguments=filters.address())


@blueprint.get("/offerings", endpoint="offerings")
@requires(*STAFF_READERS)
def offerings_page() -> str:
    """Show the offerings that a number is made of."""
    question, options = request_question()
    figure = request_figure()
    return render_template(
        "reports/offerings.html",
        offerings=offerings.drill_down(report_db(), question, figure=figure, page=page_number()),
        criteria=drill_down_criteria(question, options, figure),
        figure=figure,
        carried=navigation.carried_arguments(question.filters, figure),
        trail=[navigation.report_crumb(question.filters)],
        **_template_globals(),
    )


@blueprint.get("/in-progress")
@requires(*STAFF_READERS)
def in_progress() -> str:
    """Show the offerings in progress, which are in no total of the report."""
    question, options = request_question()
    return render_template(
        "reports/in_progress.html",
        offerings=offerings.open_offerings(report_db(), question, zone=zone()),
        carried=navigation.carried_arguments(question.filters),
        criteria=drill_down_criteria(question, options),
        trail=[navigation.report_crumb(question.filters)],
        **_template_globals(),
    )


@blueprint.get("/in-progress/export/<any(csv, xlsx, parquet):form>")
@requires(*STAFF_READERS)
def in_progress_export(form: str) -> ResponseReturnValue:
    """Send the offerings in progress as a file."""
    question, options = request_question()
    filters = question.filters
    in_progress = offerings.open_offerings(report_db(), question, zone=zone())
    sheet = lists.in_progress(in_progress, drill_down_criteria(question, options))
    name = f"in-progress-{filters.span}"
    return send_sheet(sheet, form, report="in_progress", name=name, arguments=filters.address())


@blueprint.get("/people", endpoint="people")
@requires(*STAFF_READERS)
def people_page() -> str:
    """Show the distinct people that a number is made of."""
    question, options = request_question()
    filters = question.filters
    return render_template(
        "reports/people.html",
        people=people.drill_down(report_db(), question, page=page_number()),
        criteria=drill_down_criteria(question, options),
        carried=navigation.carried_arguments(filters),
        trail=[navigation.report_crumb(filters)],
        offerings=navigation.offerings_crumb(filters, None).address,
        **_template_globals(),
    )


@blueprint.get("/offerings/<int:offering_id>/people")
@requires(*STAFF_READERS)
def offering_people(offering_id: int) -> str:
    """Show the people of an offering. The filters in the query string lead back up."""
    question, _options = request_question()
    filters, figure = question.filters, request_figure()
    return render_template(
        "reports/offering_people.html",
        people=people.of_offering(report_db(), offering_id, scope()),
        carried=navigation.carried_arguments(filters, figure),
        trail=[
            navigation.report_crumb(filters),
            navigation.offerings_crumb(filters, figure),
            navigation.sessions_crumb(filters, figure, offering_id),
        ],
        **_template_globals(),
    )
