"""The yearly figures on one page: person-times against target and the year before, rates, and the certificates valid today."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from certificates import valid_counts
from courses.counting.rule import RULE
from courses.reports import charts, indicators
from courses.reports.filters import PERIODS, Filters, Grouping, options
from courses.reports.forms.filters import GROUPINGS, FilterForm
from courses.reports.indicators import Rate
from courses.reports.labels import indicators as indicator_words
from courses.reports.labels import report as words
from courses.reports.views import navigation, paging
from courses.reports.views.files import exported
from courses.reports.views.question import asked
from lms.core import clock, languages
from lms.core.access import requires, scope
from lms.core.scope import READERS
from lms.core.web import reporting

blueprint = Blueprint("indicators", __name__)

BARS = 20  # where rows are not periods


@blueprint.get("/")
@requires(*READERS)
def page() -> ResponseReturnValue:
    """The figures, by district unless another row is asked for."""
    zone = current_app.config["SETTINGS"].zone
    today = clock.today(zone)
    choices = options(reporting(), scope())
    arguments = request.args.copy()
    arguments.setdefault("grouping", Grouping.DISTRICT.value)
    form = FilterForm(arguments, choices, today)
    status = 200 if form.validate() else 422
    filters = form.filters(zone) if status == 200 else Filters(*form.year, grouping=Grouping.DISTRICT)
    found = indicators.overview(reporting(), filters, scope(), zone=zone)
    passed, away = indicators.rates(reporting(), filters, scope())
    page = render_template(
        "reports/indicators.html",
        form=form,
        found=found,
        listing=paging.listing(
            found.rows, lambda one: (one.row.name_zh, one.row.name_en, one.row.note), filters.grouping
        ),
        filters=filters,
        whole_branch=scope().everything and not filters.narrowed,
        today=today,
        valid=valid_counts.count_on(reporting(), today, scope()),
        asked=list(words.question(filters, choices)),
        grouping=GROUPINGS[filters.grouping],
        timed=filters.grouping in PERIODS,
        largest=0 if filters.grouping in PERIODS or len(found.rows) <= BARS else BARS,
        Grouping=Grouping,
        row_name=words.row_name,
        whole=languages.whole,
        rule=RULE,
        percent=percent,
        size=size,
        branch_rates=(
            indicators.pass_rate(found.branch_row.figures),
            indicators.no_show(found.branch_row.figures),
            indicators.class_size(found.branch_row.figures),
        ),
        ways=_ways(filters),
        key_before=partial(indicators.key_before, filters.grouping),
        rates_described=_described(filters, [(_("Pass rate"), passed), (_("No-show"), away)]),
        completion_described=_described(
            filters, [(_("Completion"), indicators.completion(reporting(), filters, scope()))]
        ),
        charts={
            name: url_for(".chart", kind=name, **_arguments(filters.address())) for name in ("rates", "completion")
        },
    )
    return make_response(page, status)


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """The figures as a file. Rates are shares of 1."""
    filters, choices = asked()
    zone = current_app.config["SETTINGS"].zone
    found = indicators.overview(reporting(), filters, scope(), zone=zone)
    valid = valid_counts.count_on(reporting(), clock.today(zone), scope())
    sheet = indicator_words.sheet(found, filters, choices, valid.by_district)
    return exported(sheet, form, report="indicators", name=f"indicators-{filters.span}", asked=filters.address())


@blueprint.get("/<any(rates, completion):kind>.svg")
@requires(*READERS)
def chart(kind: str) -> ResponseReturnValue:
    """Pass rates and no-show rates, or what was reached of the targets, as a picture. `narrow=1` draws it for a phone."""
    filters, _choices = asked()
    if kind == "rates":
        passed, away = indicators.rates(reporting(), filters, scope())
        title, series = _("Pass rate and no-show rate"), [(_("Pass rate"), passed), (_("No-show"), away)]
    else:
        found = indicators.completion(reporting(), filters, scope())
        title, series = _("Targets reached"), [(_("Completion"), found)]
    most = None if filters.grouping in PERIODS else BARS
    drawn = charts.shares(
        title=title,
        description=_described(filters, series),
        names=[words.row_name(one.row, filters.grouping) for one in series[0][1][:most]],
        series=[(label, [one.share for one in rates[:most]]) for label, rates in series],
        lines=filters.grouping in PERIODS and len(series[0][1]) > 1,
        narrow=request.args.get("narrow") == "1",
        nothing=_("Nothing was counted in this period."),
    )
    answer = Response(drawn, mimetype="image/svg+xml")
    answer.headers["Content-Security-Policy"] = charts.CONTENT_SECURITY_POLICY
    return answer


def _described(filters: Filters, series: Sequence[tuple[str, Sequence[Rate]]]) -> str:
    """A picture in words: of each series the mean, and the rows at its ends. Empty where there is nothing to draw."""
    texts = []
    for label, rates in series:
        known = [one for one in rates if one.share is not None]
        if not known:
            continue
        least, most = (choose(known, key=lambda one: one.share or 0.0) for choose in (min, max))
        texts.append(
            _(
                "%(label)s: %(mean)s together, from %(least)s (%(least_name)s) to %(most)s (%(most_name)s).",
                label=label,
                mean=percent(sum(one.part for one in known) / sum(one.whole for one in known)),
                least=percent(least.share),
                least_name=words.row_name(least.row, filters.grouping),
                most=percent(most.share),
                most_name=words.row_name(most.row, filters.grouping),
            )
        )
    return " ".join(texts)


def _ways(filters: Filters) -> dict[str, str]:
    """The addresses that the table's numbers lead to, each without its row; made once a page and not once a cell."""
    looked_at = navigation.down()
    asked_here = {**filters.address(), "via": "indicators", **looked_at}
    before = {**indicators.a_year_before(filters).address(), "via": "indicators-later", **looked_at}
    certified = asked_here | {"column": "certificates"}
    if filters.refresher is None:
        certified["via"] = "indicators-kind"
    return {
        "offerings": url_for("reports.offerings", **_arguments(asked_here)),
        "first": url_for("reports.offerings", **_arguments(certified | {"refresher": "0"})),
        "renewed": url_for("reports.offerings", **_arguments(certified | {"refresher": "1"})),
        "before": url_for("reports.offerings", **_arguments(before | {"column": "person_times"})),
        "people": url_for("reports.people", **_arguments(asked_here)),
        "waiting": url_for("report_waiting.page", **_arguments(asked_here)),
    }


def _arguments(arguments: dict[str, str]) -> dict[str, Any]:
    """For url_for, whose own arguments have other types."""
    return dict(arguments)


def percent(share: float | None, *, signed: bool = False) -> str:
    """0.123 → 12.3 %, and what is less than one with two decimals; a dash where there is nothing to divide by."""
    if share is None:
        return "–"
    if not signed and 0 < abs(share) < 0.01:
        return f"{share * 100:.2f}%" if abs(share) >= 0.0001 else "<0.01%"
    return f"{share * 100:+,.1f}%" if signed else f"{share * 100:,.1f}%"


def size(value: float | None) -> str:
    """A mean with one decimal."""
    return "–" if value is None else f"{value:,.1f}"
