"""The texts of an export: its name, its headings, and the labels of the codes in it."""

from collections.abc import Mapping

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.models.enrolment import EnrolmentState
from courses.models.exports import ExportKind, PersonalData
from courses.reports.exports.exports import ExportHead
from courses.reports.exports.tables import ExportWording
from courses.reports.labels.report import FIGURE_LABELS, preamble
from courses.reports.ledger import Figures
from courses.reports.questions import Figure
from lms.core.copying import Table
from lms.core.exports import Format
from lms.core.languages import language
from lms.organisations.forms import SECTORS

KIND_LABELS = {
    ExportKind.OFFERINGS: _l("Offerings, one row each"),
    ExportKind.PARTICIPATIONS: _l("Participations, one row per person and offering"),
    ExportKind.PEOPLE: _l("People counted in the figure, one row each"),
    ExportKind.ENROLMENTS: _l("People of an offering, one row each"),
    ExportKind.ATTENDANCES: _l("People of a session, one row each"),
    ExportKind.CERTIFICATES: _l("Certificates, one row each"),
}
FORMAT_LABELS = {
    Format.XLSX: _l("Excel workbook (XLSX)"),
    Format.CSV: _l("CSV, for spreadsheets and programs"),
    Format.PARQUET: _l("Parquet, for analysts"),
}
PERSONAL_LABELS = {
    PersonalData.NONE: _l("No names or phone numbers; a code identifies people who came more than once"),
    PersonalData.MASKED: _l("Names, and phone numbers with the middle digits hidden"),
    PersonalData.FULL: _l("Names and full phone numbers"),
}
RESULT_LABELS = {
    EnrolmentState.COMPLETED: _l("Passed"),
    EnrolmentState.FAILED: _l("Failed"),
    EnrolmentState.INCOMPLETE: _l("Incomplete"),
    EnrolmentState.ENROLLED: _l("Enrolled"),
    EnrolmentState.CANCELLED: _l("Cancelled"),
    EnrolmentState.WAITLISTED: _l("Waiting list"),
}
HEADINGS = {
    "offering_no": _l("Offering no."),
    "counted_on": _l("Counted on"),
    "programme": _l("Programme"),
    "course": _l("Course"),
    "host": _l("Host organisation"),
    "sector": _l("Sector"),
    "district": _l("District"),
    "lead_instructor": _l("Lead instructor"),
    "person_no": _l("Person no."),
    "result": _l("Result"),
    "sessions": _l("Sessions attended"),
    "hours": _l("Hours attended"),
    "certified_on": _l("Certified on"),
    "arrived_at": _l("Arrival"),
    "left_at": _l("Checked out"),
    "name": _l("Name"),
    "phone": _l("Phone"),
    "person_times": FIGURE_LABELS[Figure.PERSON_TIMES],
    "named": FIGURE_LABELS[Figure.NAMED],
    "counted": FIGURE_LABELS[Figure.COUNTED],
    "refresher": FIGURE_LABELS[Figure.REFRESHER],
    "person_hours": FIGURE_LABELS[Figure.MINUTES],
    "enrolled": FIGURE_LABELS[Figure.ENROLLED],
    "passed": FIGURE_LABELS[Figure.PASSED],
    "certificates": FIGURE_LABELS[Figure.CERTIFICATES],
    "number": _l("Certificate number"),
    "state": _l("State"),
    "issued_on": _l("Issued on"),
    "valid_until": _l("Last valid day"),
    "closings": FIGURE_LABELS[Figure.OFFERINGS],
}


def wording() -> ExportWording:
    """Names and codes in the reader's language."""
    return ExportWording(
        english=language() == "en",
        states={state.value: str(label) for state, label in RESULT_LABELS.items()},
        sectors={sector.value: str(label) for sector, label in SECTORS.items()},
        zone=current_app.config["SETTINGS"].time_zone,
    )


def head(
    kind: ExportKind,
    table: Table,
    criteria: list[tuple[str, str]],
    total: Figures | None,
    wording: ExportWording,
    *,
    plain: bool = False,
) -> ExportHead:
    """The texts of a file around its rows. total: the figures of all offerings, for the row of sums below them.

    plain: without anything around the rows but the heading line, in a CSV file.
    """
    total_row: list[str | float | None] | None = None
    if total is not None:
        figures: dict[str, float] = {
            "person_times": total.person_times,
            "named": total.named,
            "counted": total.counted,
            "refresher": total.refresher,
            "person_hours": round(total.minutes / 60, 2),
            "enrolled": total.enrolled,
            "passed": total.passed,
            "certificates": total.certificates,
            "closings": total.offerings,
        }
        total_row = [_("Total"), *(figures.get(column.name) for column in table.columns[1:])]
    return ExportHead(
        title=str(KIND_LABELS[kind]),
        preamble=preamble(criteria),
        headings=[str(HEADINGS[column.name]) for column in table.columns],
        wording=wording,
        total=total_row,
        criteria=criteria,
        plain=plain,
    )


def subject(arguments: Mapping[str, str]) -> str:
    """The subject of an export in one line: its offering, its session, its day, or its period."""
    if "offering" in arguments:
        return _("Offering no. %(number)s", number=arguments["offering"])
    if "session" in arguments:
        return _("Session no. %(number)s", number=arguments["session"])
    if "today" in arguments:
        return _("Status on %(day)s", day=arguments["today"])
    return f"{arguments['since']} – {arguments['until']}"
