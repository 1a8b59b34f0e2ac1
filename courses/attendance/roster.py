"""The roster of one session as plain values: who has a place, who is there, since when, and who waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from courses.attendance import punctuality
from courses.attendance.punctuality import Punctuality
from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core.errors import N_, DomainError, NotFound
from lms.core.names import by_sound, norm
from lms.core.scope import Scope, visible

TAIL = 4


@dataclass(frozen=True)
class Row:
    """One trainee of a roster. `phone_tail`: the last four digits, all that is shown. `later`: entered after the end.

    punctual: how late, how early gone and how many minutes; None for whoever is missing.
    """

    enrolment_id: int
    name: str
    phone_tail: str
    walk_in: bool
    arrived_at: datetime | None
    left_at: datetime | None
    by: str | None
    later: bool
    punctual: Punctuality | None = None

    @property
    def present(self) -> bool:
        """Whether the person counts as present."""
        return self.arrived_at is not None


@dataclass(frozen=True)
class Roster:
    """A session's people. `rows` in the order of names' sound; `waiting` in the order of the waiting list."""

    rows: Sequence[Row]
    waiting: Sequence[Row]

    @property
    def present(self) -> int:
        """How many are there."""
        return sum(row.present for row in self.rows)

    @property
    def missing(self) -> int:
        """How many are not."""
        return len(self.rows) - self.present


def meeting(db: Session, session_id: int, scope: Scope) -> CourseSession:
    """A session with its offering, course, host and teachers, if the reader may see it. Raises NotFound."""
    offering = joinedload(CourseSession.offering)
    row = db.scalars(
        visible(select(CourseSession), CourseSession, scope)
        .where(CourseSession.id == session_id)
        .options(
            offering.joinedload(Offering.course).joinedload(Course.programme),
            offering.joinedload(Offering.organisation),
            offering.joinedload(Offering.lead_instructor),
            offering.selectinload(Offering.sessions),
            selectinload(CourseSession.instructors).joinedload(SessionInstructor.instructor),
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def read(db: Session, gathering: CourseSession) -> Roster:
    """The roster of a session, in one statement."""
    there, how, who = aliased(Attendance), aliased(AttendanceEvent), aliased(User)
    found = db.execute(
        select(Enrolment, there.arrived_at, there.left_at, who.name, how.received_at)
        .join(Enrolment.trainee)
        .options(joinedload(Enrolment.trainee))
        .outerjoin(
            there, and_(there.enrolment_id == Enrolment.id, there.course_session_id == gathering.id)
        )
        .outerjoin(how, how.id == there.event_id)
        .outerjoin(who, who.id == how.user_id)
        .where(
            Enrolment.offering_id == gathering.offering_id,
            Enrolment.state.in_((*HOLDS_PLACE, EnrolmentState.WAITLISTED)),
        )
        .order_by(Enrolment.queued_at, Enrolment.id)
    ).all()  # fmt: skip
    rows: list[Row] = []
    waiting: list[Row] = []
    for enrolment, arrived_at, left_at, by, received_at in found:
        row = Row(
            enrolment.id,
            enrolment.trainee.name,
            tail(enrolment.trainee),
            enrolment.source == EnrolmentSource.WALK_IN,
            arrived_at,
            left_at,
            by,
            received_at is not None and received_at > gathering.ends_at,
            _punctual(gathering, arrived_at, left_at),
        )
        (waiting if enrolment.state == EnrolmentState.WAITLISTED else rows).append(row)
    rows.sort(key=lambda row: (by_sound(row.name), row.enrolment_id))
    return Roster(rows, waiting)


def _punctual(gathering: CourseSession, arrived_at: datetime | None, left_at: datetime | None) -> Punctuality | None:
    if arrived_at is None:
        return None
    return punctuality.of(gathering.starts_at, gathering.ends_at, arrived_at, left_at)


def matching(rows: Sequence[Row], words: str) -> list[Row]:
    """The rows whose name contains the words, or whose phone ends with the digits."""
    wanted = norm(words)
    if not wanted:
        return list(rows)
    return [row for row in rows if wanted in norm(row.name) or (wanted.isdigit() and row.phone_tail.endswith(wanted))]


def name_of(db: Session, enrolment_id: int | None) -> str:
    """The name of the trainee of an enrolment, to tell the instructor whose ticket it was."""
    return db.scalars(select(Trainee.name).join(Enrolment).where(Enrolment.id == enrolment_id)).one()


def row_of(db: Session, gathering: CourseSession, enrolment_id: int) -> Row:
    """One row of a roster. Raises NotFound."""
    row = next((row for row in read(db, gathering).rows if row.enrolment_id == enrolment_id), None)
    if row is None:
        raise NotFound
    return row


def enrolment_of(db: Session, gathering: CourseSession, ticket: str) -> int:
    """The enrolment in this session's offering that a ticket stands for. Raises DomainError for a ticket of another one.

    A person who cancelled and enrolled again may show the old ticket; it is theirs all the same.
    """
    owner = db.scalars(select(Enrolment).where(Enrolment.ticket == ticket)).one_or_none()
    if owner is None:
        raise DomainError("ticket_unknown", N_("This is not a ticket of ours. Search for the person by name instead."))
    if owner.offering_id != gathering.offering_id:
        starts = db.scalars(
            select(CourseSession.starts_at)
            .where(CourseSession.offering_id == owner.offering_id)
            .order_by(CourseSession.starts_at)
        ).first()
        raise DomainError(
            "ticket_elsewhere",
            N_(
                "This ticket is for another training, which begins on %(starts)s. If the person may take part here, add"
                " them as a walk-in."
            ),
            starts=starts or "—",
        )
    if owner.state != EnrolmentState.CANCELLED:
        return owner.id
    live = db.scalars(
        select(Enrolment.id).where(
            Enrolment.offering_id == owner.offering_id,
            Enrolment.trainee_id == owner.trainee_id,
            Enrolment.state != EnrolmentState.CANCELLED,
        )
    ).one_or_none()
    return live or owner.id


def tail(trainee: Trainee) -> str:
    """The last four digits of a trainee's phone; empty without one."""
    return (trainee.phone or "")[-TAIL:]


def is_running(gathering: CourseSession) -> bool:
    """Whether check-ins can still be made at all (the time apart)."""
    return gathering.closed_at is None and gathering.offering.state == OfferingState.PUBLISHED
