"""The enrolment report, and the way down from each of its numbers. All of a page's question stands in its address."""

import io
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.counting.rule import RULE
from courses.reports import charts, exporting, pdf
from courses.reports import cross as cross_rules
from courses.reports import enrolment as report_rules
from courses.reports import offerings as offering_rules
from courses.reports import people as people_rules
from courses.reports.enrolment import Report, Row
from courses.reports.filters import PERIODS, Column, Filters, Grouping, Period, presets
from courses.reports.forms.filters import GROUPINGS
from courses.reports.labels import lists
from courses.reports.labels import report as words
from courses.reports.ledger import Figures
from courses.reports.views import navigation as ways
from courses.reports.views import paging
from courses.reports.views.files import exported
from courses.reports.views.question import asked, asked_of, filter_form, today, zone
from courses.reports.views.question import column as column_asked
from lms.core import clock, languages
from lms.core.access import requires, scope
from lms.core.errors import NotFound
from lms.core.languages import named
from lms.core.scope import READERS
from lms.core.web import db, reporting

blueprint = Blueprint("reports", __name__)

BARS = 20  # where rows are not periods: the largest


def _to(endpoint: str, filters: Filters, **more: Any) -> str:
    """The address of a page of reports that asks the same."""
    arguments: dict[str, Any] = {**filters.address(), **more}
    return url_for(endpoint, **arguments)


def _page() -> int:
    return request.args.get("page", 1, type=int)


@blueprint.get("/enrolment")
@requires(*READERS)
def enrolment() -> ResponseReturnValue:
    """The report."""
    form, choices = filter_form()
    status = 200 if form.validate() else 422
    filters = form.filters(zone()) if status == 200 else Filters(*form.year)
    found = report_rules.report(reporting(), filters, scope(), zone=zone())
    listing = paging.listing(
        found.rows, lambda row: (row.name_zh, row.name_en, row.note), filters.grouping
    )  # fmt: skip
    periods = presets(today())
    down = ways.down()
    page = render_template(
        "reports/enrolment.html",
        form=form,
        report=found,
        listing=listing,
        largest=0 if filters.grouping in PERIODS or len(found.rows) <= BARS else BARS,
        found_figures=sum((row.figures for row in listing.found or ()), Figures()),
        filters=filters,
        asked=list(words.question(filters, choices)),
        presets=[_preset(period, filters) for period in periods],
        whole_branch=scope().everything and not filters.narrowed,
        grouping=GROUPINGS[filters.grouping],
        description=describe(list(found.rows), filters),
        opening=words.opening_rows(found, choices),
        adjustments_shown=report_rules.ADJUSTMENTS_SHOWN,
        linked=words.linked(_to("reports.offerings", filters, **down), _to("reports.people", filters, **down)),
        **_words(),
    )
    return make_response(page, status)


def _preset(period: Period, filters: Filters, endpoint: str = "reports.enrolment") -> dict[str, object]:
    return {
        "label": words.PERIODS[period.name],
        "address": _to(endpoint, replace(filters, since=period.since, until=period.until)),
        "current": (period.since, period.until) == (filters.since, filters.until),
    }


def _words() -> dict[str, object]:
    return {
        "headings": words.headings(),
        "rule": RULE,
        "shown": words.shown,
        "figure": words.figure,
        "row_name": words.row_name,
        "whole": languages.whole,
        "hours": words.hours,
        "Column": Column,
        "Grouping": Grouping,
    }


@blueprint.get("/enrolment/chart.svg")
@requires(*READERS)
def enrolment_chart() -> ResponseReturnValue:
    """The report as a picture. `narrow=1` draws it for a phone."""
    filters, _choices = asked()
    rows = report_rules.rows(reporting(), filters, scope())
    bars = rows if filters.grouping in PERIODS else rows[:BARS]
    parts = [row.figures for row in bars]
    drawn = charts.stacked_bars(
        title=_("Person-times by %(grouping)s", grouping=str(GROUPINGS[filters.grouping]).lower()),
        description=describe(rows, filters),
        names=[words.row_name(row, filters.grouping) for row in bars],
        series=[
            (str(words.COLUMNS[Column.NAMED]), [one.named for one in parts]),
            (str(words.COLUMNS[Column.COUNTED]), [one.counted for one in parts]),
        ],
        upright=filters.grouping in PERIODS,
        narrow=request.args.get("narrow") == "1",
        nothing=_("Nothing was counted in this period."),
    )
    answer = Response(drawn, mimetype="image/svg+xml")
    answer.headers["Content-Security-Policy"] = charts.CONTENT_SECURITY_POLICY
    return answer


def describe(rows: list[Row], filters: Filters) -> str:
    """A chart in words: the sum and the largest row."""
    total = sum((row.figures for row in rows), Figures())
    if not rows:
        return _("Nothing was counted in this period.")
    largest = max(rows, key=lambda row: row.figures.person_times)
    return ngettext(
        "%(total)s person-time, of which %(named)s named and %(counted)s by headcount. The largest: %(name)s with %(most)s.",
        "%(total)s person-times, of which %(named)s named and %(counted)s by headcount. The largest: %(name)s with %(most)s.",
        total.person_times,
        total=languages.whole(total.person_times),
        named=languages.whole(total.named),
        counted=languages.whole(total.counted),
        name=words.row_name(largest, filters.grouping),
        most=languages.whole(largest.figures.person_times),
    )


