"""The pages of the districts' registered population: city administrators edit it, other readers of reports see it."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from courses.counting import population
from courses.reports.forms.baselines import PopulationForm, cell_name
from courses.reports.labels import baselines
from courses.reports.views import years
from courses.reports.views.bar import carried
from courses.reports.views.navigation import link
from courses.reports.views.sheets import send_sheet
from lms.core.access import holds, requires
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import READERS, Role

blueprint = Blueprint("population", __name__)


@blueprint.get("/")
@requires(*READERS)
def current() -> ResponseReturnValue:
    """Redirect to the page of the year that the reader's period lies in, with the period and the filters."""
    return redirect(link(".page", {"year": years.chosen_year(), **carried()}))


@blueprint.get("/<int:year>")
@requires(*READERS)
def page(year: int) -> ResponseReturnValue:
    """Show the population of a year."""
    return _page(year, PopulationForm())


@blueprint.get("/<int:year>/export/<any(csv, xlsx, parquet):form>")
@requires(*READERS)
def export(year: int, form: str) -> ResponseReturnValue:
    """Send the population of a year as a file."""
    years.require_year(year)
    sheet = baselines.population(population.read(db(), year), year)
    return send_sheet(sheet, form, report="population", name=f"population-{year}", arguments={"year": str(year)})


@blueprint.post("/<int:year>")
@requires(Role.CITY_ADMINISTRATOR)
def save(year: int) -> ResponseReturnValue:
    """Save the population of a year."""
    years.require_year(year)
    form = PopulationForm()
    if form.validate_on_submit():
        places = [row.district.id for row in population.read(db(), year)]
        people = form.numbers(request.form, places, "people", population.LARGEST_POPULATION)
        if not form.errors_of:
            with refused_on(form):
                population.save(db(), year, people, form.source.data)
                flash(_("Saved."))
                return redirect(url_for(".page", year=year))
    return _page(year, form)


def _page(year: int, form: PopulationForm) -> ResponseReturnValue:
    years.require_year(year)
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
