"""The pictures of the overview: the months of this year beside last year's, and the districts as small multiples."""

from babel.dates import get_month_names
from flask import Blueprint, Response, current_app
from flask_babel import gettext as _
from flask_login import current_user

from courses.counting import targets
from courses.reports import charts, year_so_far
from courses.reports.charts import Meaning, Panel, Series
from courses.reports.views.chart_images import is_narrow, svg_response
from courses.reports.year_so_far import YearPart, YearSoFar
from lms.core import clock
from lms.core.access import holds, requires, scope_of
from lms.core.languages import language, named, whole
from lms.core.request_db import db
from lms.core.scope import READERS, Role, Scope

blueprint = Blueprint("overview_pictures", __name__)

MONTHS = 12


@blueprint.get("/months.svg")
@requires(*READERS, Role.COORDINATOR)
def months() -> Response:
    """The person-times by month of this year and of last year, with the target spread evenly."""
    year = _year()
    total = year.total
    target = None
    if total.progress is not None and total.progress.target:
        monthly = total.progress.target / MONTHS
        label = _("Target, spread evenly: %(number)s", number=whole(round(monthly)))
        target = Series(label, [monthly] * MONTHS, Meaning.TARGET)
    return svg_response(
        charts.trend(
            title=_("Person-times by month"),
            description=described(year, total),
            names=_month_names(),
            this=Series(str(year.since.year), _to_come(total), Meaning.PERSON_TIMES),
            before=Series(str(year.since.year - 1), total.months_before, Meaning.LAST_YEAR),
            target=target,
            narrow=is_narrow(),
            nothing=_("Nothing was counted in these two years."),
        )
    )


@blueprint.get("/districts.svg")
@requires(*READERS, Role.COORDINATOR)
def districts() -> Response:
    """The same lines for each district, each on its own scale, with the part of the target that is reached."""
    year = _year()
    panels = [Panel(named(part), _to_come(part), part.months_before, _reached(part)) for part in drawn(year)]
    return svg_response(
        charts.small_multiples(
            title=_("Person-times by district and month"),
            description=" ".join(f"{named(part)}: {described(year, part)}" for part in drawn(year)),
            names=_month_names(),
            panels=panels,
            labels=(str(year.since.year), str(year.since.year - 1)),
            shared=False,
            narrow=is_narrow(),
            nothing=_("Nothing was counted in these two years."),
        )
    )


def drawn(year: YearSoFar) -> list[YearPart]:
    """The districts with figures: one without any is named beneath the picture, and not drawn as a line of zeros."""
    return [part for part in year.districts if part.person_times or any(part.months_before)]


def described(year: YearSoFar, part: YearPart) -> str:
    """The two lines of a picture in words."""
    text: str = _(
        "%(year)s until today: %(now)s; the same days of %(last)s: %(before)s.",
        year=year.since.year,
        now=whole(part.person_times),
        last=year.since.year - 1,
        before=whole(part.before),
    )
    return text


def _year() -> YearSoFar:
    today = clock.today(current_app.config["SETTINGS"].zone)
    reach = figures_scope()
    reads_targets = holds(*READERS)
    return year_so_far.read(db(), reach, today, targets.read(db(), today.year, reach) if reads_targets else None)


def figures_scope() -> Scope:
    """The reach of the overview's figures: as a reader of reports, or else as a coordinator."""
    roles = READERS if holds(*READERS) else (Role.COORDINATOR,)
    return scope_of(current_user.id, [grant for grant in current_user.grants if grant.role in roles])


def _to_come(part: YearPart) -> list[int | None]:
    """The months of this year; None for those to come."""
    return [*part.months, *[None] * (MONTHS - len(part.months))]


def _reached(part: YearPart) -> str:
    return "" if part.progress is None else f"{part.progress.share or 0:.0%}"


def _month_names() -> list[str]:
    names = get_month_names("abbreviated", locale=language())
    return [names[month] for month in range(1, MONTHS + 1)]
