"""The words of the reports: columns, rows, the question and the counting rule, for pages and for files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user
from markupsafe import Markup, escape

from courses.counting.rule import RULE
from courses.models.offerings import CourseSession, Offering
from courses.reports.cross import CrossRow
from courses.reports.enrolment import Report, Row
from courses.reports.filters import PERIODS as TIME_GROUPINGS
from courses.reports.filters import Column, Filters, Grouping, Option, Options
from courses.reports.forms.filters import GROUPINGS, KINDS
from courses.reports.ledger import NOBODY, Figures
from courses.reports.pdf import ReportDocument
from lms.core import clock
from lms.core.exports import Cell, Sheet
from lms.core.languages import clock_time, language, moment, named, organisation_name, whole
from lms.core.web import freshness
from lms.organisations.forms import SECTORS
from lms.organisations.models import Sector

# In the order of the page and the files: the figure that counts and what it is made of come first.
COLUMNS = {
    Column.PERSON_TIMES: _l("Person-times"),
    Column.NAMED: _l("Attended (named)"),
    Column.COUNTED: _l("Headcount"),
    Column.REFRESHER: _l("of which refresher"),
    Column.MINUTES: _l("Person-hours"),
    Column.ENROLLED: _l("Enrolled"),
    Column.PASSED: _l("Passed"),
    Column.CERTIFICATES: _l("Certificates issued"),
    Column.OFFERINGS: _l("Offerings closed"),
}

PERIODS = {
    "this_month": _l("This month"),
    "this_quarter": _l("This quarter"),
    "last_quarter": _l("Last quarter"),
    "this_year": _l("This year"),
    "last_year": _l("Last year"),
}


@dataclass(frozen=True)
class Heading:
    """A column of a table."""

    column: Column
    label: str


def headings() -> list[Heading]:
    """The columns in the order of the page and the files."""
    return [Heading(column, str(label)) for column, label in COLUMNS.items()]


def figure(figures: Figures, column: Column) -> int:
    """One figure of a row; minutes for person-hours."""
    return int(getattr(figures, column.value))


def hours(minutes: int) -> str:
    """Minutes as hours with one decimal."""
    return f"{Decimal(minutes) / 60:,.1f}"


def shown(figures: Figures, column: Column) -> str:
    """A figure as a page shows it."""
    value = figure(figures, column)
    return hours(value) if column is Column.MINUTES else whole(value)


def linked(offerings: str, people_page: str) -> Callable[[Figures, int, str | None], Markup]:
    """Makes a row's cells, each with its way down, or none for nothing.

    The two addresses ask for the whole report; a cell adds its row and its figure. Addresses are made once a page, and cells
    here and not in the page: a table has a thousand, which took half of the page's time.
    """
    offerings, people_page = escape(offerings), escape(people_page)
    columns = [(column, " report-main" if column is Column.PERSON_TIMES else "") for column in COLUMNS]

    def cell(number: int, text: str, address: str, main: str = "") -> str:
        inside = f'<a href="{address}">{text}</a>' if number else '<span class="report-zero">0</span>'
        return f'<td class="number{main}">{inside}</td>'

    def cells(figures: Figures, people: int, key: str | None) -> Markup:
        row = "" if key is None else f"&amp;key={quote(key)}"
        made = []
        for column, main in columns:
            value = figure(figures, column)
            text = hours(value) if column is Column.MINUTES else whole(value)
            made.append(cell(value, text, f"{offerings}{row}&amp;column={column.value}", main))
            if column is Column.REFRESHER:
                made.append(cell(people, whole(people), f"{people_page}{row}"))
        return Markup("".join(made))  # noqa: S704  # numbers, and addresses that are escaped

    return cells


def row_name(row: Row, grouping: Grouping) -> str:
    """What a row is called."""
    if grouping in TIME_GROUPINGS:
        return row.key
    if grouping is Grouping.SECTOR:
        return str(SECTORS[Sector(row.key)])
    if row.key == NOBODY:
        return _("No lead instructor")
    return named(row) if row.name_zh else row.key


def key_name(filters: Filters, rows: list[Row]) -> str:
    """What the row is called that a drill-down stands on."""
    return next((row_name(row, filters.grouping) for row in rows), filters.key or "")


def _chosen(options: list[Option], key: object) -> str:
    return next((named(option) for option in options if option.key == str(key)), str(key))


def question(filters: Filters, options: Options) -> Iterator[tuple[str, str]]:
    """What was asked, in label and value; nothing for what was left open."""
    yield _("Period"), f"{filters.since.isoformat()} – {filters.until.isoformat()}"
    if filters.programme:
        yield _("Programme"), _chosen(options.programmes, filters.programme)
    if filters.district is not None:
        yield _("District"), _chosen(options.districts, filters.district)
    if filters.course is not None:
        yield _("Course"), _chosen(options.courses, filters.course)
    if filters.organisation:
        yield _("Host (part of its name)"), filters.organisation
    if filters.sector:
        yield _("Sector"), str(SECTORS[Sector(filters.sector)])
    if filters.refresher is not None:
        yield _("Courses"), str(KINDS[str(int(filters.refresher))])
    if filters.as_of is not None:
        yield _("As known on"), filters.as_of.isoformat()
    yield _("Rows"), str(GROUPINGS[filters.grouping])


def opening_rows(report: Report, options: Options) -> list[tuple[str, int]]:
    """The opening balances of a report, row by row, under the names of its rows."""
    lists = {Grouping.PROGRAMME: options.programmes, Grouping.DISTRICT: options.districts}
    known = lists.get(report.filters.grouping, [])
    return [(_chosen(known, key), number) for key, number in sorted(report.opening.by_key.items())]


def opening_notes(report: Report) -> list[tuple[str, str]]:
    """The opening balances of a report in a file: apart, and added in. Nothing where there are none."""
    apart, counted = report.opening.person_times, report.total.person_times
    if not apart:
        return []
    return [
        (_("Before this system, in no row"), _("Person-times: %(number)s", number=whole(apart))),
        (_("Sum"), _("Person-times: %(number)s", number=whole(apart + counted))),
    ]


def preamble(asked: list[tuple[str, str]], *, counts: bool = True) -> list[tuple[str, str]]:
    """What stands above a table in a file. counts: it holds person-times, so their rule stands there too."""
    made: datetime = clock.now().astimezone(current_app.config["SETTINGS"].zone)
    rule = [(_("Counting rule") if number == 0 else "", str(line)) for number, line in enumerate(RULE)]
    age = figures_as_of()
    return [
        (_("Unit"), organisation_name()),
        *asked,
        *(rule if counts else []),
        *([(_("Figures as of"), age)] if age else []),
        (_("Created"), f"{made:%Y-%m-%d %H:%M}"),
        (_("Created by"), current_user.name),
    ]


def figures_as_of() -> str | None:
    """How old the figures of a file are that were read from a replica, for a file is kept; None when the primary was read."""
    fresh = freshness()
    if fresh is None or not fresh.from_replica:
        return None
    moment = f"{fresh.as_of.astimezone(current_app.config['SETTINGS'].zone):%Y-%m-%d %H:%M:%S}"
    if fresh.seconds < 1:
        return moment
    return _("%(moment)s, %(seconds)s s behind", moment=moment, seconds=f"{fresh.seconds:.0f}")


def _cells(figures: Figures, people: int | None = None) -> list[Cell]:
    cells: list[Cell] = []
    for column in COLUMNS:
        value = figure(figures, column)
        cells.append(round(value / 60, 2) if column is Column.MINUTES else value)
        if column is Column.REFRESHER and people is not None:
            cells.append(people)
    return cells


def _column_names(*, people: bool) -> list[str]:
    names: list[str] = []
    for column, label in COLUMNS.items():
        names.append(str(label))
        if people and column is Column.REFRESHER:
            names.append(_("People (do not add up)"))
    return names


def report_sheet(report: Report, options: Options) -> Sheet:
    """The report as a file."""
    grouping = report.filters.grouping
    asked = list(question(report.filters, options))
    asked.append((_("In progress, in no total"), progress_text(report)))
    asked += opening_notes(report)
    if report.total.adjusted:
        asked.append(
            (
                _("Adjustments of frozen quarters, in the total"),
                _("Person-times: %(number)s", number=f"{report.total.adjusted:+,}"),
            )
        )
    return Sheet(
        title=_("Enrolment report"),
        preamble=preamble(asked),
        headings=[str(GROUPINGS[grouping]), *_column_names(people=True)],
        rows=[[row_name(row, grouping), *_cells(row.figures, row.people)] for row in report.rows],
        total=[_("Total"), *_cells(report.total, report.people)],
        widths=[26],
    )


def cross_sheet(rows: list[CrossRow], filters: Filters, options: Options) -> Sheet:
    """Programme, district and period, with every figure, as a file."""
    return Sheet(
        title=_("Person-times by programme, district and period"),
        preamble=preamble(list(question(filters, options))),
        headings=[_("Programme"), _("District"), str(GROUPINGS[filters.grouping]), *_column_names(people=False)],
        rows=[
            [
                _chosen(options.programmes, row.programme),
                _chosen(options.districts, row.district),
                row.period,
                *_cells(row.figures),
            ]
            for row in rows
        ],
        total=[_("Total"), None, None, *_cells(sum((row.figures for row in rows), Figures()))],
        widths=[26, 12, 12],
    )


def report_document(report: Report, options: Options, *, whole_branch: bool) -> ReportDocument:
    """The report as it is set on paper. whole_branch: whether its total is the branch's."""
    grouping = report.filters.grouping
    made: datetime = clock.now().astimezone(current_app.config["SETTINGS"].zone)
    notes = [_("In progress, in no total") + " " + progress_text(report)] if report.progress.offerings else []
    notes += [f"{label} {text}" for label, text in opening_notes(report)]
    if report.total.adjusted:
        notes.append(
            _("Adjustments of frozen quarters, in the total")
            + " "
            + _("Person-times: %(number)s", number=f"{report.total.adjusted:+,}")
        )
    if age := figures_as_of():
        notes.append(_("Figures as of") + " " + age)
    return ReportDocument(
        organisation=organisation_name(),
        title=_("Enrolment report"),
        language=language(),
        question=list(question(report.filters, options)),
        columns=[str(GROUPINGS[grouping]), *_column_names(people=True)],
        rows=[[row_name(row, grouping), *_texts(row.figures, row.people)] for row in report.rows],
        total=[_("Total"), *_texts(report.total, report.people)],
        branch=[] if whole_branch else [_("Whole branch"), *_texts(report.branch, report.branch_people)],
        notes=notes,
        rule_title=_("Counting rule"),
        rule=[str(line) for line in RULE],
        made=_("Created %(moment)s by %(name)s", moment=f"{made:%Y-%m-%d %H:%M}", name=current_user.name),
    )


