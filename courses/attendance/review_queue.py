"""Check-ins in doubt: what waits for somebody's word. `courses.closing.reviews` has what that word does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, cast, exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from courses.attendance.roster import tail
from courses.models.attendance import AttendanceDecision, AttendanceEvent, AttendanceKind, ReviewReason
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering
from courses.models.trainees import Trainee
from courses.models.walk_ins import WalkInPerson
from lms.accounts.models import User
from lms.core.errors import N_, NotFound
from lms.core.names import norm
from lms.core.scope import REMEMBERED, Scope, fetch, visible

SHOWN = 300

WORDS = {
    ReviewReason.OUTSIDE_WINDOW: N_("The time is outside this session's check-in."),
    ReviewReason.SESSION_CLOSED: N_("It came in after the session was closed."),
    ReviewReason.NOT_ENROLLED: N_("This person has no place in this training."),
    ReviewReason.UNKNOWN_TICKET: N_("The ticket that was scanned is not one of ours."),
    ReviewReason.WALK_IN_MATCH: N_("A walk-in known by name alone. The person may already be registered."),
    ReviewReason.SECOND_FROM_BROWSER: N_("A second person who checked in from the same browser."),
    ReviewReason.NOT_RUNNING: N_("This training was not running: a draft, or cancelled."),
}


@dataclass(frozen=True)
class Said:
    """One event of a case: what it says, of when, and who sent it."""

    kind: AttendanceKind
    moment: datetime
    received_at: datetime
    by: str | None


@dataclass(frozen=True)
class Suggestion:
    """Somebody whom a check-in may mean. `enrolment_id`: a place in the training; None for one who is only registered."""

    trainee_id: int
    enrolment_id: int | None
    name: str
    phone_tail: str


@dataclass(frozen=True)
class Case:
    """What one person sent to one session with one doubt. `event_id` stands for all of it.

    `name` is None for a ticket that nobody knows. `known`: somebody in the register, whom accepting gives a place if need be.
    """

    event_id: UUID
    review: ReviewReason
    name: str | None
    phone_tail: str
    known: bool
    walk_in: bool
    said: Sequence[Said]
    suggestions: Sequence[Suggestion]


@dataclass(frozen=True)
class Sitting:
    """A session and the cases that wait there."""

    meeting: CourseSession
    cases: Sequence[Case]


def waiting(
    db: Session, scope: Scope, *, offering_id: int | None = None, session_id: int | None = None
) -> list[Sitting]:
    """What waits, by session, the latest session first; in few statements, however much it is."""
    columns: Sequence[Any] = (AttendanceEvent, CourseSession, WalkInPerson, Trainee, User.name)
    rows = db.execute(
        visible(select(*columns), AttendanceEvent, scope)
        .join(CourseSession, CourseSession.id == AttendanceEvent.course_session_id)
        .outerjoin(WalkInPerson, WalkInPerson.id == AttendanceEvent.walk_in_id)
        .outerjoin(Enrolment, Enrolment.id == AttendanceEvent.enrolment_id)
        .outerjoin(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(User, User.id == AttendanceEvent.user_id)
        .where(_undecided(), *_of(offering_id, session_id))
        .options(
            joinedload(CourseSession.offering).joinedload(Offering.course),
            joinedload(CourseSession.offering).joinedload(Offering.organisation),
        )
        .order_by(CourseSession.starts_at.desc(), CourseSession.id, AttendanceEvent.happened_at, AttendanceEvent.id)
        .limit(SHOWN)
    ).all()
    likely = _suggestions(db, scope, [(meeting, guest) for _, meeting, guest, _, _ in rows if guest is not None])
    found: dict[int, tuple[CourseSession, dict[Any, list[Any]]]] = {}
    for row in rows:
        event, meeting = row[0], row[1]
        cases = found.setdefault(meeting.id, (meeting, {}))[1]
        cases.setdefault((event.review, _who(event)), []).append(row)
    return [
        Sitting(meeting, [_case(rows_of, likely) for rows_of in cases.values()]) for meeting, cases in found.values()
    ]


def case_of(db: Session, event_id: UUID, scope: Scope) -> Sitting:
    """The one case that an event belongs to, with its session. Raises NotFound, also when it is decided."""
    event = fetch(db, AttendanceEvent, event_id, scope)
    for sitting in waiting(db, scope, session_id=event.course_session_id):
        for case in sitting.cases:
            if event.review == case.review and case.event_id in {one.id for one in siblings(db, event)}:
                return Sitting(sitting.meeting, [case])
    raise NotFound


def count(db: Session, scope: Scope, *, session_id: int | None = None) -> int:
    """How many cases wait."""
    return db.scalar(_counted(scope.reach, session_id)) or 0


@lru_cache(REMEMBERED)
def _counted(scope: Scope, session_id: int | None) -> Select[int]:
    columns: Sequence[Any] = (AttendanceEvent.course_session_id, AttendanceEvent.review, _who_column())
    each = visible(select(*columns), AttendanceEvent, scope).where(_undecided(), *_of(None, session_id)).distinct()
    return select(func.count()).select_from(each.subquery())


def siblings(db: Session, event: AttendanceEvent) -> Sequence[AttendanceEvent]:
    """All that the same person sent to the same session with the same doubt, and nobody has decided about."""
    same = [_who_column() == _who(event)]
    return db.scalars(
        select(AttendanceEvent)
        .where(
            AttendanceEvent.course_session_id == event.course_session_id,
            AttendanceEvent.review == event.review,
            ~exists(select(1).where(AttendanceDecision.event_id == AttendanceEvent.id)),
            *same,
        )
        .order_by(AttendanceEvent.happened_at, AttendanceEvent.id)
    ).all()


def _undecided() -> ColumnElement[bool]:
    """In review, not decided, and not taken back by whoever sent it."""
    undo = aliased(AttendanceEvent)
    return (
        AttendanceEvent.review.is_not(None)
        & ~exists(select(1).where(AttendanceDecision.event_id == AttendanceEvent.id))
        & ~exists(select(1).where(undo.undoes == AttendanceEvent.id, undo.review.is_(None)))
    )


def _of(offering_id: int | None, session_id: int | None) -> list[ColumnElement[bool]]:
    narrowed: list[ColumnElement[bool]] = []
    if offering_id is not None:
        sessions = select(CourseSession.id).where(CourseSession.offering_id == offering_id)
        narrowed.append(AttendanceEvent.course_session_id.in_(sessions))
    if session_id is not None:
        narrowed.append(AttendanceEvent.course_session_id == session_id)
    return narrowed


def _who(event: AttendanceEvent) -> str:
    """What tells whose an event is, as far as that is known."""
    return str(event.walk_in_id or event.enrolment_id or event.ticket)


def _who_column() -> ColumnElement[str]:
    return func.coalesce(
        cast(AttendanceEvent.walk_in_id, String), cast(AttendanceEvent.enrolment_id, String), AttendanceEvent.ticket
    ).label("who")


def _case(rows: Sequence[Any], likely: dict[tuple[int, str], list[Suggestion]]) -> Case:
    event, meeting, guest, trainee, _ = rows[0]
    name = guest.name if guest is not None else trainee.name if trainee is not None else None
    return Case(
        event.id,
        event.review,
        name,
        tail(trainee) if trainee is not None else "",
        trainee is not None,
        guest is not None,
        [Said(one.kind, one.happened_at, one.received_at, by) for one, _, _, _, by in rows],
        likely.get((meeting.offering_id, norm(name or "")), []) if guest is not None else [],
    )


def _suggestions(
    db: Session, scope: Scope, guests: Sequence[tuple[CourseSession, WalkInPerson]]
) -> dict[tuple[int, str], list[Suggestion]]:
    """People of the same name, by training and name: those with a place in it first, then others of the register."""
    found: dict[tuple[int, str], list[Suggestion]] = {}
    wanted = {(meeting.offering_id, norm(guest.name)) for meeting, guest in guests}
    if not wanted:
        return found
    keys = {key for _, key in wanted}
    people = db.scalars(
        visible(select(Trainee), Trainee, scope).where(Trainee.name_key.in_(keys)).order_by(Trainee.id)
    ).all()
    places = {
        (offering_id, trainee_id): identity
        for offering_id, trainee_id, identity in db.execute(
            select(Enrolment.offering_id, Enrolment.trainee_id, Enrolment.id).where(
                Enrolment.offering_id.in_({offering_id for offering_id, _ in wanted}),
                Enrolment.trainee_id.in_([person.id for person in people]),
                Enrolment.state != EnrolmentState.CANCELLED,
            )
        )
    }
    for offering_id, key in wanted:
        same = [
            Suggestion(person.id, places.get((offering_id, person.id)), person.name, tail(person))
            for person in people
            if person.name_key == key
        ]
        found[offering_id, key] = sorted(same, key=lambda one: (one.enrolment_id is None, one.trainee_id))
    return found
