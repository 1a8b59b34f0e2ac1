"""What reports are held against, as tables for a file: targets, population, frozen quarters, totals from before the system."""

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _

from courses.counting.opening_balances import SourceSummary
from courses.counting.population import DistrictPopulation
from courses.counting.quarters import QuarterState
from courses.counting.targets import TargetProgress, YearTargets
from courses.models.catalogue import Programme
from courses.models.opening_balances import OpeningBalance, OpeningSource
from courses.reports.labels import report as words
from lms.core.exports import Cell, Sheet
from lms.core.languages import moment, named
from lms.organisations.models import District


def targets(found: YearTargets, *, whole_branch: bool) -> Sheet:
    """A programme in a district, a row each, as for programs. whole_branch: whether the districts shown are all."""
    asked = [(_("Year"), str(found.year))]
    if not whole_branch:
        of_branch = f"{found.branch_total.person_times:,}"
        if found.branch_total.target is not None:
            of_branch += f" / {found.branch_total.target:,}"
        asked.append((_("Whole branch"), of_branch))
    return Sheet(
        title=_("Targets %(year)s", year=found.year),
        preamble=words.preamble(asked),
        headings=[
            _("District"),
            _("Programme"),
            _("Target"),
            _("Person-times"),
            _("of which before this system"),
            _("Completion"),
        ],
        rows=[
            [named(district), named(programme), *_reached(found.cells[programme.code, district.id])]
            for district in found.districts
            for programme in found.programmes
        ],
        total=[_("Total"), None, *_reached(found.total)],
        widths=[14, 26],
    )


def _reached(one: TargetProgress) -> list[Cell]:
    return [one.target, one.person_times, one.opening, None if one.share is None else round(one.share, 4)]


def population(rows: Sequence[DistrictPopulation], year: int) -> Sheet:
    """The districts' registered people of a year."""
    return Sheet(
        title=_("Registered population %(year)s", year=year),
        preamble=words.preamble([(_("Year"), str(year))], counts=False),
        headings=[_("District"), _("Registered people"), _("Source")],
        rows=[[named(row.district), row.people, row.source] for row in rows],
        total=[_("Total"), sum(row.people or 0 for row in rows), None],
        widths=[14, 18, 40],
    )


def quarters(found: Sequence[QuarterState]) -> Sheet:
    """Quarters that are over, the latest first."""
    scope = _("Person-times of the whole branch, without totals from before the system.")
    return Sheet(
        title=_("Quarters"),
        preamble=words.preamble([(_("Note"), scope)]),
        headings=[_("Quarter"), _("From"), _("To"), _("Person-times"), _("State"), _("Frozen on"), _("Frozen by")],
        rows=[
            [
                str(one.quarter),
                one.quarter.first,
                one.quarter.last,
                one.person_times,
                _("Frozen") if one.frozen_at else _("Open"),
                moment(one.frozen_at) or None,
                one.frozen_by,
            ]
            for one in found
        ],
        widths=[14, 12, 12, 14, 10, 18, 18],
    )


def sources(rows: Sequence[SourceSummary]) -> Sheet:
    """The sources of totals from before the system. Summed is what stands."""
    standing = [row for row in rows if row.source.withdrawn_at is None]
    return Sheet(
        title=_("Totals from before this system"),
        preamble=words.preamble([]),
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
            sum(row.rows for row in standing),
            sum(row.person_times for row in standing),
            sum(row.certificates for row in standing),
            None,
            None,
            None,
        ],
        widths=[34, 12, 12],
    )


def balances(source: OpeningSource, rows: Sequence[tuple[OpeningBalance, District, Programme]]) -> Sheet:
    """One source, month by month."""
    of = [(_("Source"), source.title), (_("Added"), moment(source.added_at))]
    if source.withdrawn_at:
        of.append((_("Withdrawn"), f"{moment(source.withdrawn_at)} {source.withdrawn_reason or ''}".strip()))
    return Sheet(
        title=_("Totals from before this system"),
        preamble=words.preamble(of),
        headings=[_("Month"), _("District"), _("Programme"), _("Person-times"), _("Certificates")],
        rows=[
            [_month(one.month), named(district), named(programme), one.person_times, one.certificates]
            for one, district, programme in rows
        ],
        total=[
            _("Total"),
            None,
            None,
            sum(one.person_times for one, _district, _programme in rows),
            sum(one.certificates for one, _district, _programme in rows),
        ],
        widths=[12, 14, 26],
    )


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
