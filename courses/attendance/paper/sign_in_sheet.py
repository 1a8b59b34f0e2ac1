"""The sign-in sheet of a session for printing: a PDF, A4, in both languages, for places where no phone will do.

The QR code of a row is the bare ticket, which the roster's scanner reads with or without a network. It is no address, so
that the camera of a person who holds the paper opens no page.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.attendance.self_check_in import code_picture
from courses.enrolment import namesakes
from courses.models.enrolment import HOLDS_PLACE, Enrolment, open_ticket
from courses.models.offerings import CourseSession, TeachingRole
from courses.models.trainees import Trainee
from courses.offerings import scheduling
from lms.core import audit, fonts, typesetting
from lms.core.masks import mask_name
from lms.core.name_order import by_sound

_TEMPLATE = typesetting.Template(Path(__file__).parent / "document" / "sign_in_sheet.typ")
EMPTY_ROWS = 5
ROLES = {TeachingRole.LEAD: "主讲", TeachingRole.ASSISTANT: "助教", TeachingRole.EXAMINER: "考官"}


@dataclass(frozen=True)
class SheetRow:
    """A row of the sheet. `code`: the QR code as SVG; None on an empty row. by_hand: no font can print the name.

    hint: tells the person from another one of the same name, and on a sheet with masked names of the same mask.
    """

    number: int
    name: str
    code: str | None
    by_hand: bool = False
    hint: str = ""


def pdf(db: Session, meeting: CourseSession, *, masked: bool, zone: ZoneInfo, now: datetime) -> bytes:
    """Make the sheet with a row for each trainee with a place, in the roster's order, and empty rows for walk-ins.

    masked: print masked names, for a sheet that lies open. Making a sheet is audited, because it takes names out of the
    system. A name that no font can print is there with code points in place of what lacks, and is written by hand.
    """
    rows = _rows(db, meeting, masked=masked)
    offering = meeting.offering
    facts = {
        "title": f"{offering.course.name_zh} {offering.course.name_en}",
        "organisation": offering.organisation.name_zh,
        "place": meeting.place or offering.place,
        "time": scheduling.format_period(meeting.starts_at, meeting.ends_at, zone),
        "instructors": "，".join(f"{part.instructor.name}（{ROLES[part.role]}）" for part in meeting.instructors)
        or "—",
        "reference": f"{offering.course.code} · {meeting.id}",
        "rows": [asdict(row) for row in rows],
        "by_hand": [row.number for row in rows if row.by_hand],
    }
    document = _TEMPLATE.pdf(facts, now, [row.name for row in rows])
    audit.record(db, "session.sheet", meeting, after={"people": len(rows) - EMPTY_ROWS, "masked": masked})
    return document


def _rows(db: Session, meeting: CourseSession, *, masked: bool) -> Sequence[SheetRow]:
    trainees = db.execute(
        select(Trainee.name, Enrolment.id, Enrolment.ticket_hash, Enrolment.ticket_sealed)
        .join(Enrolment.trainee)
        .where(Enrolment.offering_id == meeting.offering_id, Enrolment.state.in_(HOLDS_PLACE))
    ).all()
    ordered = sorted(trainees, key=lambda row: (by_sound(row.name), row.id))
    hints = namesakes.hints(db, {row.id: row.name for row in ordered}, masked=masked)
    rows = []
    for number, row in enumerate(ordered, 1):
        name = mask_name(row.name) if masked else row.name
        code = _svg(open_ticket(row.ticket_hash, row.ticket_sealed))
        rows.append(SheetRow(number, fonts.printable(name), code, fonts.unprintable(name) != (), hints.get(row.id, "")))
    return rows + [SheetRow(len(rows) + extra, "", None) for extra in range(1, EMPTY_ROWS + 1)]


def _svg(ticket: str) -> str:
    side = code_picture.side(ticket) + 2 * code_picture.QUIET_ZONE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{code_picture.path(ticket)}"/></svg>'
    )
