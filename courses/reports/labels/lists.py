"""The lists of a drill-down as tables of a file: the same rows as on their pages, all of them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.models.offerings import TeachingRole
from courses.models.person_time import EntryKind
from courses.reports.adjustments import Adjustment
from courses.reports.hours import TaughtSessions
from courses.reports.labels import report as labels
from courses.reports.ledger import Figures
from courses.reports.offerings import OfferingsInProgress
from courses.reports.sessions import OfferingSessions, SessionTeacher
from courses.reports.waiting import WaitingOfferings
from lms.core import clock
from lms.core.exports import Cell, DecimalHours, Reference, Sheet
from lms.core.languages import clock_time, language

ROLE_LABELS = {
    TeachingRole.LEAD: _l("Lead instructor"),
    TeachingRole.ASSISTANT: _l("Assisting instructor"),
    TeachingRole.EXAMINER: _l("Examiner"),
}
ENTRY_KIND_LABELS = {
    EntryKind.CLOSING: _l("Closing"),
    EntryKind.CORRECTION: _l("Correction"),
    EntryKind.ADJUSTMENT: _l("Adjustment of a frozen quarter"),
    EntryKind.CERTIFICATION: _l("Certificates"),
    EntryKind.WITHDRAWAL: _l("Import undone"),
}
Criteria = list[tuple[str, str]]  # the question as (label, value)


def waiting(offerings: WaitingOfferings, criteria: Criteria, zone: ZoneInfo) -> Sheet:
    """Open offerings that have a waiting list."""
    return Sheet(
        title=_("Waiting lists"),
        preamble=labels.preamble(criteria, counts=False),
        headings=[
            _("Offering no."),
            _("Course"),
            _("Host organisation"),
            _("District"),
            _("First session"),
            _("Waiting now"),
            _("Enrolled"),
            _("Places"),
        ],
        rows=[
            [
                Reference(row.offering_id),
                _in_language(row.course_zh, row.course_en),
                _in_language(row.host_zh, row.host_en),
                _in_language(row.district_zh, row.district_en),
                _day(row.starts_at, zone),
                row.waiting,
                row.enrolled,
                row.capacity,
            ]
            for row in offerings.page.rows
        ],
        total=[_("Total"), None, None, None, None, offerings.total, None, None],
        widths=[12, 26, 26, 12, 12],
    )


def in_progress(offerings: OfferingsInProgress, criteria: Criteria) -> Sheet:
    """Offerings that were held and are not closed yet."""
    total = offerings.total
    return Sheet(
        title=_("Offerings in progress"),
        preamble=labels.preamble(criteria),
        headings=[
            _("Offering no."),
            _("Last session"),
            _("Course"),
            _("Host organisation"),
            _("District"),
            _("Lead instructor"),
            _("Enrolled"),
            _("Attended (named)"),
            _("Headcount"),
        ],
        rows=[
            [
                Reference(row.offering_id),
                row.counted_on,
                _in_language(row.course_zh, row.course_en),
                _in_language(row.host_zh, row.host_en),
                _in_language(row.district_zh, row.district_en),
                row.lead,
                row.figures.enrolled,
                row.figures.named,
                row.figures.counted,
            ]
            for row in offerings.rows
        ],
        total=[_("Total"), None, None, None, None, None, total.enrolled, total.named, total.counted],
        widths=[12, 12, 26, 26, 12, 12],
    )


def adjustments(rows: tuple[Adjustment, ...], criteria: Criteria) -> Sheet:
    """Ledger entries that change frozen quarters."""
    return Sheet(
        title=_("Adjustments of frozen quarters"),
        preamble=labels.preamble(criteria),
        headings=[
            _("Date"),
            _("Offering no."),
            _("Course"),
            _("Host organisation"),
            _("Counted on"),
            _("Reason"),
            _("Person-times"),
            _("Person-hours"),
            _("Passed"),
        ],
        rows=[
            [
                row.dated_on,
                Reference(row.offering_id),
                _in_language(row.course_zh, row.course_en),
                _in_language(row.host_zh, row.host_en),
                row.counted_on,
                _("Closed after its quarter was frozen") if row.late_closing else row.reason,
                row.person_times,
                DecimalHours(row.minutes / 60),
                row.passed,
            ]
            for row in rows
        ],
        total=[
            _("Total"),
            *([None] * 5),
            sum(row.person_times for row in rows),
            DecimalHours(sum(row.minutes for row in rows) / 60),
            sum(row.passed for row in rows),
        ],
        widths=[12, 12, 26, 26, 12, 30],
    )


def sessions(offering_sessions: OfferingSessions, criteria: Criteria, zone: ZoneInfo) -> Sheet:
    """The sessions of an offering.

    The total is what the offering counts: each person once, and the largest headcount.
    """
    return Sheet(
        title=_("Sessions of the offering"),
        preamble=labels.preamble([*labels.offering_criteria(offering_sessions.offering), *criteria]),
        headings=[
            _("Session no."),
            _("Day"),
            _("Begins"),
            _("Ends"),
            _("Place"),
            _("Present by name"),
            _("Headcount"),
            _("Person-hours"),
            _("Instructors"),
        ],
        rows=[
            [
                Reference(row.session_id),
                _day(row.starts_at, zone),
                clock_time(row.starts_at),
                clock_time(row.ends_at),
                row.place,
                row.present,
                row.headcount,
                DecimalHours(row.minutes / 60),
                "; ".join(_teacher_text(teacher) for teacher in row.teachers),
            ]
            for row in offering_sessions.sessions
        ],
        total=[
            _("The offering: each person once, the largest headcount"),
            *([None] * 4),
            offering_sessions.people,
            offering_sessions.headcount,
            DecimalHours(offering_sessions.minutes / 60),
            None,
        ],
        widths=[14, 12, 10, 10, 26, 12, 12, 12, 40],
    )


def _teacher_text(teacher: SessionTeacher) -> str:
    text = f"{teacher.name} ({ROLE_LABELS[teacher.role]})"
    return text if teacher.present else f"{text}, {_('not checked in')}"


def ledger_entries(offering_sessions: OfferingSessions, criteria: Criteria) -> Sheet:
    """The ledger entries of an offering. The total is of those in the report's period and day of knowledge."""
    return Sheet(
        title=_("Contribution of this offering to the report"),
        preamble=labels.preamble([*labels.offering_criteria(offering_sessions.offering), *criteria]),
        headings=[
            _("Counted on"),
            _("Kind"),
            _("Reason"),
            _("In this report"),
            _("Person-times"),
            _("Attended (named)"),
            _("Headcount"),
            _("Person-hours"),
            _("Enrolled"),
            _("Passed"),
            _("Certificates issued"),
        ],
        rows=[
            [
                entry.dated_on,
                str(ENTRY_KIND_LABELS[entry.kind]),
                entry.reason,
                _("yes") if entry.in_report else _("no"),
                *_figure_cells(entry.figures),
            ]
            for entry in offering_sessions.entries
        ],
        total=[_("In this report"), None, None, None, *_figure_cells(offering_sessions.reported)],
        widths=[14, 18, 30],
    )


