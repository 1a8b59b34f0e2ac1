"""The pages of targets by year: city administrators set them, other readers of reports see them."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from courses.counting import target_file, targets
from courses.counting.target_file import TargetFile
from courses.reports import indicators
from courses.reports.forms.baselines import CopyTargetsForm, TargetFileForm, TargetsForm, cell_name
from courses.reports.labels import baselines, pictures
from courses.reports.questions import Filters, Grouping, Question
from courses.reports.views import years
from courses.reports.views.bar import carried
from courses.reports.views.navigation import link
from courses.reports.views.sheets import send_sheet
from lms.core import clock
from lms.core.access import holds, requires, scope
from lms.core.form_errors import refused_on
from lms.core.request_db import db
from lms.core.scope import READERS, Role
from lms.organisations.forms import SECTORS

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


@blueprint.get("/<int:year>/sectors/export/<any(csv, xlsx, parquet):form>")
@requires(Role.CITY_ADMINISTRATOR, Role.AUDITOR)
def export_sectors(year: int, form: str) -> ResponseReturnValue:
    """Send the targets of a year by sector as a file."""
    years.require_year(year)
    sheet = baselines.sector_targets(targets.read_sectors(db(), year))
    return send_sheet(sheet, form, report="targets", name=f"sector-targets-{year}", arguments={"year": str(year)})


@blueprint.post("/<int:year>/copy")
@requires(Role.CITY_ADMINISTRATOR)
def copy(year: int) -> ResponseReturnValue:
    """Set the targets that the year has not yet to a percentage of those of the year before."""
    years.require_year(year)
    form = CopyTargetsForm()
    if form.validate_on_submit():
        with refused_on(form):
            number = targets.copy(db(), year - 1, year, form.percent.data)
            if number:
                flash(ngettext("%(num)s target copied.", "%(num)s targets copied.", number), "success")
            else:
                flash(_("There is no target of %(year)s that this year lacks.", year=year - 1), "warning")
            return redirect(url_for(".page", year=year))
    return _page(year, TargetsForm(), copying=form, status=422)


@blueprint.post("/<int:year>/file")
@requires(Role.CITY_ADMINISTRATOR)
def enter_file(year: int) -> ResponseReturnValue:
    """Show the targets of a spreadsheet in the cells of the page. Nothing is saved before the user has seen them."""
    years.require_year(year)
    form = TargetFileForm()
    if form.validate_on_submit():
        with refused_on(form):
            year_targets = targets.read(db(), year, scope())
            found = target_file.read(form.file.data.read(), year_targets.programmes, year_targets.districts)
            numbers = {cell_name("target", place): str(number) for place, number in found.districts.items()}
            numbers |= {cell_name("sector", place): str(number) for place, number in found.sectors.items()}
            return _page(year, TargetsForm(), sending=form, entered=found, numbers=numbers)
    return _page(year, TargetsForm(), sending=form, status=422)


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
        sectors = list(targets.read_sectors(db(), year).cells)
        of_sectors = form.numbers(request.form, sectors, "sector", targets.LARGEST_TARGET)
        sectors_before = form.numbers(request.form, sectors, "sector-shown", targets.LARGEST_TARGET)
        if not form.errors_of:
            with refused_on(form):
                number = targets.save(db(), year, new, before) + targets.save_sectors(
                    db(), year, of_sectors, sectors_before
                )
                flash(ngettext("%(num)s target changed.", "%(num)s targets changed.", number))
                return redirect(url_for(".page", year=year))
    return _page(year, form, numbers=request.form, status=422)


def _page(
    year: int,
    form: TargetsForm,
    *,
    copying: CopyTargetsForm | None = None,
    sending: TargetFileForm | None = None,
    entered: TargetFile | None = None,
    numbers: Mapping[str, str] = MappingProxyType({}),
    status: int = 200,
) -> ResponseReturnValue:
    """Render the page. numbers: what stands in cells instead of the saved target. entered: a file that was read."""
    years.require_year(year)
    whole_year = Filters(date(year, 1, 1), date(year, 12, 31), grouping=Grouping.DISTRICT)
    picture = pictures.completion(indicators.completions(db(), Question(whole_year, scope())), whole_year)
    page = render_template(
        "targets/page.html",
        picture=picture,
        picture_address=link("indicators.chart", {**whole_year.address(), "kind": "completion"}),
        form=form,
        copying=copying or CopyTargetsForm(formdata=None),
        sending=sending or TargetFileForm(formdata=None),
        entered=entered,
        errors=[(error.line, _(error.message, **error.params)) for error in entered.errors] if entered else [],
        year_targets=targets.read(db(), year, scope()),
        sector_targets=targets.read_sectors(db(), year) if scope().everything else None,
        sectors=SECTORS,
        submitted=numbers,
        cell_name=cell_name,
        whole_branch=scope().everything,
        may_set=holds(Role.CITY_ADMINISTRATOR),
        title=_("Targets %(year)s", year=year),
    )
    return make_response(page, status)
