"""The roster of a session: the trainees with a place or on the waiting list, and who of them is present since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload, undefer

from courses.attendance import punctuality
from courses.attendance.punctuality import Punctuality
from courses.enrolment import namesakes, prerequisites
from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.catalogue import Course
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentSource, EnrolmentState
from courses.models.offerings import CourseSession, Offering, SessionInstructor
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core.errors import N_, DomainError, NotFound
from lms.core.name_order import by_sound, initials
from lms.core.names import norm
from lms.core.scope import Scope, visible

PHONE_TAIL_DIGITS = 4


@dataclass(frozen=True)
class RosterRow:
    """A trainee of a roster.

    phone_tail: the last four digits of the phone; a roster shows no more of it. hint: tells namesakes apart.
    by: the name of the user who checked the trainee in. later: that check-in was received after the session's end.
    punctual: the minutes late, left early and attended; None while the trainee is missing.
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
    hint: str = ""

    @property
    def initials(self) -> str:
        """The initials of the name, by which it is searched."""
        return initials(self.name)

    @property
    def told_apart(self) -> str:
        """The end of the phone, and what tells namesakes apart where the end of the phone does not."""
        tail = f"··{self.phone_tail}" if self.phone_tail else ""
        return " · ".join(filter(None, (tail, self.hint if self.hint != tail else "")))

    @property
    def told_name(self) -> str:
        """The name as a title or a choice says it: with what tells the person from another one of the same name."""
        return f"{self.name} {self.hint}" if self.hint else self.name

    @property
    def present(self) -> bool:
        """True where the trainee counts as present."""
        return self.arrived_at is not None


@dataclass(frozen=True)
class Roster:
    """The trainees of a session. `rows`: by name in the order of its pinyin; `waiting`: in the order of the waiting list."""

    rows: Sequence[RosterRow]
    waiting: Sequence[RosterRow]

    @property
    def present(self) -> int:
        """The number of trainees who are present."""
        return sum(row.present for row in self.rows)

    @property
    def missing(self) -> int:
        """The number of trainees with a place who are not present."""
        return len(self.rows) - self.present


def load_session(db: Session, session_id: int, scope: Scope) -> CourseSession:
    """Load a session with its offering, course, host and instructors, within the scope. Raises NotFound."""
    offering = joinedload(CourseSession.offering)
    statement = (
        visible(select(CourseSession), CourseSession, scope)
        .where(CourseSession.id == session_id)
        .options(
            offering.joinedload(Offering.course).options(
                joinedload(Course.programme), joinedload(Course.prerequisites)
            ),
            offering.joinedload(Offering.organisation),
            offering.joinedload(Offering.lead_instructor),
            offering.selectinload(Offering.sessions),
            selectinload(CourseSession.instructors).joinedload(SessionInstructor.instructor),
        )
    )
    row = db.scalars(statement).unique().one_or_none()
    if row is None:
        raise NotFound
    return row


def read_roster(db: Session, meeting: CourseSession) -> Roster:
    """Read the roster of a session, in one statement, and a second one where people share a name."""
    attendance, arrival, sender = aliased(Attendance), aliased(AttendanceEvent), aliased(User)
    records = db.execute(
        select(Enrolment, attendance.arrived_at, attendance.left_at, sender.name, arrival.received_at)
        .join(Enrolment.trainee)
        .options(joinedload(Enrolment.trainee))
        .outerjoin(
            attendance, and_(attendance.enrolment_id == Enrolment.id, attendance.course_session_id == meeting.id)
        )
        .outerjoin(arrival, arrival.id == attendance.event_id)
        .outerjoin(sender, sender.id == arrival.user_id)
        .where(
            Enrolment.offering_id == meeting.offering_id,
            Enrolment.state.in_((*HOLDS_PLACE, EnrolmentState.WAITLISTED)),
        )
        .order_by(Enrolment.queued_at, Enrolment.id)
    ).all()  # fmt: skip
    rows: list[RosterRow] = []
    waiting: list[RosterRow] = []
    hints = namesakes.hints(db, {enrolment.id: enrolment.trainee.name for enrolment, *_ in records})
    for enrolment, arrived_at, left_at, by, received_at in records:
        row = RosterRow(
            enrolment.id,
            enrolment.trainee.name,
            phone_tail(enrolment.trainee),
            enrolment.source == EnrolmentSource.WALK_IN,
            arrived_at,
            left_at,
            by,
            received_at is not None and received_at > meeting.ends_at,
            _punctual(meeting, arrived_at, left_at),
            hints.get(enrolment.id, ""),
        )
        (waiting if enrolment.state == EnrolmentState.WAITLISTED else rows).append(row)
    rows.sort(key=lambda row: (by_sound(row.name), row.enrolment_id))
    return Roster(rows, waiting)