def _figure_cells(figures: Figures) -> list[Cell]:
    hours = DecimalHours(figures.minutes / 60)
    return [
        figures.person_times, figures.named, figures.counted, hours, figures.enrolled, figures.passed,
        figures.certificates,
    ]  # fmt: skip


def taught_sessions(taught: TaughtSessions, criteria: Criteria, rule: str, zone: ZoneInfo) -> Sheet:
    """The sessions of an instructor. rule: the counting rule of hours, for the preamble."""
    instructor = [(_("Instructor"), taught.name), (_("Registration number"), taught.registration_number)]
    return Sheet(
        title=_("Sessions taught"),
        preamble=labels.preamble([*instructor, *criteria, (_("How it is counted"), rule)], counts=False),
        headings=[
            _("Offering no."),
            _("Session no."),
            _("Day"),
            _("Begins"),
            _("Ends"),
            _("Course"),
            _("Host organisation"),
            _("Role"),
            _("Checked in"),
            _("Checked out"),
            _("Hours taught"),
            _("Planned only"),
        ],
        rows=[
            [
                Reference(row.offering_id),
                Reference(row.session_id),
                _day(row.starts_at, zone),
                clock_time(row.starts_at),
                clock_time(row.ends_at),
                _in_language(row.course_zh, row.course_en),
                _in_language(row.host_zh, row.host_en),
                str(ROLE_LABELS[row.role]),
                clock_time(row.arrived_at),
                clock_time(row.left_at),
                DecimalHours(row.minutes / 60),
                DecimalHours(row.planned / 60),
            ]
            for row in taught.page.rows
        ],
        total=[
            _("Total"),
            *([None] * 9),
            DecimalHours(taught.total.taught / 60),
            DecimalHours(taught.total.planned / 60),
        ],
        widths=[12, 12, 12, 10, 10, 26, 26, 14],
    )


def _in_language(name_zh: str, name_en: str | None) -> str:
    """The name in the reader's language."""
    return name_en if name_en and language() == "en" else name_zh


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    """The day of a moment in the branch's time zone."""
    return None if moment is None else clock.day_of(moment, zone)
