"""The enrolment report and the districts by period as tables of a file, and the enrolment report as a PDF's content."""

from datetime import datetime

from flask import current_app
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from courses.counting.rule import RULE
from courses.reports.districts_by_period import DistrictPeriodFigures
from courses.reports.enrolment import EnrolmentReport
from courses.reports.filter_options import FilterOptions
from courses.reports.forms.filters import GROUPING_LABELS
from courses.reports.labels import report as labels
from courses.reports.labels.pictures import Picture, on_paper
from courses.reports.labels.report import FIGURE_LABELS
from courses.reports.ledger import Figures
from courses.reports.pdf import ReportDocument
from courses.reports.questions import Figure, Filters, Grouping
from lms.core import clock
from lms.core.exports import Cell, DecimalHours, Sheet
from lms.core.languages import language, organisation_name, whole


def report_sheet(report: EnrolmentReport, options: FilterOptions) -> Sheet:
    """The report as a table: its CSV, XLSX and Parquet file."""
    filters = report.question.filters
    criteria = labels.criteria(filters, options)
    criteria.append((_("In progress (not in the totals)"), progress_text(report)))
    criteria += _opening_notes(report)
    if report.total.adjusted:
        criteria.append((_("Adjustments of frozen quarters, in the total"), _adjusted_text(report)))
    return Sheet(
        title=_("Enrolment report"),
        preamble=labels.preamble(criteria),
        headings=[str(GROUPING_LABELS[filters.grouping]), *_headings(people=True)],
        rows=[[labels.row_name(row, filters.grouping), *_cells(row.figures, row.people)] for row in report.rows],
        total=[_("Total"), *_cells(report.total, report.people)],
        widths=[26],
    )


def districts_sheet(rows: list[DistrictPeriodFigures], filters: Filters, options: FilterOptions) -> Sheet:
    """Every figure by programme, district and period as a table."""
    return Sheet(
        title=_("Person-times by programme, district and period"),
        preamble=labels.preamble(labels.criteria(filters, options)),
        headings=[_("Programme"), _("District"), str(GROUPING_LABELS[filters.grouping]), *_headings(people=False)],
        rows=[
            [
                labels.option_name(options.programmes, row.programme),
                labels.option_name(options.districts, row.district),
                row.period,
                *_cells(row.figures),
            ]
            for row in rows
        ],
        total=[_("Total"), None, None, *_cells(sum((row.figures for row in rows), Figures()))],
        widths=[26, 12, 12],
    )


def report_document(report: EnrolmentReport, options: FilterOptions, picture: Picture | None = None) -> ReportDocument:
    """The report as the content of its PDF. picture: that of the report's page."""
    question = report.question
    grouping = question.filters.grouping
    made: datetime = clock.now().astimezone(current_app.config["SETTINGS"].zone)
    notes = [_("In progress (not in the totals)") + " " + progress_text(report)] if report.progress.offerings else []
    notes += [f"{label} {text}" for label, text in _opening_notes(report)]
    if report.total.adjusted:
        notes.append(_("Adjustments of frozen quarters, in the total") + " " + _adjusted_text(report))
    if age := labels.figures_as_of():
        notes.append(_("Figures as of") + " " + age)
    branch = [_("Whole branch"), *_texts(report.branch, report.branch_people)]
    return ReportDocument(
        organisation=organisation_name(),
        title=_("Enrolment report"),
        language=language(),
        question=labels.criteria(question.filters, options),
        columns=[str(GROUPING_LABELS[grouping]), *_headings(people=True)],
        rows=[[labels.row_name(row, grouping), *_texts(row.figures, row.people)] for row in report.rows],
        total=[_("Total"), *_texts(report.total, report.people)],
        branch=branch if question.beside_branch else [],
        notes=notes,
        rule_title=_("Counting rule"),
        rule=[str(line) for line in RULE],
        made=_("Created %(moment)s by %(name)s", moment=f"{made:%Y-%m-%d %H:%M}", name=current_user.name),
        totals=report_totals(report),
        picture="" if picture is None or not report.rows else on_paper(picture),
        picture_caption="" if picture is None else " · ".join(filter(None, (picture.caption, picture.answer))),
        picture_description="" if picture is None else picture.description,
    )


