"""Quarters: which are frozen, since when and by whom, and freezing one that is over."""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.counting import quarters
from courses.counting.quarters import Quarter
from courses.reports import enrolment
from courses.reports.filters import Filters, Grouping
from courses.reports.labels import baselines
from courses.reports.views.files import exported
from courses.reports.views.question import today, zone
from lms.core.access import holds, requires
from lms.core.errors import NotFound
from lms.core.forms import Form
from lms.core.languages import whole
from lms.core.scope import EVERYTHING, READERS, Role
from lms.core.web import db, refused_on

blueprint = Blueprint("quarters", __name__)


class FreezeForm(Form):
    """Nothing but the token: what is decided stands on the page."""


@blueprint.get("/")
@requires(*READERS)
def page() -> str:
    """The quarters of the ledger that are over, the latest first."""
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
    """The same as a file."""
    sheet = baselines.quarters(quarters.listing(db(), zone()))
    return exported(sheet, form, report="quarters", name=f"quarters-{today().isoformat()}", asked={})


@blueprint.route("/<code>/freeze", methods=["GET", "POST"])
@requires(Role.CITY_ADMINISTRATOR)
def freeze(code: str) -> ResponseReturnValue:
    """Show what freezing a quarter means, and freeze it."""
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
    filters = Filters(quarter.first, quarter.last)
    answer = render_template(
        "quarters/freeze.html",
        form=form,
        quarter=quarter,
        state=quarters.state(db(), quarter),
        progress=enrolment.progress(db(), filters, EVERYTHING, zone=zone()),
        whole=whole,
    )
    return make_response(answer, 422 if form.is_submitted() else 200)