def _texts(figures: Figures, people: int) -> list[str]:
    texts: list[str] = []
    for column in COLUMNS:
        texts.append(shown(figures, column))
        if column is Column.REFRESHER:
            texts.append(whole(people))
    return texts


def progress_text(report: Report) -> str:
    """What is in progress, in one line."""
    return ngettext(
        "%(offerings)s offering: %(enrolled)s enrolled, %(named)s attended, %(counted)s by headcount",
        "%(offerings)s offerings: %(enrolled)s enrolled, %(named)s attended, %(counted)s by headcount",
        report.progress.offerings,
        offerings=whole(report.progress.offerings),
        enrolled=whole(report.progress.enrolled),
        named=whole(report.progress.named),
        counted=whole(report.progress.counted),
    )


def of_offering(offering: Offering, meeting: CourseSession | None = None) -> list[tuple[str, str]]:
    """What a list of an offering's people is of, in words; of one session, with it."""
    lines = [
        (_("Offering no."), str(offering.id)),
        (_("Course"), named(offering.course)),
        (_("Host organisation"), named(offering.organisation)),
        (_("District"), named(offering.district)),
    ]
    if meeting is not None:
        return [*lines, (_("Session"), f"{moment(meeting.starts_at)}–{clock_time(meeting.ends_at)}")]
    counted = offering.counted_on.isoformat() if offering.counted_on else _("Not closed yet, so in no total")
    return [*lines, (_("Counted on"), counted)]
