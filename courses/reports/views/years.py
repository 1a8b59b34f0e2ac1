"""The years that have a page of targets and of population."""

import re

from flask import current_app, request

from lms.core import clock
from lms.core.errors import NotFound

YEARS = range(1980, 2101)  # as the days of the bar
_YEAR = re.compile(r"([0-9]{4})(?:Q[1-4]|-[0-9]{2}(?:-[0-9]{2})?)?", re.ASCII)


def this_year() -> int:
    """The year in the branch's time zone."""
    return clock.today(current_app.config["SETTINGS"].zone).year


def chosen_year() -> int:
    """The year in which the period of the query string ends; this year where it names none that has a page."""
    if request.args.get("period") == "last_year" and not request.args.get("until"):
        return this_year() - 1
    for name in ("until", "since", "period"):
        year = _YEAR.fullmatch(request.args.get(name, ""))
        if year is not None:
            return int(year[1]) if int(year[1]) in YEARS else this_year()
    return this_year()


def require_year(year: int) -> None:
    """Raise NotFound for a year that has no page."""
    if year not in YEARS:
        raise NotFound
