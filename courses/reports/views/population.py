"""The registered population of the districts: read by administrators and auditors, edited by the city's administrators."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.counting import population
from courses.reports.forms.baselines import PopulationForm, cell_name
from courses.reports.labels import baselines
from courses.reports.views import years
from courses.reports.views.files import exported
from lms.core.access import holds, requires
from lms.core.scope import READERS, Role
from lms.core.web import db, refused_on

blueprint = Blueprint("population", __name__)


@blueprint.get("/")
@requires(*READERS)
def current() -> ResponseReturnValue:
    """This year's."""
    return redirect(url_for(".page", year=years.this_year()))


@blueprint.get("/<int:year>")
@requires(*READERS)
def page(year: int) -> ResponseReturnValue:
    """A year's figures."""
    return _shown(year, PopulationForm())


@blueprint.get("/<int:year>/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(year: int, form: str) -> ResponseReturnValue:
    """The same as a file."""
    years.demand(year)
    sheet = baselines.population(population.read(db(), year), year)
    return exported(sheet, form, report="population", name=f"population-{year}", asked={"year": str(year)})


@blueprint.post("/<int:year>")
@requires(Role.CITY_ADMINISTRATOR)
def save(year: int) -> ResponseReturnValue:
    """Set them."""
    years.demand(year)
    form = PopulationForm()
    if form.validate_on_submit():
        places = [row.district.id for row in population.read(db(), year)]
        wanted = form.numbers(request.form, places, "people", population.LARGEST_POPULATION)
        if not form.errors_of:
            with refused_on(form):
                population.save(db(), year, wanted, form.source.data)
                flash(_("Saved."))
                return redirect(url_for(".page", year=year))
    return _shown(year, form)


def _shown(year: int, form: PopulationForm) -> ResponseReturnValue:
    years.demand(year)
    page = render_template(
        "population/page.html",
        form=form,
        year=year,
        rows=population.read(db(), year),
        submitted=request.form,
        cell_name=cell_name,
        may_set=holds(Role.CITY_ADMINISTRATOR),
    )
    return make_response(page, 422 if form.is_submitted() else 200)
