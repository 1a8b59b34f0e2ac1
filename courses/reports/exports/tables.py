"""The tables that exports copy: offerings, participations and people of a report, people of an offering or session.

The first three are read from the same ledger entries as the report's figures. A participation is one person in one
closed offering. Names and phones are in a table only when the user asked for them and may have them
(`courses.reports.exports.views`).
"""

from binascii import unhexlify
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Date, Numeric, Select, Text, case, cast, func, select
from sqlalchemy.orm import Session, aliased

from courses.counting.person_time import attended_minutes
from courses.enrolment import trainees_rights
from courses.models.attendance import Attendance
from courses.models.catalogue import Course, Programme
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.exports import ExportKind, PersonalData
from courses.models.offerings import CourseSession, Offering
from courses.models.person_time import EntryKind
from courses.models.trainees import PHONE_COLUMN, Trainee
from courses.reports.ledger import FIGURE_NAMES, entries, figure_sum, figure_sums, has_figures, total
from courses.reports.people import participants, presence_by_enrolment
from courses.reports.people_counts import count_people
from courses.reports.questions import Figure, Question
from instructors.models import Instructor
from lms.core import crypto
from lms.core.copying import Column, Kind, Table, Unseal
from lms.core.masks import mask_phone
from lms.core.phones import HOME_CODE
from lms.core.scope import Scope
from lms.organisations.models import District, Organisation

MINUTES = 60


@dataclass(frozen=True)
class ExportWording:
    """How names and codes stand in the file. states, sectors: label by code.

    zone: the time zone in which days begin.
    """

    english: bool = False
    states: Mapping[str, str] = field(default_factory=dict)
    sectors: Mapping[str, str] = field(default_factory=dict)
    zone: str = "Asia/Shanghai"

    def name(self, model: Any) -> ColumnElement[str]:
        """The name of a row of a model that has `name_zh` and `name_en`."""
        column: ColumnElement[str] = func.coalesce(model.name_en, model.name_zh) if self.english else model.name_zh
        return column


def expected_rows(db: Session, kind: ExportKind, question: Question, figure: Figure | None = None) -> int:
    """The number of rows: of participations as the ledger counted them at the closing, of other kinds exactly."""
    if kind is ExportKind.PARTICIPATIONS:
        return total(db, question).named
    if kind is ExportKind.PEOPLE:  # counted as the report counts them: by SQL, ten years took 8 s and more
        key = question.filters.key
        people = count_people(db, question.with_key(None))
        return people.all_rows if key is None else people.rows.get(key, 0)
    return db.scalar(select(func.count()).select_from(_sums_by_offering(question, figure))) or 0


def count_rows(db: Session, table: Table) -> int:
    """The exact number of rows of a table, for tables as short as the people of one offering."""
    return db.scalar(select(func.count()).select_from(table.rows.order_by(None).subquery())) or 0


def _sums_by_offering(question: Question, figure: Figure | None) -> Any:
    entry = entries(question)
    statement = select(entry.c.offering_id, *figure_sums(entry)).group_by(entry.c.offering_id)
    statement = statement.having(has_figures(entry) if figure is None else figure_sum(entry, figure) != 0)
    return statement.subquery("by_offering")


