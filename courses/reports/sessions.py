"""The sessions of an offering in a drill-down, and the offering's ledger entries, which the report adds up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from courses.counting.person_time import attended_minutes
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, SessionInstructor, TeachingRole
from courses.models.person_time import OFFERINGS_OF, EntryKind, PersonTimeEntry
from courses.models.trainees import Trainee
from courses.reports.ledger import Figures
from courses.reports.questions import Filters, Question
from lms.core.errors import NotFound
from lms.core.masks import mask_phone
from lms.core.name_order import by_sound
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, fetch, visible


@dataclass(frozen=True)
class SessionTeacher:
    """An instructor who was to teach or examine at a session. present: the instructor checked in."""

    name: str
    role: TeachingRole
    present: bool


@dataclass(frozen=True)
class SessionRow:
    """A session: people present by name, heads counted beside them, minutes attended, and its instructors."""

    session_id: int
    starts_at: datetime
    ends_at: datetime
    place: str
    present: int
    headcount: int
    minutes: int
    teachers: Sequence[SessionTeacher]


@dataclass(frozen=True)
class LedgerEntryRow:
    """A ledger entry of the offering. in_report: the report's period and its day of knowledge hold the entry."""

    kind: EntryKind
    dated_on: date
    recorded_at: datetime
    figures: Figures
    reason: str | None
    in_report: bool


@dataclass(frozen=True)
class OfferingSessions:
    """An offering's sessions as they stand now, and its ledger entries. people: distinct people over all sessions."""

    offering: Offering
    sessions: list[SessionRow]
    people: int
    entries: list[LedgerEntryRow]

    @property
    def present(self) -> int:
        """The presences of all sessions: a person who came to two sessions counts twice."""
        return sum(row.present for row in self.sessions)

    @property
    def minutes(self) -> int:
        """The minutes attended at all sessions."""
        return sum(row.minutes for row in self.sessions)

    @property
    def headcount(self) -> int:
        """The heads that the offering counts: the largest headcount of its sessions."""
        return max((row.headcount for row in self.sessions), default=0)

    @property
    def reported(self) -> Figures:
        """The figures that the offering adds to the number that the reader followed."""
        return sum((entry.figures for entry in self.entries if entry.in_report), Figures())


@dataclass(frozen=True)
class SessionAttendee:
    """A trainee who was at a session. minutes: within the session's times. The phone is masked."""

    name: str
    phone: str
    arrived_at: datetime
    left_at: datetime | None
    minutes: int


@dataclass(frozen=True)
class SessionAttendees:
    """A page of the people who were at a session, and the minutes over all pages."""

    session: CourseSession
    page: Page[SessionAttendee]
    minutes: int


def of_offering(db: Session, offering_id: int, question: Question) -> OfferingSessions:
    """An offering's sessions, the earliest first, and what it adds to the question.

    Raises NotFound outside of the scope.
    """
    offering = offering_with_names(db, offering_id, question.scope)
    statement = (
        select(
            CourseSession,
            func.count(Attendance.enrolment_id),
            func.coalesce(func.sum(attended_minutes()).filter(Attendance.enrolment_id.is_not(None)), 0),
        )
        .outerjoin(Attendance, Attendance.course_session_id == CourseSession.id)
        .where(CourseSession.offering_id == offering_id)
        .group_by(CourseSession.id)
        .order_by(CourseSession.starts_at, CourseSession.id)
        .options(selectinload(CourseSession.instructors).joinedload(SessionInstructor.instructor))
    )
    rows = [
        SessionRow(
            meeting.id, meeting.starts_at, meeting.ends_at, meeting.place or offering.place, present, meeting.headcount,
            int(minutes), _teachers(meeting),
        )
        for meeting, present, minutes in db.execute(statement)
    ]  # fmt: skip
    people = db.scalar(
        select(func.count(Enrolment.trainee_id.distinct()))
        .join(Attendance, Attendance.enrolment_id == Enrolment.id)
        .where(Enrolment.offering_id == offering_id)
    )
    return OfferingSessions(offering, rows, people or 0, _entries(db, offering, question.filters))


def offering_with_names(db: Session, offering_id: int, scope: Scope) -> Offering:
    """An offering with its course, host and district loaded. Raises NotFound outside of the scope."""
    statement = (
        visible(select(Offering).where(Offering.id == offering_id), Offering, scope)
        .options(joinedload(Offering.course), joinedload(Offering.organisation), joinedload(Offering.district))
    )  # fmt: skip
    offering = db.scalars(statement).one_or_none()
    if offering is None:
        raise NotFound
    return offering


def session_in_scope(db: Session, session_id: int, scope: Scope) -> CourseSession:
    """A course session. Raises NotFound outside of the scope."""
    return fetch(db, CourseSession, session_id, scope)


def _teachers(meeting: CourseSession) -> list[SessionTeacher]:
    roles = list(TeachingRole)
    teachers = [
        SessionTeacher(row.instructor.name, row.role, row.arrived_at is not None) for row in meeting.instructors
    ]
    return sorted(teachers, key=lambda teacher: (roles.index(teacher.role), by_sound(teacher.name)))


def _entries(db: Session, offering: Offering, filters: Filters) -> list[LedgerEntryRow]:
    statement = select(PersonTimeEntry).where(PersonTimeEntry.offering_id == offering.id).order_by(PersonTimeEntry.id)
    refresher = offering.course.refresher
    return [
        LedgerEntryRow(
            kind=entry.kind,
            dated_on=entry.dated_on,
            recorded_at=entry.recorded_at,
            figures=Figures(
                offerings=OFFERINGS_OF.get(entry.kind, 0), enrolled=entry.enrolled, named=entry.named, counted=entry.counted,
                refresher=entry.named + entry.counted if refresher else 0, minutes=entry.minutes,
                passed=entry.passed, certificates=entry.certificates,
                adjusted=entry.named + entry.counted if entry.late else 0,
            ),
            reason=entry.reason,
            in_report=filters.holds_day(entry.dated_on)
            and (filters.known_before is None or entry.recorded_at < filters.known_before),
        )
        for entry in db.scalars(statement)
    ]  # fmt: skip


def attendees(db: Session, offering_id: int, session_id: int, scope: Scope, *, page: int = 1) -> SessionAttendees:
    """A page of the people who were at a session, by name.

    Raises NotFound outside of the scope, and for a session of another offering.
    """
    meeting = session_in_scope(db, session_id, scope)
    if meeting.offering_id != offering_id:
        raise NotFound
    presence = (
        select(Attendance.enrolment_id, Attendance.arrived_at, Attendance.left_at, attended_minutes().label("minutes"))
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .where(Attendance.course_session_id == session_id)
        .subquery("presence")
    )
    number, minutes = db.execute(
        select(func.count(), func.coalesce(func.sum(presence.c.minutes), 0)).select_from(presence)
    ).one()
    pages = max(1, -(-number // PAGE_SIZE))
    page = min(max(page, 1), pages)
    statement = (
        select(Trainee, presence.c.arrived_at, presence.c.left_at, presence.c.minutes)
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .join(presence, presence.c.enrolment_id == Enrolment.id)
        .order_by(Trainee.name_sound, Enrolment.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    rows = [
        SessionAttendee(trainee.name, mask_phone(trainee.phone), arrived_at, left_at, int(stay))
        for trainee, arrived_at, left_at, stay in db.execute(statement)
    ]
    return SessionAttendees(meeting, Page(rows=rows, page=page, pages=pages, total=number), int(minutes))
