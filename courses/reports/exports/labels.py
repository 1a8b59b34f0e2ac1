"""The words of an export: what it is called, its headings, and how codes are shown in it."""

from collections.abc import Mapping

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.models.enrolment import EnrolmentState
from courses.models.exports import ExportKind, PersonalData
from courses.reports.exports.exports import Head
from courses.reports.filters import Column
from courses.reports.labels import report as words
from courses.reports.ledger import Figures
from courses.reports.tables import Wording
from lms.core.copying import Table
from lms.core.exports import Format
from lms.core.languages import language
from lms.organisations.forms import SECTORS

KINDS = {
    ExportKind.OFFERINGS: _l("Offerings, one row each"),
    ExportKind.PARTICIPATIONS: _l("Participations, one row per person and offering"),
    ExportKind.PEOPLE: _l("People counted in the figure, one row each"),
    ExportKind.ENROLMENTS: _l("People of an offering, one row each"),
    ExportKind.ATTENDANCES: _l("People of a session, one row each"),
    ExportKind.CERTIFICATES: _l("Certificates, one row each"),
}
FORMATS = {
    Format.XLSX: _l("Excel workbook (XLSX)"),
    Format.CSV: _l("CSV, for spreadsheets and programs"),
    Format.PARQUET: _l("Parquet, for analysts"),
}
PERSONAL = {
    PersonalData.NONE: _l("No names and phones; a number tells who came twice"),
    PersonalData.MASKED: _l("Names, and phones with their middle hidden"),
    PersonalData.FULL: _l("Names and phones in full"),
}
RESULTS = {
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
    "person_times": words.COLUMNS[Column.PERSON_TIMES],
    "named": words.COLUMNS[Column.NAMED],
    "counted": words.COLUMNS[Column.COUNTED],
    "refresher": words.COLUMNS[Column.REFRESHER],
    "person_hours": words.COLUMNS[Column.MINUTES],
    "enrolled": words.COLUMNS[Column.ENROLLED],
    "passed": words.COLUMNS[Column.PASSED],
    "certificates": words.COLUMNS[Column.CERTIFICATES],
    "number": _l("Certificate number"),
    "state": _l("State"),
    "issued_on": _l("Issued on"),
    "valid_until": _l("Last valid day"),
    "closings": words.COLUMNS[Column.OFFERINGS],
}


def wording() -> Wording:
    """Names and codes in the reader's language."""
    return Wording(
        english=language() == "en",
        states={state.value: str(label) for state, label in RESULTS.items()},
        sectors={sector.value: str(label) for sector, label in SECTORS.items()},
        zone=current_app.config["SETTINGS"].time_zone,
    )


def head(kind: ExportKind, table: Table, asked: list[tuple[str, str]], total: Figures | None, wording: Wording) -> Head:
    """What stands above the rows of a table. total: the sum of offerings, below them."""
    below: list[str | float | None] | None = None
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
        below = [_("Total"), *(figures.get(column.name) for column in table.columns[1:])]
    return Head(
        title=str(KINDS[kind]),
        preamble=words.preamble(asked),
        headings=[str(HEADINGS[column.name]) for column in table.columns],
        wording=wording,
        total=below,
        asked=asked,
    )


def subject(question: Mapping[str, str]) -> str:
    """What an export is about, in a line: its period, or the one thing that it is of."""
    if "offering" in question:
        return _("Offering no. %(number)s", number=question["offering"])
    if "session" in question:
        return _("Session no. %(number)s", number=question["session"])
    if "today" in question:
        return _("As they stood on %(day)s", day=question["today"])
    return f"{question['since']} – {question['until']}"