def present_without_certificate(db: Session, meeting: CourseSession, rows: Sequence[RosterRow]) -> list[RosterRow]:
    """Return those present who do not hold what the course demands, so that the papers are looked at in the room.

    Two statements where the course demands something, else none.
    """
    offering = meeting.offering
    present = [row for row in rows if row.present]
    if not present or offering.course.certificate_type is None or not prerequisites.of_offering(offering):
        return []
    enrolments = db.scalars(
        select(Enrolment)
        .where(Enrolment.id.in_([row.enrolment_id for row in present]))
        .options(undefer(Enrolment.held_elsewhere))
    ).all()
    standings = prerequisites.of_enrolled(db, offering, enrolments)
    met = {enrolment.id for enrolment in enrolments if standings[enrolment.trainee_id].met}
    return [row for row in present if row.enrolment_id not in met]


def _punctual(meeting: CourseSession, arrived_at: datetime | None, left_at: datetime | None) -> Punctuality | None:
    if arrived_at is None:
        return None
    return punctuality.measure(meeting.starts_at, meeting.ends_at, arrived_at, left_at)


def matching_rows(rows: Sequence[RosterRow], search: str) -> list[RosterRow]:
    """Return the rows that a search finds; all for a blank text. lms/static/roster_search.js searches by the same rule.

    A name is found by a part of it and by its initials (zsf for 张三丰), and a person by the last digits of the phone.
    """
    key = norm(search)
    if not key:
        return list(rows)
    digits = key.isascii() and key.isdigit()
    return [
        row
        for row in rows
        if key in norm(row.name) or (row.phone_tail.endswith(key) if digits else key == row.initials)
    ]


def trainee_name(db: Session, enrolment_id: int | None) -> str:
    """Read the name of an enrolment's trainee, which tells the instructor whose ticket was scanned, with its hint."""
    enrolment = db.scalars(
        select(Enrolment).where(Enrolment.id == enrolment_id).options(joinedload(Enrolment.trainee))
    ).one()
    return namesakes.told_name(db, enrolment)


def roster_row(db: Session, meeting: CourseSession, enrolment_id: int) -> RosterRow:
    """Read one row of a roster. Raises NotFound for an enrolment without a place in this training."""
    row = next((row for row in read_roster(db, meeting).rows if row.enrolment_id == enrolment_id), None)
    if row is None:
        raise NotFound
    return row


def enrolment_of_ticket(db: Session, meeting: CourseSession, ticket: str) -> int:
    """Find the enrolment in this session's offering to which a scanned ticket belongs.

    The ticket of a cancelled enrolment stands for the person's new enrolment in the same offering, where there is one.
    Raises DomainError for an unknown ticket, and for one of another offering, with that offering's first start.
    """
    owner = db.scalars(select(Enrolment).where(Enrolment.has_ticket(ticket))).one_or_none()
    if owner is None:
        raise DomainError(
            "ticket_unknown", N_("This ticket was not issued by this system. Search for the person by name instead.")
        )
    if owner.offering_id != meeting.offering_id:
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


def phone_tail(trainee: Trainee) -> str:
    """The last four digits of a trainee's phone; empty without a phone."""
    return (trainee.phone or "")[-PHONE_TAIL_DIGITS:]
