"""Texts that the pages and files of all reports share: names of figures and rows, criteria, and preambles."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup, escape

from courses.counting.rule import RULE
from courses.models.offerings import CourseSession, Offering
from courses.reports.filter_options import FilterOption, FilterOptions
from courses.reports.forms.filters import GROUPING_LABELS, REFRESHER_LABELS
from courses.reports.ledger import NO_INSTRUCTOR, Figures
from courses.reports.questions import TIME_GROUPINGS, Figure, Filters, Grouping
from courses.reports.report_rows import ReportRow
from lms.core import clock
from lms.core.languages import clock_time, moment, named, organisation_name, whole
from lms.core.request_db import report_freshness
from lms.organisations.forms import SECTORS
from lms.organisations.models import Sector

# In the order of the columns of the page and the files: the figure that counts first, then what it is made of.
FIGURE_LABELS = {
    Figure.PERSON_TIMES: _l("Person-times"),
    Figure.NAMED: _l("Attended (named)"),
    Figure.COUNTED: _l("Headcount"),
    Figure.REFRESHER: _l("of which refresher"),
    Figure.MINUTES: _l("Person-hours"),
    Figure.ENROLLED: _l("Enrolled"),
    Figure.PASSED: _l("Passed"),
    Figure.CERTIFICATES: _l("Certificates issued"),
    Figure.OFFERINGS: _l("Offerings closed"),
}

PRESET_LABELS = {
    "this_month": _l("This month"),
    "this_quarter": _l("This quarter"),
    "last_quarter": _l("Last quarter"),
    "this_year": _l("This year"),
    "last_year": _l("Last year"),
    "last_12_months": _l("Last 12 months"),
    "all": _l("All time"),
}


@dataclass(frozen=True)
class Heading:
    """The heading of a figure's column."""

    figure: Figure
    label: str


def headings() -> list[Heading]:
    """The headings in the order of the columns."""
    return [Heading(figure, str(label)) for figure, label in FIGURE_LABELS.items()]


def figure_value(figures: Figures, figure: Figure) -> int:
    """A single figure; minutes for `Figure.MINUTES`."""
    return int(getattr(figures, figure.value))


def hours(minutes: int) -> str:
    """Minutes as hours with one decimal: 90 as "1.5"."""
    return f"{Decimal(minutes) / 60:,.1f}"


def figure_text(figures: Figures, figure: Figure) -> str:
    """A single figure as a page shows it."""
    value = figure_value(figures, figure)
    return hours(value) if figure is Figure.MINUTES else whole(value)


def linked_cells(offerings_url: str, people_url: str) -> Callable[[Figures, int, str | None], Markup]:
    """Make the function that gives the cells of a row as HTML, each figure linked to its drill-down.

    The two URLs ask for the whole report, and each cell adds the key of its row and its figure. URLs are built once a
    page and cells here instead of in the template, because a table has a thousand cells, which took half of the page's
    time.
    """
    offerings_url, people_url = escape(offerings_url), escape(people_url)
    columns = [(figure, " report-main" if figure is Figure.PERSON_TIMES else "") for figure in FIGURE_LABELS]

    def cell(number: int, text: str, url: str, css_class: str = "") -> str:
        content = f'<a href="{url}">{text}</a>' if number else '<span class="report-zero">0</span>'
        return f'<td class="number{css_class}">{content}</td>'

    def cells(figures: Figures, people: int, key: str | None) -> Markup:
        row = "" if key is None else f"&amp;key={quote(key)}"
        parts = []
        for figure, css_class in columns:
            value = figure_value(figures, figure)
            text = hours(value) if figure is Figure.MINUTES else whole(value)
            parts.append(cell(value, text, f"{offerings_url}{row}&amp;column={figure.value}", css_class))
            if figure is Figure.REFRESHER:
                parts.append(cell(people, whole(people), f"{people_url}{row}"))
        return Markup("".join(parts))  # noqa: S704  # numbers, and URLs that are escaped

    return cells


