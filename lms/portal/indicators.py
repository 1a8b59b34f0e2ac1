"""The yearly figures on one page: person-times against target and the year before, rates, and the certificates valid today."""

from flask import Blueprint, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue

from certificates import validity
from courses.counting_rule import RULE
from courses.forms.reports import GROUPINGS, FilterForm
from courses.reports import indicators
from courses.reports.filters import PERIODS, Filters, Grouping, options
from courses.views import report_words as words
from lms.core import clock
from lms.core.access import requires, scope
from lms.core.scope import READERS
from lms.core.web import session

blueprint = Blueprint("indicators", __name__)

ROWS_SHOWN = 300


@blueprint.get("/")
@requires(*READERS)
def page() -> ResponseReturnValue:
    """The figures, by district unless another row is asked for."""
    zone = current_app.config["SETTINGS"].zone
    today = clock.today(zone)
    choices = options(session(), scope())
    asked = request.args.copy()
    asked.setdefault("grouping", Grouping.DISTRICT.value)
    form = FilterForm(asked, choices, today)
    status = 200 if form.validate() else 422
    filters = form.filters(zone) if status == 200 else Filters(*form.year, grouping=Grouping.DISTRICT)
    found = indicators.overview(session(), filters, scope(), zone=zone)
    page = render_template(
        "reports/indicators.html",
        form=form,
        found=found,
        rows=found.rows[:ROWS_SHOWN],
        rest=len(found.rows[ROWS_SHOWN:]),
        filters=filters,
        whole_branch=scope().everything and not filters.narrowed,
        today=today,
        valid=validity.on(session(), today, scope()),
        asked=list(words.question(filters, choices)),
        grouping=GROUPINGS[filters.grouping],
        timed=filters.grouping in PERIODS,
        Grouping=Grouping,
        row_name=words.row_name,
        whole=words.whole,
        rule=RULE,
        percent=percent,
        size=size,
    )
    return make_response(page, status)


def percent(share: float | None, *, signed: bool = False) -> str:
    """0.123 → 12.3 %; a dash where there is nothing to divide by."""
    if share is None:
        return "–"
    return f"{share * 100:+,.1f}%" if signed else f"{share * 100:,.1f}%"


def size(value: float | None) -> str:
    """A mean with one decimal."""
    return "–" if value is None else f"{value:,.1f}"
