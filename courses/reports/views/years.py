"""Pages of one year: which years there are, and this one."""

from flask import current_app

from lms.core import clock
from lms.core.errors import NotFound

YEARS = range(1980, 2101)


def this_year() -> int:
    """By the branch's clock."""
    return clock.today(current_app.config["SETTINGS"].zone).year


def demand(year: int) -> None:
    """Raise NotFound for a year that no page has."""
    if year not in YEARS:
        raise NotFound