def row_name(row: ReportRow, grouping: Grouping) -> str:
    """The name of a row in the reader's language."""
    if grouping in TIME_GROUPINGS:
        return row.key
    if grouping is Grouping.SECTOR:
        return str(SECTORS[Sector(row.key)])
    if row.key == NO_INSTRUCTOR:
        return _("No lead instructor")
    return named(row) if row.name_zh else row.key


def key_name(filters: Filters, rows: list[ReportRow]) -> str:
    """The name of the row that a drill-down is narrowed to. rows: the report's rows, narrowed to it too."""
    return next((row_name(row, filters.grouping) for row in rows), filters.key or "")


def option_name(options: list[FilterOption], key: object) -> str:
    """The name of an option of the filter bar; the key itself where no option has it."""
    return next((named(option) for option in options if option.key == str(key)), str(key))


def criteria(filters: Filters, options: FilterOptions) -> list[tuple[str, str]]:
    """The filters as (label, value) for readers. Filters that are not set are left out.

    The first is the period, the last the rows.
    """
    return list(_criteria(filters, options))


def _criteria(filters: Filters, options: FilterOptions) -> Iterator[tuple[str, str]]:
    yield _("Period"), f"{filters.since.isoformat()} – {filters.until.isoformat()}"
    if filters.programme:
        yield _("Programme"), option_name(options.programmes, filters.programme)
    if filters.district is not None:
        yield _("District"), option_name(options.districts, filters.district)
    if filters.course is not None:
        yield _("Course"), option_name(options.courses, filters.course)
    if filters.host is not None:
        yield _("Host organisation"), named(options.host) if options.host else str(filters.host)
    if filters.organisation:
        yield _("Host (part of its name)"), filters.organisation
    if filters.sector:
        yield _("Sector"), str(SECTORS[Sector(filters.sector)])
    if filters.refresher is not None:
        yield _("Courses"), str(REFRESHER_LABELS[str(int(filters.refresher))])
    if filters.as_of is not None:
        yield _("As recorded on"), filters.as_of.isoformat()
    yield _("Rows"), str(GROUPING_LABELS[filters.grouping])


def offering_criteria(offering: Offering, meeting: CourseSession | None = None) -> list[tuple[str, str]]:
    """An offering, or one of its sessions, as (label, value), for lists of its people or sessions."""
    lines = [
        (_("Offering no."), str(offering.id)),
        (_("Course"), named(offering.course)),
        (_("Host organisation"), named(offering.organisation)),
        (_("District"), named(offering.district)),
    ]
    if meeting is not None:
        return [*lines, (_("Session"), f"{moment(meeting.starts_at)}–{clock_time(meeting.ends_at)}")]
    counted = offering.counted_on.isoformat() if offering.counted_on else _("Not closed yet (not in the totals)")
    return [*lines, (_("Counted on"), counted)]


def preamble(criteria: list[tuple[str, str]], *, counts: bool = True) -> list[tuple[str, str]]:
    """The lines above the table in a file. counts: the table holds person-times, so the preamble states their rule."""
    made: datetime = clock.now().astimezone(current_app.config["SETTINGS"].zone)
    rule = [(_("Counting rule") if number == 0 else "", str(line)) for number, line in enumerate(RULE)]
    age = figures_as_of()
    return [
        (_("Reporting unit"), organisation_name()),
        *criteria,
        *(rule if counts else []),
        *([(_("Figures as of"), age)] if age else []),
        (_("Created"), f"{made:%Y-%m-%d %H:%M}"),
        (_("Created by"), current_user.name),
    ]


def figures_as_of() -> str | None:
    """The age of figures that were read from a replica, for files, because a file is kept.

    None when the primary was read.
    """
    fresh = report_freshness()
    if fresh is None or not fresh.from_replica:
        return None
    as_of = f"{fresh.as_of.astimezone(current_app.config['SETTINGS'].zone):%Y-%m-%d %H:%M:%S}"
    if fresh.seconds < 1:
        return as_of
    return _("%(moment)s, %(seconds)s s behind", moment=as_of, seconds=f"{fresh.seconds:.0f}")
