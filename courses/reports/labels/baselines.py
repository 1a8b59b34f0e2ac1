"""Baselines that reports are held against, as tables of a file: targets, population, quarters, and opening balances."""

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _

from courses.counting.opening_balances import SourceSummary
from courses.counting.population import DistrictPopulation
from courses.counting.quarters import QuarterState
from courses.counting.targets import TargetProgress, YearSectorTargets, YearTargets
from courses.models.catalogue import Programme
from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.reports.labels import report as labels
from lms.core.exports import Cell, Share, Sheet
from lms.core.languages import moment, named, whole
from lms.organisations.forms import SECTORS
from lms.organisations.models import District, Sector


def targets(year: YearTargets, *, whole_branch: bool) -> Sheet:
    """The targets of a year, one row for each district and programme. whole_branch: the sheet holds all districts."""
    criteria = [(_("Year"), str(year.year))]
    if not whole_branch:
        of_branch = whole(year.branch_total.person_times)
        if year.branch_total.target is not None:
            of_branch += f" / {whole(year.branch_total.target)}"
        criteria.append((_("Whole branch"), of_branch))
    return Sheet(
        title=_("Targets %(year)s", year=year.year),
        preamble=labels.preamble(criteria),
        headings=[
            _("District"),
            _("Programme"),
            _("Target"),
            _("Person-times"),
            _("of which before this system"),
            _("Completion"),
        ],
        rows=[
            [named(district), named(programme), *_reached_cells(year.cells[programme.code, district.id])]
            for district in year.districts
            for programme in year.programmes
        ],
        total=[_("Total"), None, *_reached_cells(year.total)],
        widths=[14, 26],
    )


def sector_targets(year: YearSectorTargets) -> Sheet:
    """The targets of a year by sector, one row for each sector and programme, without opening balances."""
    total = sum(year.cells.values(), TargetProgress(None, 0))
    return Sheet(
        title=_("Targets by sector %(year)s", year=year.year),
        preamble=labels.preamble([(_("Year"), str(year.year))]),
        headings=[_("Sector"), _("Programme"), _("Target"), _("Person-times"), _("Completion")],
        rows=[
            [str(SECTORS[sector]), named(programme), *_without_opening(year.cells[programme.code, sector])]
            for sector in Sector
            for programme in year.programmes
        ],
        total=[_("Total"), None, *_without_opening(total)],
        widths=[14, 26],
    )


def _without_opening(reached: TargetProgress) -> list[Cell]:
    target, person_times, _opening, share = _reached_cells(reached)
    return [target, person_times, share]


def _reached_cells(reached: TargetProgress) -> list[Cell]:
    share = None if reached.share is None else Share(round(reached.share, 4))
    return [reached.target, reached.person_times, reached.opening, share]


def population(rows: Sequence[DistrictPopulation], year: int) -> Sheet:
    """The registered people of the districts in a year."""
    return Sheet(
        title=_("Registered population %(year)s", year=year),
        preamble=labels.preamble([(_("Year"), str(year))], counts=False),
        headings=[_("District"), _("Registered people"), _("Source")],
        rows=[[named(row.district), row.people, row.source] for row in rows],
        total=[_("Total"), sum(row.people or 0 for row in rows), None],
        widths=[14, 18, 40],
    )


def quarters(states: Sequence[QuarterState]) -> Sheet:
    """Quarters that are over, the latest first."""
    note = _("Person-times of the whole branch, without totals from before the system.")
    return Sheet(
        title=_("Quarters"),
        preamble=labels.preamble([(_("Note"), note)]),
        headings=[_("Quarter"), _("From"), _("To"), _("Person-times"), _("State"), _("Frozen on"), _("Frozen by")],
        rows=[
            [
                str(state.quarter),
                state.quarter.first,
                state.quarter.last,
                state.person_times,
                _("Frozen") if state.frozen_at else _("Open"),
                moment(state.frozen_at) or None,
                state.frozen_by,
            ]
            for state in states
        ],
        widths=[14, 12, 12, 14, 10, 18, 18],
    )


def sources(rows: Sequence[SourceSummary]) -> Sheet:
    """The sources of opening balances. The total leaves out the sources that were withdrawn."""
    counted = [row for row in rows if row.source.withdrawn_at is None]
    return Sheet(
        title=_("Totals from before this system"),
        preamble=labels.preamble([]),
        headings=[
            _("Source"),
            _("From"),
            _("To"),
            _("Number of rows"),
            _("Person-times"),
            _("Certificates"),
            _("Added"),
            _("Withdrawn"),
            _("Reason"),
        ],
        rows=[
            [
                row.source.title,
                _month(row.first),
                _month(row.last),
                row.rows,
                row.person_times,
                row.certificates,
                moment(row.source.added_at),
                moment(row.source.withdrawn_at) or None,
                row.source.withdrawn_reason,
            ]
            for row in rows
        ],
        total=[
            _("Total without what was withdrawn"),
            None,
            None,
            sum(row.rows for row in counted),
            sum(row.person_times for row in counted),
            sum(row.certificates for row in counted),
            None,
            None,
            None,
        ],
        widths=[34, 12, 12],
    )


def balances(source: OpeningSource, rows: Sequence[tuple[OpeningBalance, District, Programme]]) -> Sheet:
    """The balances of a source, month by month."""
    criteria = [(_("Source"), source.title), (_("Added"), moment(source.added_at))]
    if source.withdrawn_at:
        criteria.append((_("Withdrawn"), f"{moment(source.withdrawn_at)} {source.withdrawn_reason or ''}".strip()))
    return Sheet(
        title=_("Totals from before this system"),
        preamble=labels.preamble(criteria),
        headings=[_("Month"), _("District"), _("Programme"), _("Person-times"), _("Certificates")],
        rows=[
            [_month(balance.month), named(district), named(programme), balance.person_times, balance.certificates]
            for balance, district, programme in rows
        ],
        total=[
            _("Total"),
            None,
            None,
            sum(balance.person_times for balance, _district, _programme in rows),
            sum(balance.certificates for balance, _district, _programme in rows),
        ],
        widths=[12, 14, 26],
    )


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
