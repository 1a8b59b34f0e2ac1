"""Between an offering and its people: its sessions, what each gave, and the lines of the ledger that the report adds up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from courses.counting.person_time import attended_minutes
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, SessionInstructor, TeachingRole
from courses.models.person_time import EntryKind, PersonTimeEntry
from courses.models.trainees import Trainee
from courses.reports.filters import Filters
from courses.reports.ledger import Figures
from lms.core.errors import NotFound
from lms.core.masks import mask_phone
from lms.core.paging import PAGE_SIZE, Page
from lms.core.scope import Scope, fetch, visible


@dataclass(frozen=True)
class Teacher:
    """Who taught or examined at a session. present: by the own check-in."""

    name: str
    role: TeachingRole
    present: bool


@dataclass(frozen=True)
class SessionRow:
    """One session: people present by name, heads counted beside them, minutes attended, and who taught."""

    session_id: int
    starts_at: datetime
    ends_at: datetime
    place: str
    present: int
    headcount: int
    minutes: int
    teachers: Sequence[Teacher]


@dataclass(frozen=True)
class Line:
    """A line of the ledger. asked: whether the question's period and day of knowledge hold it."""

    kind: EntryKind
    dated_on: date
    recorded_at: datetime
    figures: Figures
    reason: str | None
    asked: bool


@dataclass(frozen=True)
class OfferingSessions:
    """An offering's sessions as they stand now, and its lines. people: distinct over all sessions.

    headcount: the largest of the sessions, which is what the offering counts.
    """

    offering: Offering
    sessions: list[SessionRow]
    people: int
    lines: list[Line]

    @property
    def present(self) -> int:
        """Presences: who came to two sessions is two."""
        return sum(row.present for row in self.sessions)

    @property
    def minutes(self) -> int:
        """Attended at all sessions."""
        return sum(row.minutes for row in self.sessions)

    @property
    def headcount(self) -> int:
        """What the offering counts by heads."""
        return max((row.headcount for row in self.sessions), default=0)

    @property
    def reported(self) -> Figures:
        """What the offering gives to the number one came from."""
        return sum((line.figures for line in self.lines if line.asked), Figures())


@dataclass(frozen=True)
class Present:
    """One trainee at one session. minutes: within the session. `phone` shows its ends only."""

    name: str
    phone: str
    arrived_at: datetime
    left_at: datetime | None
    minutes: int


@dataclass(frozen=True)
class SessionPeople:
    """A page of those who were at a session, and the sums over all pages."""

    session: CourseSession
    page: Page[Present]
    minutes: int


def of_offering(db: Session, offering_id: int, filters: Filters, scope: Scope) -> OfferingSessions:
    """An offering's sessions, the earliest first. Raises NotFound for another district's."""
    offering = of(db, offering_id, scope)
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
    return OfferingSessions(offering, rows, people or 0, _lines(db, offering, filters))


def of(db: Session, offering_id: int, scope: Scope) -> Offering:
    """An offering with its names. Raises NotFound for another district's."""
    statement = (
        visible(select(Offering).where(Offering.id == offering_id), Offering, scope)
        .options(joinedload(Offering.course), joinedload(Offering.organisation), joinedload(Offering.district))
    )  # fmt: skip
    found = db.scalars(statement).one_or_none()
    if found is None:
        raise NotFound
    return found


def one(db: Session, session_id: int, scope: Scope) -> CourseSession:
    """A session. Raises NotFound for another district's."""
    return fetch(db, CourseSession, session_id, scope)


def _teachers(meeting: CourseSession) -> list[Teacher]:
    order = list(TeachingRole)
    found = [Teacher(row.instructor.name, row.role, row.arrived_at is not None) for row in meeting.instructors]
    return sorted(found, key=lambda one: (order.index(one.role), one.name))


def _lines(db: Session, offering: Offering, filters: Filters) -> list[Line]:
    statement = select(PersonTimeEntry).where(PersonTimeEntry.offering_id == offering.id).order_by(PersonTimeEntry.id)
    refresher = offering.course.refresher
    return [
        Line(
            kind=row.kind,
            dated_on=row.dated_on,
            recorded_at=row.recorded_at,
            figures=Figures(
                offerings=int(row.kind == EntryKind.CLOSING), enrolled=row.enrolled, named=row.named,
                counted=row.counted, refresher=row.named + row.counted if refresher else 0, minutes=row.minutes,
                passed=row.passed, certificates=row.certificates,
                adjusted=row.named + row.counted if row.late else 0,
            ),
            reason=row.reason,
            asked=filters.dates(row.dated_on)
            and (filters.known_before is None or row.recorded_at < filters.known_before),
        )
        for row in db.scalars(statement)
    ]  # fmt: skip


def people(db: Session, offering_id: int, session_id: int, scope: Scope, *, page: int = 1) -> SessionPeople:
    """Those who were at a session, by name. Raises NotFound for another district's, or another offering's."""
    meeting = one(db, session_id, scope)
    if meeting.offering_id != offering_id:
        raise NotFound
    each = (
        select(Attendance.enrolment_id, Attendance.arrived_at, Attendance.left_at, attended_minutes().label("minutes"))
        .join(CourseSession, CourseSession.id == Attendance.course_session_id)
        .where(Attendance.course_session_id == session_id)
        .subquery("each")
    )
    number, minutes = db.execute(
        select(func.count(), func.coalesce(func.sum(each.c.minutes), 0)).select_from(each)
    ).one()
    pages = max(1, -(-number // PAGE_SIZE))
    page = min(max(page, 1), pages)
    statement = (
        select(Trainee, each.c.arrived_at, each.c.left_at, each.c.minutes)
        .join(Enrolment, Enrolment.trainee_id == Trainee.id)
        .join(each, each.c.enrolment_id == Enrolment.id)
        .order_by(Trainee.name_key, Enrolment.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    rows = [
        Present(trainee.name, mask_phone(trainee.phone), arrived, left, int(stay))
        for trainee, arrived, left, stay in db.execute(statement)
    ]
    return SessionPeople(meeting, Page(rows=rows, page=page, pages=pages, total=number), int(minutes))
