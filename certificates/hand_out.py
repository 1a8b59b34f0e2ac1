"""The hand-out of a class: each certified person's way to the own page, on paper for cutting and as a code on a phone.

A code holds the address of the ticket's page and nothing about the person. The page is there from the enrolment on, so that the
codes work while certificates are still being issued. Whoever has the address is let in, so each sheet and each shown code is
recorded in the audit trail.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from certificates import qr
from courses.attendance.self_check_in import code_picture
from courses.enrolment import namesakes
from courses.models.enrolment import HOLDS_PLACE, Enrolment, open_ticket
from courses.models.offerings import Offering
from courses.models.trainees import ANONYMOUS_REF, Trainee
from lms.core import audit, fonts, typesetting
from lms.core.name_order import by_sound

_TEMPLATE = typesetting.Template(Path(__file__).parent / "typst_templates" / "hand_out.typ")


@dataclass(frozen=True, slots=True)
class Person:
    """A person of a class who has a certificate or gets one. hint: tells people of one name apart."""

    enrolment_id: int
    name: str
    hint: str
    is_issued: bool


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip of the sheet. code: the QR code as SVG; by_hand: no font can print the name."""

    name: str
    hint: str
    code: str
    by_hand: bool


def people(db: Session, offering_id: int) -> Sequence[Person]:
    """The people of an offering who have a certificate or to whom one is owed, in the order of their names."""
    rows = db.execute(
        _certified(offering_id).with_only_columns(Enrolment.id, Trainee.name, Enrolment.certified_at)
    ).all()
    hints = namesakes.hints(db, {row.id: row.name for row in rows})
    ordered = sorted(rows, key=lambda row: (by_sound(row.name), row.id))
    return [Person(row.id, row.name, hints.get(row.id, ""), row.certified_at is not None) for row in ordered]


def pdf(db: Session, offering: Offering, *, site: str, now: datetime) -> bytes:
    """The sheet: a slip for each person of `people`, ten to a page, in both languages. Making it is audited.

    site: the address of the site. A name that no font can print is there with code points in place of what lacks.
    """
    tickets = {
        row.id: open_ticket(row.ticket_hash, row.ticket_sealed)
        for row in db.execute(
            _certified(offering.id).with_only_columns(Enrolment.id, Enrolment.ticket_hash, Enrolment.ticket_sealed)
        )
    }
    slips = [
        Slip(
            fonts.printable(person.name),
            person.hint,
            code(address(site, tickets[person.enrolment_id])),
            fonts.unprintable(person.name) != (),
        )
        for person in people(db, offering.id)
    ]
    facts = {
        "course_zh": offering.course.name_zh,
        "course_en": offering.course.name_en or offering.course.name_zh,
        "organisation": offering.organisation.name_zh,
        "site": site.partition("://")[2],
        "slips": [asdict(slip) for slip in slips],
    }
    document = _TEMPLATE.pdf(facts, now, [slip.name for slip in slips])
    audit.record(db, "offering.hand_out", offering, after={"people": len(slips)})
    return document


def show(db: Session, enrolment: Enrolment, *, site: str) -> str:
    """The code of one person as SVG, to be scanned from a screen. Showing it is audited."""
    audit.record(db, "enrolment.show_code", enrolment, after={"offering": enrolment.offering_id})
    return code(address(site, enrolment.ticket))


def address(site: str, ticket: str) -> str:
    """The address of a person's own page."""
    return f"{site}/tickets/{ticket}"


def code(text: str) -> str:
    """The QR code of an address as SVG, with its quiet zone."""
    return qr.svg([list(row) for row in code_picture.matrix(text)])


def _certified(offering_id: int) -> Select[Any]:
    return (
        select(Enrolment)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(
            Enrolment.offering_id == offering_id,
            Enrolment.state.in_(HOLDS_PLACE),
            Enrolment.certificate_due | Enrolment.certified_at.is_not(None),
            Trainee.ref != ANONYMOUS_REF,
        )
    )
