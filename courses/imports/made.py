"""The records that an import made, each with the line of the file that it came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.catalogue import Course
from courses.models.imports import ImportAttendance, ImportLine, ImportOffering, ImportRun, RowOutcome
from courses.models.offerings import Offering
from lms.organisations.models import Organisation

SHOWN = 50
# The facts of a row that name its record, by kind, in the order in which they are written.
_NAMING = {
    "organisations": ("name_zh", "name_en"),
    "instructors": ("name", "registration_number"),
    "legacy_certificates": ("number", "name"),
    "opening_balances": ("source", "month"),
}


@dataclass(frozen=True)
class MadeRecord:
    """A record: its place in the list, its id, and its name. people, day: of an offering, as the file has them."""

    position: int
    record_id: int
    name_zh: str
    name_en: str | None = None
    people: int | None = None
    day: date | None = None


def records(db: Session, run: ImportRun, *, after: int = 0) -> Sequence[MadeRecord]:
    """Return up to `SHOWN` records that the import made, after a position; one more tells that there are others.

    Records that an undo removed since are not among those of past trainings. Once the rows are erased there are none.
    """
    return _offerings(db, run, after) if run.kind == "past" else _rows(db, run, after)


def _rows(db: Session, run: ImportRun, after: int) -> Sequence[MadeRecord]:
    rows = db.execute(
        select(ImportLine.line, ImportLine.made_id, ImportLine.facts)
        .where(
            ImportLine.run_id == run.id,
            ImportLine.outcome == RowOutcome.NEW,
            ImportLine.made_id.is_not(None),
            ImportLine.line > after,
        )
        .order_by(ImportLine.line)
        .limit(SHOWN + 1)
    )
    naming = _NAMING.get(run.kind, ())
    return [
        MadeRecord(line, made or 0, " · ".join(str(facts[name]) for name in naming if (facts or {}).get(name)))
        for line, made, facts in rows
    ]


def _offerings(db: Session, run: ImportRun, after: int) -> Sequence[MadeRecord]:
    people = (
        select(func.count())
        .where(ImportAttendance.run_id == run.id, ImportAttendance.offering_key == ImportOffering.key)
        .scalar_subquery()
    )
    rows = db.execute(
        select(ImportOffering.number, Offering.id, Course, Organisation, people, ImportOffering.days)
        .join(Offering, Offering.id == ImportOffering.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .where(ImportOffering.run_id == run.id, ImportOffering.number > after)
        .order_by(ImportOffering.number)
        .limit(SHOWN + 1)
    )
    return [
        MadeRecord(
            number or 0,
            offering_id,
            f"{course.name_zh}，{host.name_zh}",
            f"{course.name_en}, {host.name_en or host.name_zh}",
            number_of_people,
            days[-1],
        )
        for number, offering_id, course, host, number_of_people, days in rows
    ]
