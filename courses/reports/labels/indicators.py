"""The indicators as a table for a file."""

from collections.abc import Mapping

from flask_babel import gettext as _

from courses.reports.filters import PERIODS, Filters, Grouping, Options
from courses.reports.forms.filters import GROUPINGS
from courses.reports.indicators import Indicators, Overview
from courses.reports.labels import report as words
from lms.core.exports import Cell, Sheet

PLACES = 4  # decimals of a share


def sheet(found: Overview, filters: Filters, choices: Options, valid: Mapping[int, int]) -> Sheet:
    """valid: certificates valid today by district, which the rows of districts show."""
    by_district = filters.grouping is Grouping.DISTRICT
    headings = [
        str(GROUPINGS[filters.grouping]),
        _("Person-times"),
        _("of which before this system"),
        _("The year before"),
        _("Difference"),
        _("Target"),
        _("Completion"),
        _("People (do not add up)"),
        _("Share of the population"),
        _("Newly certified"),
        _("Refreshed"),
        _("Pass rate"),
        _("No-show"),
        _("Sessions"),
        _("Class size"),
        _("Waiting now"),
    ]
    timed = filters.grouping in PERIODS
    rows = [
        [words.row_name(one.row, filters.grouping), *_cells(one, waiting=not timed)]
        + ([valid.get(int(one.row.key), 0)] if by_district else [])
        for one in found.rows
    ]
    return Sheet(
        title=_("Indicators"),
        preamble=words.preamble(list(words.question(filters, choices))),
        headings=[*headings, *([_("Certificates valid today")] if by_district else [])],
        rows=rows,
        total=[_("Total"), *_cells(found.total, waiting=True), *([sum(valid.values())] if by_district else [])],
        widths=[26],
    )


def _cells(one: Indicators, *, waiting: bool) -> list[Cell]:
    return [
        one.person_times,
        one.opening,
        one.before,
        _share(one.growth),
        one.target,
        _share(one.completion),
        one.row.people,
        _share(one.share),
        one.certified,
        one.renewed,
        _share(one.pass_rate),
        _share(one.no_show),
        one.sessions,
        _share(one.class_size),
        one.waiting if waiting else None,
    ]


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, PLACES)
