"""The pages of targets by year: city administrators set them, other readers of reports see them."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.counting import targets
from courses.reports.forms.baselines import TargetsForm, cell_name
from courses.reports.labels import baselines
from courses.reports.views import years
from courses.reports.views.bar import carried
from courses.reports.views.navigation import link
from courses.reports.views.sheets import send_sheet
from lms.core import clock
from lms.core.access import holds, requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import READERS, Role

blueprint = Blueprint("targets", __name__)


@blueprint.get("/")
@requires(*READERS)
def current() -> ResponseReturnValue:
    """Redirect to the page of the year that the reader's period lies in, with the period and the filters."""
    return redirect(link(".page", {"year": years.chosen_year(), **carried()}))


@blueprint.get("/<int:year>")
@requires(*READERS)
def page(year: int) -> ResponseReturnValue:
    """Show the targets of a year, and the person-times that were reached."""
    return _page(year, TargetsForm())


@blueprint.get("/<int:year>/behind")
@requires(*READERS)
def behind(year: int) -> ResponseReturnValue:
    """List the targets of a year that are behind: less of them is reached than of the year has passed."""
    years.require_year(year)
    today = clock.branch_today()
    return make_response(
        render_template(
            "targets/behind.html",
            year=year,
            rows=targets.behind(targets.read(db(), year, scope()), today),
            elapsed=targets.elapsed(year, today),
        )
    )


@blueprint.get("/<int:year>/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(year: int, form: str) -> ResponseReturnValue:
    """Send the targets of a year as a file."""
    years.require_year(year)
    sheet = baselines.targets(targets.read(db(), year, scope()), whole_branch=scope().everything)
    return send_sheet(sheet, form, report="targets", name=f"targets-{year}", arguments={"year": str(year)})


@blueprint.post("/<int:year>")
@requires(Role.CITY_ADMINISTRATOR)
def save(year: int) -> ResponseReturnValue:
    """Save the targets that the user changed on the page.

    The page sends each target also as it was shown, so that a target that somebody else has changed meanwhile is
    refused.
    """
    years.require_year(year)
    form = TargetsForm()
    if form.validate_on_submit():
        places = list(targets.read(db(), year, scope()).cells)
        new = form.numbers(request.form, places, "target", targets.LARGEST_TARGET)
        before = form.numbers(request.form, places, "shown", targets.LARGEST_TARGET)
        if not form.errors_of:
            with refused_on(form):
                number = targets.save(db(), year, new, before)
                flash(ngettext("%(num)s target changed.", "%(num)s targets changed.", number))
                return redirect(url_for(".page", year=year))
    return _page(year, form)


def _page(year: int, form: TargetsForm) -> ResponseReturnValue:
    years.require_year(year)
    page = render_template(
        "targets/page.html",
        form=form,
        year_targets=targets.read(db(), year, scope()),
        submitted=request.form,
        cell_name=cell_name,
        whole_branch=scope().everything,
        may_set=holds(Role.CITY_ADMINISTRATOR),
        title=_("Targets %(year)s", year=year),
    )
    return make_response(page, 422 if form.is_submitted() else 200)
