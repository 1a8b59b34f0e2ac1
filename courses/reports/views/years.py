"""The years that have a page of targets and of population."""

from flask import current_app

from lms.core import clock
from lms.core.errors import NotFound

YEARS = range(1980, 2101)  # as the days of the filter bar


def this_year() -> int:
    """The year in the branch's time zone."""
    return clock.today(current_app.config["SETTINGS"].zone).year


def require_year(year: int) -> None:
    """Raise NotFound for a year that has no page."""
    if year not in YEARS:
        raise NotFound