@blueprint.get("/enrolment/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def enrolment_export(form: str) -> ResponseReturnValue:
    """The report as a file."""
    filters, choices = asked()
    report: Report = report_rules.report(reporting(), filters, scope(), zone=zone())
    sheet = words.report_sheet(report, choices)
    return exported(sheet, form, report="enrolment", name=f"enrolment-{filters.span}", asked=filters.address())


@blueprint.get("/enrolment.pdf")
@requires(*READERS)
def enrolment_paper() -> ResponseReturnValue:
    """The report on paper."""
    filters, choices = asked()
    report = report_rules.report(reporting(), filters, scope(), zone=zone())
    made = pdf.pdf(
        words.report_document(report, choices, whole_branch=scope().everything and not filters.narrowed),
        now=clock.now(),
    )
    exporting.note(db(), "enrolment", filters.address(), "pdf", len(report.rows))
    return send_file(
        io.BytesIO(made),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"enrolment-{filters.span}.pdf",
    )


@blueprint.get("/adjustments/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def adjustments_export(form: str) -> ResponseReturnValue:
    """The lines of the period that change frozen quarters, all of them, as a file."""
    filters, choices = asked()
    sheet = lists.adjustments(
        report_rules.adjustments(reporting(), filters, scope()), list(words.question(filters, choices))[:-1]
    )
    name = f"adjustments-{filters.span}"
    return exported(sheet, form, report="adjustments", name=name, asked=filters.address())


@blueprint.get("/districts")
@requires(*READERS)
def districts() -> ResponseReturnValue:
    """Districts by months, quarters or years: where and when the training was."""
    form, choices = filter_form()
    status = 200 if form.validate() else 422
    filters = form.filters(zone()) if status == 200 else Filters(*form.year)
    filters = filters if filters.grouping in PERIODS else replace(filters, grouping=Grouping.MONTH)
    found = cross_rules.table(reporting(), filters, scope())
    page = render_template(
        "reports/districts.html",
        form=form,
        found=found,
        filters=filters,
        asked=list(words.question(filters, choices)),
        names={int(one.key): named(one) for one in choices.districts},
        branch=None
        if scope().everything and not filters.narrowed
        else report_rules.branch(reporting(), filters, scope()).person_times,
        periods=[(one, GROUPINGS[one]) for one in Grouping if one in PERIODS],
        presets=[_preset(period, filters, "reports.districts") for period in presets(today())],
        asked_here={
            **filters.address(),
            "column": Column.PERSON_TIMES.value,
            "via": "districts" if filters.district is None else "district",
        },
        **_words(),
    )
    return make_response(page, status)


@blueprint.get("/districts/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def districts_export(form: str) -> ResponseReturnValue:
    """Programme, district and period, a row each, as a file."""
    filters, choices = asked()
    rows = cross_rules.cross(reporting(), filters, scope())
    sheet = words.cross_sheet(rows, filters, choices)
    return exported(sheet, form, report="districts", name=f"districts-{filters.span}", asked=filters.address())


@blueprint.get("/offerings")
@requires(*READERS)
def offerings() -> str:
    """The offerings that a number is made of."""
    filters, choices = asked()
    column = column_asked()
    found = offering_rules.behind(reporting(), filters, scope(), column=column, page=_page())
    return render_template(
        "reports/offerings.html",
        found=found,
        filters=filters,
        asked=asked_of(filters, choices, column),
        column=column,
        here=ways.here(filters, column),
        trail=[ways.top(filters)],
        **_words(),
    )


@blueprint.get("/in-progress")
@requires(*READERS)
def in_progress() -> str:
    """The offerings that the report shows apart, because they are not closed yet."""
    filters, choices = asked()
    found = offering_rules.open_now(reporting(), filters, scope(), zone=zone())
    return render_template(
        "reports/in_progress.html",
        found=found,
        here=ways.here(filters),
        asked=asked_of(filters, choices, None),
        trail=[ways.top(filters)],
        **_words(),
    )


@blueprint.get("/in-progress/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def in_progress_export(form: str) -> ResponseReturnValue:
    """The same as a file."""
    filters, choices = asked()
    found = offering_rules.open_now(reporting(), filters, scope(), zone=zone())
    sheet = lists.in_progress(found, asked_of(filters, choices, None))
    return exported(sheet, form, report="in_progress", name=f"in-progress-{filters.span}", asked=filters.address())


@blueprint.get("/people")
@requires(*READERS)
def people() -> str:
    """The distinct people that a number is made of."""
    filters, choices = asked()
    return render_template(
        "reports/people.html",
        found=people_rules.behind(reporting(), filters, scope(), page=_page()),
        asked=asked_of(filters, choices, None),
        here=ways.here(filters),
        trail=[ways.top(filters)],
        offerings=ways.offerings(filters, None).address,
        **_words(),
    )


@blueprint.get("/offerings/<int:offering_id>/people")
@requires(*READERS)
def offering_people(offering_id: int) -> str:
    """The people of one offering; the filters one came with lead back up."""
    if offering_id > 2**63 - 1:
        raise NotFound
    filters, _choices = asked()
    column = column_asked()
    return render_template(
        "reports/offering_people.html",
        found=people_rules.of_offering(reporting(), offering_id, scope()),
        here=ways.here(filters, column),
        trail=[
            ways.top(filters),
            ways.offerings(filters, column),
            ways.sessions(filters, column, offering_id),
        ],
        **_words(),
    )
