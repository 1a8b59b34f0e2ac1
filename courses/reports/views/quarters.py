"""The pages of quarters: the list of quarters that are over, and freezing one of them."""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.counting import quarters
from courses.counting.quarters import Quarter
from courses.reports import in_progress
from courses.reports.labels import baselines
from courses.reports.questions import Filters, Grouping, Question
from courses.reports.views.questions import today, zone
from courses.reports.views.sheets import send_sheet
from lms.core.access import holds, requires
from lms.core.errors import NotFound
from lms.core.form_errors import refused_on
from lms.core.forms import Form
from lms.core.languages import whole
from lms.core.request_db import db
from lms.core.scope import EVERYTHING, READERS, Role

blueprint = Blueprint("quarters", __name__)


class FreezeForm(Form):
    """The CSRF token alone: the page says what is confirmed."""


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
            quarters.freeze(db(), quarter, zone())
            flash(_("%(quarter)s is frozen.", quarter=str(quarter)))
            return redirect(url_for(".page"))
    of_quarter = Question(Filters(quarter.first, quarter.last), EVERYTHING)
    answer = render_template(
        "quarters/freeze.html",
        form=form,
        quarter=quarter,
        state=quarters.state(db(), quarter),
        progress=in_progress.total(db(), of_quarter, zone=zone()),
        whole=whole,
    )
    return make_response(answer, 422 if form.is_submitted() else 200)
