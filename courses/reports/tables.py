"""The rows beneath a report as tables to copy: its offerings, the participations that its person-times are made of, and its people.

All are taken from the same lines as the report's figures. A participation is one person in one closed offering; what is
said of the person is said only when it was asked for, and chosen by whoever may (`courses.reports.exports.exports`).
"""

from binascii import unhexlify
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Date, Numeric, Select, Text, cast, func, select
from sqlalchemy.orm import Session

from courses.counting.person_time import attended_minutes
from courses.models.attendance import Attendance
from courses.models.catalogue import Course, Programme
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.exports import ExportKind, PersonalData
from courses.models.offerings import CourseSession, Offering
from courses.models.person_time import EntryKind
from courses.models.trainees import PHONE_COLUMN, Trainee
from courses.reports import rollups
from courses.reports.filters import Column as Figure
from courses.reports.filters import Filters, within
from courses.reports.ledger import FIGURES, column_sum, lines, sums, total
from courses.reports.people import participants, presences
from instructors.models import Instructor
from lms.core import crypto
from lms.core.copying import Column, Kind, Opened, Table
from lms.core.masks import mask_phone
from lms.core.phones import HOME_CODE
from lms.core.scope import Scope
from lms.organisations.models import District, Organisation

MINUTES = 60


@dataclass(frozen=True)
class Wording:
    """How a reader sees names and codes. zone: the branch's, in which days are cut."""

    english: bool = False
    states: Mapping[str, str] = field(default_factory=dict)
    sectors: Mapping[str, str] = field(default_factory=dict)
    zone: str = "Asia/Shanghai"

    def of(self, model: Any) -> ColumnElement[str]:
        """The name of a thing that has one in each language."""
        chosen: ColumnElement[str] = func.coalesce(model.name_en, model.name_zh) if self.english else model.name_zh
        return chosen


def rows_expected(db: Session, kind: ExportKind, filters: Filters, scope: Scope, column: Figure | None = None) -> int:
    """How many rows a table has: of participations as the ledger counted them when they closed, of others exactly.

    Raises NotFound for another district's.
    """
    within(filters, scope)
    if kind is ExportKind.PARTICIPATIONS:
        return total(db, filters, scope).named
    if kind is ExportKind.PEOPLE:  # as the report counts them: all of ten years by SQL took 8 s and more
        people_of = rollups.people(db, filters.of_row(None), scope)
        return people_of.everybody if filters.key is None else people_of.rows.get(filters.key, 0)
    return db.scalar(select(func.count()).select_from(_each(filters, scope, column))) or 0


def rows_of(db: Session, table: Table) -> int:
    """How many rows a table has that is as short as a list of one offering's people."""
    return db.scalar(select(func.count()).select_from(table.rows.order_by(None).subquery())) or 0


def _each(filters: Filters, scope: Scope, column: Figure | None) -> Any:
    line = lines(filters, scope)
    statement = select(line.c.offering_id, *sums(line)).group_by(line.c.offering_id)
    if column is not None:
        statement = statement.having(column_sum(line, column) != 0)
    return statement.subquery("each")


def offerings(filters: Filters, scope: Scope, wording: Wording, column: Figure | None = None) -> Table:
    """One row an offering, newest first. column: only those that give something to that figure."""
    within(filters, scope)
    each = _each(filters, scope, column)
    figures = {name: each.c[name] for name in FIGURES}
    rows = (
        select(Offering.id)
        .join(each, each.c.offering_id == Offering.id)
        .join(Course, Course.id == Offering.course_id)
        .join(Programme, Programme.code == Course.programme_code)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(District, District.id == Offering.district_id)
        .outerjoin(Instructor, Instructor.id == Offering.lead_instructor_id)
        .order_by(Offering.counted_on.desc(), Offering.id.desc())
    )
    return Table(
        [
            *_of_offering(wording),
            Column("person_times", Kind.WHOLE, figures["named"] + figures["counted"]),
            Column("named", Kind.WHOLE, figures["named"]),
            Column("counted", Kind.WHOLE, figures["counted"]),
            Column("refresher", Kind.WHOLE, figures["refresher"]),
            Column("person_hours", Kind.DECIMAL, _hours(figures["minutes"])),
            Column("enrolled", Kind.WHOLE, figures["enrolled"]),
            Column("passed", Kind.WHOLE, figures["passed"]),
            Column("certificates", Kind.WHOLE, figures["certificates"]),
            Column("closings", Kind.WHOLE, figures["offerings"]),
        ],
        rows,
    )


def participations(filters: Filters, scope: Scope, wording: Wording, personal: PersonalData) -> Table:
    """One row a person who took part in an offering. `person_no` tells who came twice, and no more."""
    within(filters, scope)
    line = lines(filters, scope)
    rows = (
        select(Enrolment.id)
        .join(line, (line.c.offering_id == Enrolment.offering_id) & (line.c.kind == EntryKind.CLOSING))
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Programme, Programme.code == Course.programme_code)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(District, District.id == Offering.district_id)
        .outerjoin(Instructor, Instructor.id == Offering.lead_instructor_id)
        .where(Enrolment.sessions_attended > 0)
    )
    columns: list[Column] = [
        *_of_offering(wording),
        Column("person_no", Kind.WHOLE, Enrolment.trainee_id),
        Column("result", Kind.TEXT, Enrolment.state, wording.states),
        Column("sessions", Kind.WHOLE, Enrolment.sessions_attended),
        Column("hours", Kind.DECIMAL, _hours(Enrolment.minutes_attended)),
        _certified_on(wording),
    ]
    return of_people(columns, rows, Enrolment.trainee_id, personal)


