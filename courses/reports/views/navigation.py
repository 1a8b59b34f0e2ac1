"""Links between the pages of reports: down from a number to what it is made of, and back up.

The query string carries everything: the filters, the figure, the page where the drill-down began (`via`), and how that
page was looked at (searched, sorted, which page of rows).
"""

from calendar import monthrange
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.reports.questions import Figure, Filters

# The pages where a drill-down begins, by the value of `via`. "district": the districts table, already narrowed to one
# district. "indicators-later": the number stood on the indicators as that of the year before. "indicators-kind": the
# number was of refreshers or of first trainings alone, and the page showed both.
ORIGINS = {
    "enrolment": ("reports.enrolment", _l("Enrolment report")),
    "districts": ("reports.districts", _l("Districts by month")),
    "district": ("reports.districts", _l("Districts by month")),
    "indicators": ("indicators.page", _l("Indicators")),
    "indicators-later": ("indicators.page", _l("Indicators")),
    "indicators-kind": ("indicators.page", _l("Indicators")),
    "targets": ("targets.page", _l("Targets")),
    "hours": ("report_hours.page", _l("Hours taught")),
}
LAST_OF_FEBRUARY = {(2, 28), (2, 29)}
# How a report is looked at (`courses.reports.views.paging`): the argument on its own page, and the name of the argument
# that carries its value through the drill-down.
VIEW_ARGUMENTS = {"find": "find", "order": "order", "page": "from_page"}
PART = "part"  # the column of an instructor's hours that the drill-down began at


class Breadcrumb(NamedTuple):
    """The link to one page on the way back up."""

    label: str
    address: str


def view_arguments() -> dict[str, str]:
    """The arguments that carry how the current report is looked at, for links that lead down from it."""
    return {carried: request.args[name] for name, carried in VIEW_ARGUMENTS.items() if request.args.get(name)}


def carried_arguments(filters: Filters, figure: Figure | None = None) -> dict[str, str]:
    """The arguments of a link within a drill-down: the filters, the figure, and what the query string carries.

    Carried are the page where the drill-down began and how that page was looked at.
    """
    origin = _origin()
    arguments = filters.address()
    if figure:
        arguments["column"] = figure.value
    if origin != "enrolment":
        arguments["via"] = origin
    carried = (*VIEW_ARGUMENTS.values(), PART)
    return arguments | {name: request.args[name] for name in carried if request.args.get(name)}


def report_crumb(filters: Filters, origin: str | None = None) -> Breadcrumb:
    """The page where the drill-down began, with its filters and as it was looked at.

    origin: where a page has only one.
    """
    origin = origin or _origin()
    endpoint, label = ORIGINS[origin]
    if origin == "targets":
        return Breadcrumb(str(label), url_for(endpoint, year=filters.since.year))
    if origin == "indicators-later":
        filters = replace(filters, since=_a_year_later(filters.since), until=_a_year_later(filters.until))
    arguments = filters.with_key(None).address()
    if origin == "districts":
        arguments.pop("district", None)
    if origin == "indicators-kind":
        arguments.pop("refresher", None)
    arguments |= {name: request.args[carried] for name, carried in VIEW_ARGUMENTS.items() if request.args.get(carried)}
    return Breadcrumb(str(label), link(endpoint, arguments))


def _a_year_later(day: date) -> date:
    """The same day a year later. The last day of February stays the last one, so that the month stays whole."""
    year = day.year + 1
    return date(year, day.month, monthrange(year, 2)[1] if (day.month, day.day) in LAST_OF_FEBRUARY else day.day)


def offerings_crumb(filters: Filters, figure: Figure | None) -> Breadcrumb:
    """The offerings behind the number; in a drill-down of hours taught, the instructor's sessions."""
    if _origin() == "hours" and (filters.key or "").isdecimal():
        arguments: dict[str, Any] = {**carried_arguments(filters.with_key(None)), "instructor_id": filters.key}
        return Breadcrumb(_("Sessions taught"), link("report_hours.sessions", arguments))
    return Breadcrumb(_("Offerings"), link("reports.offerings", carried_arguments(filters, figure)))


def sessions_crumb(filters: Filters, figure: Figure | None, offering_id: int) -> Breadcrumb:
    """The sessions of an offering."""
    arguments = {**carried_arguments(filters, figure), "offering_id": str(offering_id)}
    return Breadcrumb(_("Sessions"), link("report_sessions.page", arguments))


def people_crumb(filters: Filters) -> Breadcrumb:
    """The distinct people behind the number."""
    return Breadcrumb(_("People counted in the figure"), link("reports.people", carried_arguments(filters)))


def offering_people_crumb(filters: Filters, figure: Figure | None, offering_id: int) -> Breadcrumb:
    """The people of an offering."""
    arguments = {**carried_arguments(filters, figure), "offering_id": str(offering_id)}
    return Breadcrumb(_("Everyone in this offering"), link("reports.offering_people", arguments))


def session_people_crumb(filters: Filters, figure: Figure | None, offering_id: int, session_id: int) -> Breadcrumb:
    """The people of a session."""
    arguments = {
        **carried_arguments(filters, figure), "offering_id": str(offering_id), "session_id": str(session_id),
    }  # fmt: skip
    return Breadcrumb(_("People of the session"), link("report_sessions.people", arguments))


def _origin() -> str:
    via = request.args.get("via", "enrolment")
    return via if via in ORIGINS else "enrolment"


def link(endpoint: str, arguments: dict[str, Any]) -> str:
    """`url_for` with arguments from a dict.

    The named parameters of `url_for` itself have other types, so mypy needs Any.
    """
    return url_for(endpoint, **arguments)
