"""The pages of quarters: the list of quarters that are over, and freezing one of them."""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField
from wtforms.validators import Length

from courses.counting import frozen_figures, quarters
from courses.counting.frozen_figures import Place
from courses.counting.quarters import Quarter
from courses.reports import freezing, in_progress
from courses.reports.filter_options import filter_options
from courses.reports.freezing import Point
from courses.reports.labels import baselines
from courses.reports.questions import Filters, Grouping, Question
from courses.reports.views.questions import today, zone
from courses.reports.views.sheets import send_sheet
from lms.core.access import holds, requires
from lms.core.errors import NotFound
from lms.core.form_errors import refused_on
from lms.core.forms import Form
from lms.core.languages import named, whole
from lms.core.request_db import db
from lms.core.scope import EVERYTHING, READERS, Role

blueprint = Blueprint("quarters", __name__)


POINT_LABELS = {
    Point.OPEN_OFFERINGS: _l("Offerings held in this quarter and not closed"),
    Point.REVIEWS: _l("Check-ins about which nobody has decided"),
    Point.EARLIER_QUARTERS: _l("Earlier quarters that are not frozen"),
    Point.BALANCES: _l("Person-times from before this system in this quarter (for information; they are not frozen)"),
}


class FreezeForm(Form):
    """The confirmation. A reason is asked for where a point of the checklist is open."""

    reason = TextAreaField(_l("Reason for freezing although points are open"), [Length(max=500)])


@blueprint.get("/")
@requires(*READERS)
def page() -> str:
    """Show the quarters that are over, the latest first, and which are frozen, since when and by whom."""
    return render_template(
        "quarters/page.html",
        states=quarters.listing(db(), zone()),
        may_freeze=holds(Role.CITY_ADMINISTRATOR),
        whole=whole,
        Grouping=Grouping,
    )


@blueprint.get("/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(form: str) -> ResponseReturnValue:
    """Send the list of quarters as a file."""
    sheet = baselines.quarters(quarters.listing(db(), zone()))
    return send_sheet(sheet, form, report="quarters", name=f"quarters-{today().isoformat()}", arguments={})


@blueprint.route("/<code>/freeze", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def freeze(code: str) -> ResponseReturnValue:
    """Ask the user to confirm, and freeze the quarter."""
    try:
        quarter = Quarter.parse(code)
    except ValueError:
        raise NotFound from None
    form = FreezeForm()
    if form.validate_on_submit():
        with refused_on(form):
            freezing.freeze(db(), quarter, zone(), form.reason.data)
            flash(_("%(quarter)s is frozen.", quarter=str(quarter)))
            return redirect(url_for(".freeze", code=code))
    of_quarter = Question(Filters(quarter.first, quarter.last), EVERYTHING)
    state = quarters.state(db(), quarter)
    is_frozen = state.frozen_at is not None
    points = [] if is_frozen else freezing.checklist(db(), quarter, zone())
    options = filter_options(db(), EVERYTHING)
    answer = render_template(
        "quarters/freeze.html",
        form=form,
        quarter=quarter,
        state=state,
        points=points,
        point_labels=POINT_LABELS,
        addresses=_addresses(quarter),
        needs_reason=any(point.is_open for point in points),
        figures=frozen_figures.stored(db(), [quarter]).get(quarter, {}) if is_frozen else {},
        Place=Place,
        programmes=options.programmes,
        districts=options.districts,
        named=named,
        progress=in_progress.total(db(), of_quarter, zone=zone()),
        whole=whole,
    )
    return make_response(answer, 422 if form.is_submitted() else 200)


def _addresses(quarter: Quarter) -> dict[Point, str]:
    """Where each point of the checklist is looked after."""
    return {
        Point.OPEN_OFFERINGS: url_for(
            "reports.in_progress", since=quarter.first.isoformat(), until=quarter.last.isoformat()
        ),
        Point.REVIEWS: url_for("reviews.index"),
        Point.EARLIER_QUARTERS: url_for(".page"),
        Point.BALANCES: url_for("opening_balances.index"),
    }