def people(filters: Filters, scope: Scope, personal: PersonalData) -> Table:
    """One row a person behind a number, with all that the person took part in, those who came most often first."""
    each = participants(filters, scope)
    rows = select(each.c.trainee_id).order_by(each.c.offerings.desc(), each.c.trainee_id)
    columns = [
        Column("person_no", Kind.WHOLE, each.c.trainee_id),
        Column("person_times", Kind.WHOLE, each.c.offerings),
        Column("hours", Kind.DECIMAL, _hours(each.c.minutes)),
    ]
    return of_people(columns, rows, each.c.trainee_id, personal)


def enrolments(offering_id: int, scope: Scope, wording: Wording, personal: PersonalData) -> Table:
    """One row for each that is or was enrolled in an offering, the present first, as its attendances have them now."""
    presence = presences(offering_id)
    sessions = func.coalesce(presence.c.sessions, 0)
    rows = (
        select(Enrolment.id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .outerjoin(presence, presence.c.enrolment_id == Enrolment.id)
        .where(Offering.id == offering_id, Offering.visible_to(scope))
        .where((Enrolment.state != EnrolmentState.CANCELLED) | (sessions > 0))
        .order_by(sessions == 0, Enrolment.id)
    )
    columns = [
        Column("person_no", Kind.WHOLE, Enrolment.trainee_id),
        Column("result", Kind.TEXT, Enrolment.state, wording.states),
        Column("sessions", Kind.WHOLE, sessions),
        Column("hours", Kind.DECIMAL, _hours(func.coalesce(presence.c.minutes, 0))),
        _certified_on(wording),
    ]
    return of_people(columns, rows, Enrolment.trainee_id, personal)


def attendances(session_id: int, scope: Scope, wording: Wording, personal: PersonalData) -> Table:
    """One row for each that was at a session, in the order of coming."""
    rows = (
        select(Attendance.enrolment_id)
        .join(Enrolment, Enrolment.id == Attendance.enrolment_id)
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(CourseSession.id == session_id, Offering.visible_to(scope))
        .order_by(Attendance.arrived_at, Attendance.enrolment_id)
    )
    columns = [
        Column("person_no", Kind.WHOLE, Enrolment.trainee_id),
        Column("arrived_at", Kind.TEXT, _moment(Attendance.arrived_at, wording)),
        Column("left_at", Kind.TEXT, _moment(Attendance.left_at, wording)),
        Column("hours", Kind.DECIMAL, _hours(attended_minutes())),
    ]
    return of_people(columns, rows, Enrolment.trainee_id, personal)


def of_people(
    columns: list[Column],
    rows: Select[*tuple[Any, ...]],
    trainee: Any,
    personal: PersonalData,
    name: Any = Trainee.name,
) -> Table:
    """With what was asked of each person, the trainee of that id; nothing of it is read when nothing was."""
    if personal is PersonalData.NONE:
        return Table(columns, rows)
    about = [
        Column("name", Kind.TEXT, name),
        Column("phone", Kind.SEALED, cast(Trainee.ref, Text) + "." + func.encode(Trainee.phone_sealed, "hex")),
    ]
    opened = _phones(masked=personal is PersonalData.MASKED)
    return Table([*columns, *about], rows.join(Trainee, Trainee.id == trainee), opened=opened)


def _phones(*, masked: bool) -> Opened:
    """Opens phones, from the row's reference and the sealed number as hexadecimal digits: in full, or their ends only."""
    opened, home = crypto.cipher().opener(PHONE_COLUMN), HOME_CODE.encode()

    def full(sealed: bytes) -> bytes:
        ref, _point, number = sealed.partition(b".")
        return opened(ref, unhexlify(number)).removeprefix(home)

    return (lambda sealed: mask_phone(full(sealed).decode()).encode()) if masked else full


def _of_offering(wording: Wording) -> list[Column]:
    return [
        Column("offering_no", Kind.WHOLE, Offering.id),
        Column("counted_on", Kind.DAY, Offering.counted_on),
        Column("programme", Kind.TEXT, wording.of(Programme)),
        Column("course", Kind.TEXT, wording.of(Course)),
        Column("host", Kind.TEXT, wording.of(Organisation)),
        Column("sector", Kind.TEXT, Organisation.sector, wording.sectors),
        Column("district", Kind.TEXT, wording.of(District)),
        Column("lead_instructor", Kind.TEXT, Instructor.name),
    ]


def _certified_on(wording: Wording) -> Column:
    return Column("certified_on", Kind.DAY, cast(func.timezone(wording.zone, Enrolment.certified_at), Date))


def _moment(moment: Any, wording: Wording) -> ColumnElement[Any]:
    """As text, by the branch's clock: spreadsheets know no time zones."""
    return func.to_char(func.timezone(wording.zone, moment), "YYYY-MM-DD HH24:MI")


def _hours(minutes: Any) -> ColumnElement[Any]:
    return func.round(cast(minutes, Numeric) / MINUTES, 2)
