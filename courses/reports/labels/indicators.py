"""The texts of the indicators, and the indicators as a table of a file."""

from collections.abc import Mapping

from flask_babel import gettext as _

from courses.reports.filter_options import FilterOptions
from courses.reports.forms.filters import GROUPING_LABELS
from courses.reports.indicators import IndicatorReport, IndicatorRow
from courses.reports.labels import report as labels
from courses.reports.questions import TIME_GROUPINGS, Filters, Grouping
from lms.core.exports import Cell, Share, Sheet

DECIMALS = 4  # of a share, in a file


def percent(share: float | None, *, signed: bool = False) -> str:
    """A share of 1 in percent: 0.123 as "12.3%", 0.0046 as "0.46%", and None, with nothing to divide by, as a dash."""
    if share is None:
        return "–"
    if not signed and 0 < abs(share) < 0.01:
        return f"{share * 100:.2f}%" if abs(share) >= 0.0001 else "<0.01%"
    return f"{share * 100:+,.1f}%" if signed else f"{share * 100:,.1f}%"


def mean(value: float | None) -> str:
    """A mean with one decimal; None as a dash."""
    return "–" if value is None else f"{value:,.1f}"


def sheet(
    report: IndicatorReport, filters: Filters, options: FilterOptions, valid_by_district: Mapping[int, int]
) -> Sheet:
    """The indicators as a table. valid_by_district: certificates valid today, a column where rows are districts."""
    by_district = filters.grouping is Grouping.DISTRICT
    has_periods = filters.grouping in TIME_GROUPINGS
    headings = [
        str(GROUPING_LABELS[filters.grouping]),
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
    rows = [
        [labels.row_name(indicator.row, filters.grouping), *_cells(indicator, with_waiting=not has_periods)]
        + ([valid_by_district.get(int(indicator.row.key), 0)] if by_district else [])
        for indicator in report.rows
    ]
    valid_total = [sum(valid_by_district.values())] if by_district else []
    return Sheet(
        title=_("Indicators"),
        preamble=labels.preamble(labels.criteria(filters, options)),
        headings=[*headings, *([_("Certificates valid today")] if by_district else [])],
        rows=rows,
        total=[_("Total"), *_cells(report.total, with_waiting=True), *valid_total],
        widths=[26],
    )


def _cells(indicator: IndicatorRow, *, with_waiting: bool) -> list[Cell]:
    """The cells of a row. with_waiting: False where rows are periods, because a waiting list is of now."""
    return [
        indicator.person_times,
        indicator.opening,
        indicator.before,
        _share(indicator.growth),
        indicator.target,
        _share(indicator.completion),
        indicator.row.people,
        _share(indicator.share),
        indicator.certified,
        indicator.renewed,
        _share(indicator.pass_rate),
        _share(indicator.no_show),
        indicator.sessions,
        _rounded(indicator.class_size),
        indicator.waiting if with_waiting else None,
    ]


def _share(value: float | None) -> Share | None:
    return None if value is None else Share(round(value, DECIMALS))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)