def report_totals(report: EnrolmentReport) -> list[tuple[str, str, list[str]]]:
    """The large figures above the table: (label, figure, notes). They are the same as on the page."""
    total, opening = report.total, report.opening
    parts = _("%(named)s named + %(counted)s by headcount", named=whole(total.named), counted=whole(total.counted))
    totals = [
        (_("Person-times"), whole(total.person_times + opening.person_times), [parts], opening.person_times,
         whole(report.branch.person_times)),
        (_("People"), whole(report.people), [_("Distinct trainees; rows do not add up")], 0, whole(report.branch_people)),
        (_("Person-hours"), labels.hours(total.minutes), [_("Hours attended, summed")], 0,
         labels.hours(report.branch.minutes)),
        (_("Certificates issued"), whole(total.certificates + opening.certificates),
         [_("%(number)s passed", number=whole(total.passed))], opening.certificates, whole(report.branch.certificates)),
    ]  # fmt: skip
    return [
        (
            label,
            figure,
            [
                *notes,
                *([_("+ %(number)s from before this system", number=whole(before))] if before else []),
                *([] if report.question.covers_branch else [_("Whole branch: %(number)s", number=branch)]),
            ],
        )
        for label, figure, notes, before, branch in totals
    ]


def opening_rows(report: EnrolmentReport, options: FilterOptions) -> list[tuple[str, int]]:
    """The opening totals of a report by the name of the row."""
    options_of = {Grouping.PROGRAMME: options.programmes, Grouping.DISTRICT: options.districts}
    row_options = options_of.get(report.question.filters.grouping, [])
    return [(labels.option_name(row_options, key), number) for key, number in sorted(report.opening.by_key.items())]


def progress_text(report: EnrolmentReport) -> str:
    """The offerings in progress, in one line."""
    return ngettext(
        "%(offerings)s offering: %(enrolled)s enrolled, %(named)s attended, %(counted)s by headcount",
        "%(offerings)s offerings: %(enrolled)s enrolled, %(named)s attended, %(counted)s by headcount",
        report.progress.offerings,
        offerings=whole(report.progress.offerings),
        enrolled=whole(report.progress.enrolled),
        named=whole(report.progress.named),
        counted=whole(report.progress.counted),
    )


def _opening_notes(report: EnrolmentReport) -> list[tuple[str, str]]:
    """The opening totals in a file: by themselves, and added to the total. Empty where there are none."""
    opening, counted = report.opening.person_times, report.total.person_times
    if not opening:
        return []
    return [
        (_("Before this system (not in any row)"), _("Person-times: %(number)s", number=whole(opening))),
        (_("Total, including before this system"), _("Person-times: %(number)s", number=whole(opening + counted))),
    ]


def _adjusted_text(report: EnrolmentReport) -> str:
    return _("Person-times: %(number)s", number=f"{report.total.adjusted:+,}")


def _headings(*, people: bool) -> list[str]:
    """The headings of the figures. people: with the number of people, after the refreshers as on the page."""
    headings: list[str] = []
    for figure, label in FIGURE_LABELS.items():
        headings.append(str(label))
        if people and figure is Figure.REFRESHER:
            headings.append(_("People (do not add up)"))
    return headings


def _cells(figures: Figures, people: int | None = None) -> list[Cell]:
    cells: list[Cell] = []
    for figure in FIGURE_LABELS:
        value = labels.figure_value(figures, figure)
        cells.append(DecimalHours(value / 60) if figure is Figure.MINUTES else value)
        if figure is Figure.REFRESHER and people is not None:
            cells.append(people)
    return cells


def _texts(figures: Figures, people: int) -> list[str]:
    texts: list[str] = []
    for figure in FIGURE_LABELS:
        texts.append(labels.figure_text(figures, figure))
        if figure is Figure.REFRESHER:
            texts.append(whole(people))
    return texts