def offerings(question: Question, wording: ExportWording, figure: Figure | None = None) -> Table:
    """A row for each offering, newest first. figure: only offerings that add something to this figure."""
    by_offering = _sums_by_offering(question, figure)
    figures = {name: by_offering.c[name] for name in FIGURE_NAMES}
    rows = (
        select(Offering.id)
        .join(by_offering, by_offering.c.offering_id == Offering.id)
        .join(Course, Course.id == Offering.course_id)
        .join(Programme, Programme.code == Course.programme_code)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(District, District.id == Offering.district_id)
        .outerjoin(Instructor, Instructor.id == Offering.lead_instructor_id)
        .order_by(Offering.counted_on.desc(), Offering.id.desc())
    )
    return Table(
        [
            *_offering_columns(wording),
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


def participations(question: Question, wording: ExportWording, personal: PersonalData) -> Table:
    """A row for each person and closed offering.

    `person_no` is the same for the same person, and says nothing else.
    """
    entry = entries(question)
    rows = (
        select(Enrolment.id)
        .join(entry, (entry.c.offering_id == Enrolment.offering_id) & (entry.c.kind == EntryKind.CLOSING))
        .join(Offering, Offering.id == Enrolment.offering_id)
        .join(Course, Course.id == Offering.course_id)
        .join(Programme, Programme.code == Course.programme_code)
        .join(Organisation, Organisation.id == Offering.organisation_id)
        .join(District, District.id == Offering.district_id)
        .outerjoin(Instructor, Instructor.id == Offering.lead_instructor_id)
        .where(Enrolment.sessions_attended > 0)
    )
    columns: list[Column] = [
        *_offering_columns(wording),
        Column("person_no", Kind.REFERENCE, Enrolment.trainee_id),
        Column("result", Kind.TEXT, Enrolment.state, wording.states),
        Column("sessions", Kind.WHOLE, Enrolment.sessions_attended),
        Column("hours", Kind.DECIMAL, _hours(Enrolment.minutes_attended)),
        _certified_on(wording),
    ]
    return with_personal_data(columns, rows, Enrolment.trainee_id, personal, question.scope)


def people(question: Question, personal: PersonalData) -> Table:
    """A row for each person behind a number, those who came most often first."""
    participant = participants(question)
    rows = select(participant.c.trainee_id).order_by(participant.c.offerings.desc(), participant.c.trainee_id)
    columns = [
        Column("person_no", Kind.REFERENCE, participant.c.trainee_id),
        Column("person_times", Kind.WHOLE, participant.c.offerings),
        Column("hours", Kind.DECIMAL, _hours(participant.c.minutes)),
    ]
    return with_personal_data(columns, rows, participant.c.trainee_id, personal, question.scope)


def enrolments(offering_id: int, scope: Scope, wording: ExportWording, personal: PersonalData) -> Table:
    """A row for each enrolment of an offering, as its attendances are now. The people who were present come first."""
    presence = presence_by_enrolment(offering_id)
    sessions = func.coalesce(presence.c.sessions, 0)
    rows = (
        select(Enrolment.id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .outerjoin(presence, presence.c.enrolment_id == Enrolment.id)
        .where(Offering.id == offering_id, Offering.visible_to(scope))
        .where((Enrolment.state != EnrolmentState.CANCELLED) | (sessions > 0))
        .order_by(sessions == 0, _name_sound(), Enrolment.id)
    )
    columns = [
        Column("person_no", Kind.REFERENCE, Enrolment.trainee_id),
        Column("result", Kind.TEXT, Enrolment.state, wording.states),
        Column("sessions", Kind.WHOLE, sessions),
        Column("hours", Kind.DECIMAL, _hours(func.coalesce(presence.c.minutes, 0))),
        _certified_on(wording),
    ]
    return with_personal_data(columns, rows, Enrolment.trainee_id, personal, scope)


def attendances(session_id: int, scope: Scope, wording: ExportWording, personal: PersonalData) -> Table:
    """A row for each person who was at a session, by name."""
    rows = (
        select(Attendance.enrolment_id)
        .join(Enrolment, Enrolment.id == Attendance.enrolment_id)
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .join(Offering, Offering.id == CourseSession.offering_id)
        .where(CourseSession.id == session_id, Offering.visible_to(scope))
        .order_by(_name_sound(), Attendance.enrolment_id)
    )
    columns = [
        Column("person_no", Kind.REFERENCE, Enrolment.trainee_id),
        Column("arrived_at", Kind.TEXT, _moment(Attendance.arrived_at, wording)),
        Column("left_at", Kind.TEXT, _moment(Attendance.left_at, wording)),
        Column("hours", Kind.DECIMAL, _hours(attended_minutes())),
    ]
    return with_personal_data(columns, rows, Enrolment.trainee_id, personal, scope)


def with_personal_data(  # noqa: PLR0917  # the parts of one table
    columns: list[Column],
    rows: Select[*tuple[Any, ...]],
    trainee_id: Any,
    personal: PersonalData,
    scope: Scope,
    name: Any = Trainee.name,
) -> Table:
    """The table, with name and phone of each person where they were asked for. Otherwise neither is read.

    The phone is left out of people whose record the scope does not cover as a whole, as on the trainee's page.
    trainee_id: the column of `rows` that names the person. name: the column of the person's name.
    """
    if personal is PersonalData.NONE:
        return Table(columns, rows)
    phone: Any = cast(Trainee.ref, Text) + "." + func.encode(Trainee.phone_sealed, "hex")
    if not scope.everything:
        phone = case((trainees_rights.is_covered(scope), phone))
    personal_columns = [
        Column("name", Kind.TEXT, name),
        Column("phone", Kind.SEALED, phone),
    ]
    unseal = _phone_opener(masked=personal is PersonalData.MASKED)
    return Table([*columns, *personal_columns], rows.join(Trainee, Trainee.id == trainee_id), unseal=unseal)


def _name_sound() -> Any:
    person = aliased(Trainee)
    return select(person.name_sound).where(person.id == Enrolment.trainee_id).correlate(Enrolment).scalar_subquery()


def _phone_opener(*, masked: bool) -> Unseal:
    """The function that decrypts a phone from "reference.hexadecimal digits".

    masked: it gives the phone with its middle hidden.
    """
    decrypt, home_code = crypto.cipher().opener(PHONE_COLUMN), HOME_CODE.encode()

    def full(sealed: bytes) -> bytes:
        ref, _point, number = sealed.partition(b".")
        return decrypt(ref, unhexlify(number)).removeprefix(home_code)

    return (lambda sealed: mask_phone(full(sealed).decode()).encode()) if masked else full


def _offering_columns(wording: ExportWording) -> list[Column]:
    return [
        Column("offering_no", Kind.REFERENCE, Offering.id),
        Column("counted_on", Kind.DAY, Offering.counted_on),
        Column("programme", Kind.TEXT, wording.name(Programme)),
        Column("course", Kind.TEXT, wording.name(Course)),
        Column("host", Kind.TEXT, wording.name(Organisation)),
        Column("sector", Kind.TEXT, Organisation.sector, wording.sectors),
        Column("district", Kind.TEXT, wording.name(District)),
        Column("lead_instructor", Kind.TEXT, Instructor.name),
    ]


def _certified_on(wording: ExportWording) -> Column:
    return Column("certified_on", Kind.DAY, cast(func.timezone(wording.zone, Enrolment.certified_at), Date))


def _moment(moment: Any, wording: ExportWording) -> ColumnElement[Any]:
    """A moment as text in the branch's time zone, because spreadsheets know no time zones."""
    return func.to_char(func.timezone(wording.zone, moment), "YYYY-MM-DD HH24:MI")


def _hours(minutes: Any) -> ColumnElement[Any]:
    return func.round(cast(minutes, Numeric) / MINUTES, 2)
