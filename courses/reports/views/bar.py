"""The bar above every report: its period, its rows and its filters, and what goes along from report to report.

A filter that one report cannot use stays in the addresses, so that the next report uses it again, and the page says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Blueprint, g, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.reports import saved_views
from courses.reports.filter_options import FilterOptions
from courses.reports.forms.filters import GROUPING_LABELS, REFRESHER_LABELS, ReportFilterForm
from courses.reports.labels.report import PRESET_LABELS, option_name
from courses.reports.periods import PRESETS, name_of_days
from courses.reports.questions import TIME_GROUPINGS, Grouping
from courses.reports.views.navigation import link
from lms.core.access import holds, scope
from lms.core.languages import language, named
from lms.core.request_db import db
from lms.core.scope import READERS, STAFF_READERS, Role
from lms.organisations.forms import SECTORS
from lms.organisations.models import Sector

# The arguments of the bar, in the order in which addresses have them.
PERIOD_ARGUMENTS = ("period", "since", "until")
FILTER_ARGUMENTS = ("programme", "course", "district", "host", "organisation", "sector", "refresher", "as_of")
ARGUMENTS = (*PERIOD_ARGUMENTS, *FILTER_ARGUMENTS, "grouping")
LONGEST_ARGUMENT = 100  # characters
# What narrows a page of a drill-down, beside the bar: it stays when the bar changes (`courses.reports.views.navigation`).
DRILL_ARGUMENTS = ("key", "column", "part", "via", "find", "order", "from_page")
RECENT_YEARS = 6  # stand as buttons; earlier ones are in a list

ARGUMENT_LABELS = {
    "period": _l("Period"),
    "since": _l("Period"),
    "until": _l("Period"),
    "programme": _l("Programme"),
    "course": _l("Course"),
    "district": _l("District"),
    "host": _l("Host organisation"),
    "organisation": _l("Host (part of its name)"),
    "sector": _l("Sector"),
    "refresher": _l("First training or refresher"),
    "as_of": _l("As recorded on"),
    "grouping": _l("Rows"),
}
CITY_READERS = (Role.CITY_ADMINISTRATOR, Role.AUDITOR)
EVERY_FILTER = frozenset(FILTER_ARGUMENTS)


class Report(NamedTuple):
    """A page of the reports: its endpoint, its label, who reads it, and the filters that it uses.

    uses: None for a page that is of no period and no filter, and has nothing to say of them.
    """

    endpoint: str
    label: Any
    roles: tuple[Role, ...]
    uses: frozenset[str] | None = None


REPORTS: Mapping[str, Report] = {
    "enrolment": Report("reports.enrolment", _l("Enrolment report"), STAFF_READERS, EVERY_FILTER),
    "districts": Report("reports.districts", _l("Districts by month"), READERS, EVERY_FILTER),
    "indicators": Report("indicators.page", _l("Indicators"), STAFF_READERS, EVERY_FILTER),
    "hours": Report("report_hours.page", _l("Hours taught"), STAFF_READERS, EVERY_FILTER - {"as_of"}),
    "targets": Report("targets.current", _l("Targets"), READERS, frozenset()),
    "opening_balances": Report("opening_balances.index", _l("Before this system"), CITY_READERS),
    "quarters": Report("quarters.page", _l("Quarters"), READERS),
    "population": Report("population.current", _l("Population"), READERS, frozenset()),
    "report_mails": Report("report_mails.page", _l("Reports by mail"), READERS),
    "exports": Report("exports.index", _l("My exports"), STAFF_READERS),
}


class Choice(NamedTuple):
    """A link of the bar that sets one thing. current: it is set."""

    label: str
    address: str
    current: bool


class Chip(NamedTuple):
    """A filter that is set, and the address of the page without it."""

    label: str
    value: str
    address: str


class PeriodChoices(NamedTuple):
    """The menu of periods. name: of the period that is shown; dates: its days."""

    name: str
    dates: str
    presets: list[Choice]
    years: list[Choice]
    earlier_years: list[Choice]


class _Page(NamedTuple):
    """The address of a page: what the bar sets of it, and the further arguments that stay, as the sort order."""

    endpoint: str
    path_arguments: Mapping[str, Any]
    arguments: Mapping[str, str]
    more: Mapping[str, str]

    def address(self, **changed: str | None) -> str:
        """The address with arguments of the bar changed; None takes one away."""
        left = {name: value for name, value in {**self.arguments, **changed}.items() if value is not None}
        return link(self.endpoint, {**self.path_arguments, **in_order(left), **self.more})

    def without(self, name: str) -> str:
        """The address without one of the further arguments."""
        return self._replace(more={key: value for key, value in self.more.items() if key != name}).address()


@dataclass(frozen=True)
class Bar:
    """Everything that the bar of a page shows.

    choices: the menu of periods. groupings: empty where the rows cannot be chosen. unused: the labels of filters that
    this report cannot use. views: the saved views.
    """

    report: str
    page: _Page
    form: ReportFilterForm
    choices: PeriodChoices
    groupings: list[Choice]
    grouping: str
    chips: list[Chip]
    unused: list[str]
    views: list[Choice]

    @property
    def dates(self) -> str:
        """The days of the period."""
        return self.choices.dates

    @property
    def arguments(self) -> Mapping[str, str]:
        """The query arguments that are set."""
        return self.page.arguments

    @property
    def more(self) -> Mapping[str, str]:
        """The further arguments that stay."""
        return self.page.more

    @property
    def of_filters(self) -> dict[str, str]:
        """The arguments that the form of the period carries along."""
        return {name: value for name, value in self.arguments.items() if name not in PERIOD_ARGUMENTS}

    @property
    def of_period(self) -> dict[str, str]:
        """The arguments that the form of the filters carries along."""
        return {name: self.arguments[name] for name in (*PERIOD_ARGUMENTS, "grouping") if name in self.arguments}

    @property
    def action(self) -> str:
        """The address that the forms of the bar are sent to."""
        return link(self.page.endpoint, dict(self.page.path_arguments))

    @property
    def reset(self) -> str:
        """The address of the page without any filter."""
        return self.page._replace(arguments={}).address()


def make_bar(
    report: str,
    form: ReportFilterForm,
    options: FilterOptions,
    *,
    groupings: tuple[Grouping, ...] = tuple(Grouping),
    shown: Grouping,
    more: Mapping[str, str] | None = None,
) -> Bar:
    """The bar of a report whose form was validated. groupings: those that the report has; shown: that of its rows."""
    page = _Page(REPORTS[report].endpoint, {}, set_arguments(form), more or {})
    g.report_arguments = page.arguments
    return Bar(
        report=report,
        page=page,
        form=form,
        choices=_period_choices(form, page),
        groupings=[
            Choice(str(GROUPING_LABELS[grouping]), page.address(grouping=grouping.value), grouping is shown)
            for grouping in groupings
        ],
        grouping=_groupings_label(report, GROUPING_LABELS[shown]),
        chips=_chips(page, options),
        unused=unused_labels(report, page.arguments),
        views=_views(report, page.arguments),
    )


def drill_bar(criteria: Sequence[tuple[str, str]]) -> Bar:
    """The bar of a page of a drill-down, which has no rows to choose and no views.

    criteria: the question of the page; its last lines are the row and the figure that the page is narrowed to.
    """
    form, options = g.report_form
    shown = Grouping(form.grouping.data)
    narrowed = {name: request.args[name] for name in DRILL_ARGUMENTS if request.args.get(name)}
    page = _Page(request.endpoint or "", dict(request.view_args or {}), set_arguments(form), narrowed)
    names = [name for name in ("key", "column", "part") if name in narrowed]
    narrowing = [
        Chip(label, value, page.without(name))
        for name, (label, value) in zip(names, criteria[-len(names) :] if names else (), strict=False)
    ]
    # A row that is a period ends where another period is chosen.
    moved = {name: value for name, value in narrowed.items() if name != "key" or shown not in TIME_GROUPINGS}
    return Bar(
        report="enrolment",
        page=page,
        form=form,
        choices=_period_choices(form, page._replace(more=moved)),
        groupings=[],
        grouping="",
        chips=[*_chips(page, options), *narrowing],
        unused=[],
        views=[],
    )


def _chips(page: _Page, options: FilterOptions) -> list[Chip]:
    return [
        Chip(str(ARGUMENT_LABELS[name]), value, page.address(**{name: None}))
        for name, value in values(page.arguments, options)
    ]


def _period_choices(form: ReportFilterForm, page: _Page) -> PeriodChoices:
    def address(name: str) -> str:
        return page.address(period=name, since=None, until=None)

    since, until = form.days if not form.errors else form.year
    dates = f"{since.isoformat()} – {until.isoformat()}"
    chosen = page.arguments.get("period") or name_of_days(since, until) or ""
    years = [Choice(year_name(year), address(str(year)), chosen == str(year)) for year in reversed(form.years)]
    presets = [Choice(str(PRESET_LABELS[name]), address(name), chosen == name) for name in PRESETS]
    return PeriodChoices(period_name(chosen) or dates, dates, presets, years[:RECENT_YEARS], years[RECENT_YEARS:])


def _views(report: str, arguments: Mapping[str, str]) -> list[Choice]:
    """The saved views that the user may open, of all reports. The view that the page shows is marked."""
    return [
        Choice(
            view.name if view.owner_id == scope().user_id else f"{view.name} · {view.owner.name}",
            url_for("saved_views.show", ref=view.ref),
            view.report == report and view.arguments == arguments,
        )
        for view in saved_views.listing(db(), scope())
    ]


def _groupings_label(report: str, grouping: Any) -> str:
    if report == "districts":
        return _("Columns: %(grouping)s", grouping=grouping)
    return _("Rows: %(grouping)s", grouping=grouping)


def set_arguments(form: ReportFilterForm, sent: Mapping[str, str] | None = None) -> dict[str, str]:
    """The query arguments that the reader set: sent, in the query string or otherwise, and accepted by the form."""
    sent = request.args if sent is None else sent
    values = {name: form[name].data for name in ARGUMENTS if sent.get(name)}
    return {name: str(value) for name, value in values.items() if value not in (None, "")}


def in_order(arguments: Mapping[str, str]) -> dict[str, str]:
    """The arguments in the order of addresses."""
    return {name: arguments[name] for name in ARGUMENTS if name in arguments}


def carried() -> dict[str, str]:
    """The arguments that go along to another report."""
    if "report_arguments" in g:
        return dict(g.report_arguments)
    return {name: request.args[name] for name in ARGUMENTS if 0 < len(request.args.get(name, "")) <= LONGEST_ARGUMENT}


def of_year(year: int) -> dict[str, Any]:
    """The arguments of a page of a year: its `year`, and what goes along, with this year as the period."""
    filters = {name: value for name, value in carried().items() if name not in PERIOD_ARGUMENTS}
    return {"year": year, "period": str(year), **filters}


def report_tabs(current: str) -> Iterator[Choice]:
    """The tabs of the reports that the user may read, each with the period and the filters of this page."""
    arguments = carried()
    for name, report in REPORTS.items():
        if holds(*report.roles):
            yield Choice(str(report.label), link(report.endpoint, arguments), name == current)


def unused_labels(report: str, arguments: Mapping[str, str] | None = None) -> list[str]:
    """The labels of the filters that are set and that a report cannot use."""
    arguments = carried() if arguments is None else arguments
    uses = REPORTS[report].uses
    if uses is None:
        return []
    return [str(ARGUMENT_LABELS[name]) for name in FILTER_ARGUMENTS if name in arguments and name not in uses]


def year_name(year: int) -> str:
    """A year as its button names it."""
    return f"{year}年" if language() == "zh" else str(year)


def period_name(name: str) -> str:
    """The name of a preset, a month, a quarter or a year; empty where there is none."""
    if name in PRESET_LABELS:
        return str(PRESET_LABELS[name])
    return year_name(int(name)) if name.isdecimal() else name


def values(arguments: Mapping[str, str], options: FilterOptions) -> Iterator[tuple[str, str]]:
    """The values of the filters that are set, as readers know them."""
    lists = {"programme": options.programmes, "course": options.courses, "district": options.districts}
    for name in FILTER_ARGUMENTS:
        value = arguments.get(name)
        if value is None:
            continue
        if name in lists:
            yield name, option_name(lists[name], value)
        elif name == "host":
            yield name, named(options.host) if options.host else value
        elif name == "organisation":
            yield name, _("Host: “%(part)s”", part=value)
        elif name == "sector":
            yield name, str(SECTORS[Sector(value)])
        elif name == "refresher":
            yield name, str(REFRESHER_LABELS[value])
        else:
            yield name, _("As recorded on %(day)s", day=value)


def register_globals(blueprint: Blueprint) -> None:
    """Give every template the tabs of the reports and what a report cannot use."""
    blueprint.add_app_template_global(report_tabs, "report_tabs")
    blueprint.add_app_template_global(unused_labels, "unused_filters")
    blueprint.add_app_template_global(of_year, "of_year")
    blueprint.add_app_template_global(drill_bar, "drill_bar")
