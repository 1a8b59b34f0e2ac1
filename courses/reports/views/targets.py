"""Targets by district, programme and year: read by administrators and auditors, set by the city's administrators."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.counting import targets
from courses.reports.forms.baselines import TargetsForm, cell_name
from courses.reports.labels import baselines
from courses.reports.views import years
from courses.reports.views.files import exported
from lms.core.access import holds, requires, scope
from lms.core.scope import READERS, Role
from lms.core.web import db, refused_on

blueprint = Blueprint("targets", __name__)


@blueprint.get("/")
@requires(*READERS)
def current() -> ResponseReturnValue:
    """This year's."""
    return redirect(url_for(".page", year=years.this_year()))


@blueprint.get("/<int:year>")
@requires(*READERS)
def page(year: int) -> ResponseReturnValue:
    """A year's targets and what was reached of them."""
    return _shown(year, TargetsForm())


@blueprint.get("/<int:year>/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(year: int, form: str) -> ResponseReturnValue:
    """The same as a file."""
    years.demand(year)
    sheet = baselines.targets(targets.read(db(), year, scope()), whole_branch=scope().everything)
    return exported(sheet, form, report="targets", name=f"targets-{year}", asked={"year": str(year)})


@blueprint.post("/<int:year>")
@requires(Role.CITY_ADMINISTRATOR)
def save(year: int) -> ResponseReturnValue:
    """Set those that were changed on the page."""
    years.demand(year)
    form = TargetsForm()
    if form.validate_on_submit():
        places = list(targets.read(db(), year, scope()).cells)
        wanted = form.numbers(request.form, places, "target", targets.LARGEST_TARGET)
        shown = form.numbers(request.form, places, "shown", targets.LARGEST_TARGET)
        if not form.errors_of:
            with refused_on(form):
                number = targets.save(db(), year, wanted, shown)
                flash(ngettext("%(num)s target changed.", "%(num)s targets changed.", number))
                return redirect(url_for(".page", year=year))
    return _shown(year, form)


def _shown(year: int, form: TargetsForm) -> ResponseReturnValue:
    years.demand(year)
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
