"""The lists beneath a report as tables for a file: the same rows as on their pages, all of them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from courses.models.offerings import TeachingRole
from courses.models.person_time import EntryKind
from courses.reports.enrolment import Adjustment
from courses.reports.hours import TaughtSessions
from courses.reports.labels import report
from courses.reports.labels import report as words
from courses.reports.ledger import Figures
from courses.reports.offerings import OpenOfferings
from courses.reports.sessions import OfferingSessions, Teacher
from courses.reports.waiting import WaitingOfferings
from lms.core.exports import Cell, Sheet
from lms.core.languages import clock_time, language

ROLES = {
    TeachingRole.LEAD: _l("Lead instructor"),
    TeachingRole.ASSISTANT: _l("Assisting instructor"),
    TeachingRole.EXAMINER: _l("Examiner"),
}
KINDS = {
    EntryKind.CLOSING: _l("Closing"),
    EntryKind.CORRECTION: _l("Correction"),
    EntryKind.ADJUSTMENT: _l("Adjustment of a frozen quarter"),
    EntryKind.CERTIFICATION: _l("Certificates"),
}
Asked = list[tuple[str, str]]


def waiting(found: WaitingOfferings, asked: Asked, zone: ZoneInfo) -> Sheet:
    """Open offerings that people wait for."""
    return Sheet(
        title=_("Waiting lists"),
        preamble=words.preamble(asked, counts=False),
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
                row.offering_id,
                _either(row.course_zh, row.course_en),
                _either(row.host_zh, row.host_en),
                _either(row.district_zh, row.district_en),
                _day(row.starts_at, zone),
                row.waiting,
                row.enrolled,
                row.capacity,
            ]
            for row in found.page.rows
        ],
        total=[_("Total"), None, None, None, None, found.total, None, None],
        widths=[12, 26, 26, 12, 12],
    )


def in_progress(found: OpenOfferings, asked: Asked) -> Sheet:
    """Offerings that were held and are not closed."""
    total = found.total
    return Sheet(
        title=_("Offerings in progress"),
        preamble=words.preamble(asked),
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
                row.offering_id,
                row.counted_on,
                _either(row.course_zh, row.course_en),
                _either(row.host_zh, row.host_en),
                _either(row.district_zh, row.district_en),
                row.lead,
                row.figures.enrolled,
                row.figures.named,
                row.figures.counted,
            ]
            for row in found.rows
        ],
        total=[_("Total"), None, None, None, None, None, total.enrolled, total.named, total.counted],
        widths=[12, 12, 26, 26, 12, 12],
    )


def adjustments(lines: tuple[Adjustment, ...], asked: Asked) -> Sheet:
    """Lines that change frozen quarters."""
    return Sheet(
        title=_("Adjustments of frozen quarters"),
        preamble=words.preamble(asked),
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
                line.dated_on,
                line.offering_id,
                _either(line.course_zh, line.course_en),
                _either(line.host_zh, line.host_en),
                line.counted_on,
                _("Closed after its quarter was frozen") if line.late_closing else line.reason,
                line.person_times,
                round(line.minutes / 60, 2),
                line.passed,
            ]
            for line in lines
        ],
        total=[
            _("Total"),
            *([None] * 5),
            sum(line.person_times for line in lines),
            round(sum(line.minutes for line in lines) / 60, 2),
            sum(line.passed for line in lines),
        ],
        widths=[12, 12, 26, 26, 12, 30],
    )


def sessions(found: OfferingSessions, asked: Asked, zone: ZoneInfo) -> Sheet:
    """The sessions of an offering. The last line is what the offering counts: each person once, the largest headcount."""
    return Sheet(
        title=_("Sessions of the offering"),
        preamble=words.preamble([*report.of_offering(found.offering), *asked]),
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
                row.session_id,
                _day(row.starts_at, zone),
                clock_time(row.starts_at),
                clock_time(row.ends_at),
                row.place,
                row.present,
                row.headcount,
                round(row.minutes / 60, 2),
                "; ".join(_teacher(one) for one in row.teachers),
            ]
            for row in found.sessions
        ],
        total=[
            _("The offering: each person once, the largest headcount"),
            *([None] * 4),
            found.people,
            found.headcount,
            round(found.minutes / 60, 2),
            None,
        ],
        widths=[14, 12, 10, 10, 26, 12, 12, 12, 40],
    )


def _teacher(one: Teacher) -> str:
    role = f"{one.name} ({ROLES[one.role]})"
    return role if one.present else f"{role}, {_('not checked in')}"


def ledger_lines(found: OfferingSessions, asked: Asked) -> Sheet:
    """What an offering gives to the report, line by line; summed is what lies in the report's period and day of knowledge."""
    return Sheet(
        title=_("Contribution of this offering to the report"),
        preamble=words.preamble([*report.of_offering(found.offering), *asked]),
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
                line.dated_on,
                str(KINDS[line.kind]),
                line.reason,
                _("yes") if line.asked else _("no"),
                *_figures(line.figures),
            ]
            for line in found.lines
        ],
        total=[_("In this report"), None, None, None, *_figures(found.reported)],
        widths=[14, 18, 30],
    )


def _figures(one: Figures) -> list[Cell]:
    hours = round(one.minutes / 60, 2)
    return [one.person_times, one.named, one.counted, hours, one.enrolled, one.passed, one.certificates]


def taught(found: TaughtSessions, asked: Asked, rule: str, zone: ZoneInfo) -> Sheet:
    """The sessions of one instructor. rule: how hours are counted."""
    of = [(_("Instructor"), found.name), (_("Registration number"), found.registration_number)]
    return Sheet(
        title=_("Sessions taught"),
        preamble=words.preamble([*of, *asked, (_("How it is counted"), rule)], counts=False),
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
                row.offering_id,
                row.session_id,
                _day(row.starts_at, zone),
                clock_time(row.starts_at),
                clock_time(row.ends_at),
                _either(row.course_zh, row.course_en),
                _either(row.host_zh, row.host_en),
                str(ROLES[row.role]),
                clock_time(row.arrived_at),
                clock_time(row.left_at),
                round(row.minutes / 60, 2),
                round(row.planned / 60, 2),
            ]
            for row in found.page.rows
        ],
        total=[_("Total"), *([None] * 9), round(found.total.taught / 60, 2), round(found.total.planned / 60, 2)],
        widths=[12, 12, 12, 10, 10, 26, 26, 14],
    )


def _either(name_zh: str, name_en: str | None) -> str:
    """The name in the reader's language."""
    return name_en if name_en and language() == "en" else name_zh


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    """By the branch's clock."""
    return None if moment is None else moment.astimezone(zone).date()
