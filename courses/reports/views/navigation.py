"""The ways between the pages of reports, down and back up. What was asked, and where one came from, stand in each address."""

from calendar import monthrange
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.reports.filters import Column, Filters

# Where a way down can begin. "district": the same table, when it was narrowed to one district already. "indicators-later": the
# number stood there as that of the year before. "indicators-kind": it was of refreshers or first trainings alone, of both that
# were asked for.
TOPS = {
    "enrolment": ("reports.enrolment", _l("Enrolment report")),
    "districts": ("reports.districts", _l("Districts by month")),
    "district": ("reports.districts", _l("Districts by month")),
    "indicators": ("indicators.page", _l("Indicators")),
    "indicators-later": ("indicators.page", _l("Indicators")),
    "indicators-kind": ("indicators.page", _l("Indicators")),
    "targets": ("targets.page", _l("Targets")),
    "hours": ("report_hours.page", _l("Hours taught")),
}
LAST = {(2, 28), (2, 29)}
# How a report was looked at (`courses.reports.views.paging`): the name there, and the name that the ways down carry it by.
LOOKED_AT = {"find": "find", "order": "order", "page": "from_page"}
PART = "part"  # which of an instructor's hours one came from


class Step(NamedTuple):
    """One page on the way back up."""

    label: str
    address: str


def down() -> dict[str, str]:
    """How the report is looked at that one stands on, for the addresses that lead down from it."""
    return {along: request.args[name] for name, along in LOOKED_AT.items() if request.args.get(name)}


def here(filters: Filters, column: Column | None = None) -> dict[str, str]:
    """The arguments of an address that asks the same, of the same figure, and knows where one came from."""
    more = {"column": column.value} if column else {}
    via = _via()
    carried = {along: request.args[along] for along in (*LOOKED_AT.values(), PART) if request.args.get(along)}
    return {**filters.address(), **more, **({} if via == "enrolment" else {"via": via}), **carried}


def top(filters: Filters, via: str | None = None) -> Step:
    """The report that one came from, with its filter, as one looked at it. via: which, where the page belongs to one."""
    via = via or _via()
    endpoint, label = TOPS[via]
    if via == "indicators-later":
        filters = replace(filters, since=_later(filters.since), until=_later(filters.until))
    asked = filters.of_row(None).address()
    if via == "targets":
        return Step(str(label), url_for(endpoint, year=filters.since.year))
    if via == "districts":
        asked.pop("district", None)
    if via == "indicators-kind":
        asked.pop("refresher", None)
    asked |= {name: request.args[along] for name, along in LOOKED_AT.items() if request.args.get(along)}
    return Step(str(label), _address(endpoint, asked))


def _later(day: date) -> date:
    """The day a year on. The last of February stays the last, so that the month stays whole."""
    year = day.year + 1
    return date(year, day.month, monthrange(year, 2)[1] if (day.month, day.day) in LAST else day.day)


def offerings(filters: Filters, column: Column | None) -> Step:
    """The offerings behind the number; behind hours taught, the instructor's sessions."""
    if _via() == "hours" and (filters.key or "").isdecimal():
        asked = {**here(filters.of_row(None)), "instructor_id": filters.key}
        return Step(_("Sessions taught"), _address("report_hours.sessions", asked))
    return Step(_("Offerings"), _address("reports.offerings", here(filters, column)))


def sessions(filters: Filters, column: Column | None, offering_id: int) -> Step:
    """An offering's sessions."""
    arguments = {**here(filters, column), "offering_id": str(offering_id)}
    return Step(_("Sessions"), _address("report_sessions.page", arguments))


def people(filters: Filters) -> Step:
    """The distinct people behind the number."""
    return Step(_("People counted in the figure"), _address("reports.people", here(filters)))


def offering_people(filters: Filters, column: Column | None, offering_id: int) -> Step:
    """Everybody of an offering."""
    arguments = {**here(filters, column), "offering_id": str(offering_id)}
    return Step(_("Everybody of this offering"), _address("reports.offering_people", arguments))


def session_people(filters: Filters, column: Column | None, offering_id: int, session_id: int) -> Step:
    """Who was at a session."""
    arguments = {**here(filters, column), "offering_id": str(offering_id), "session_id": str(session_id)}
    return Step(_("People of the session"), _address("report_sessions.people", arguments))


def _via() -> str:
    found = request.args.get("via", "enrolment")
    return found if found in TOPS else "enrolment"


def _address(endpoint: str, arguments: dict[str, Any]) -> str:
    return url_for(endpoint, **arguments)
