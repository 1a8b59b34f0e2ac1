"""Queries for the review queue: check-ins that need a person's decision. `courses.closing.reviews` records the decisions.

The events of one person at one session with one reason form a case, which one decision settles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, cast, exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from courses.attendance.roster import phone_tail
from courses.enrolment import namesakes
from courses.enrolment.namesakes import Namesake
from courses.models.attendance import AttendanceDecision, AttendanceEvent, AttendanceKind, ReviewReason
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering
from courses.models.trainees import Trainee
from courses.models.walk_ins import WalkInPerson
from lms.accounts.models import User
from lms.core.errors import N_, NotFound
from lms.core.names import norm
from lms.core.scope import CACHED_STATEMENTS, Scope, fetch, visible

EVENT_LIMIT = 300  # events on one page; the rest follows once these are decided

REVIEW_LABELS = {
    ReviewReason.OUTSIDE_WINDOW: N_("The time is outside the check-in period of this session."),
    ReviewReason.SESSION_CLOSED: N_("Received after the session was closed."),
    ReviewReason.NOT_ENROLLED: N_("This person has no place in this training."),
    ReviewReason.UNKNOWN_TICKET: N_("The scanned ticket was not issued by this system."),
    ReviewReason.WALK_IN_MATCH: N_("A walk-in known by name alone. The person may already be registered."),
    ReviewReason.SECOND_FROM_BROWSER: N_("A second person checked in from the same browser."),
    ReviewReason.NOT_RUNNING: N_("This training was not running: a draft, or cancelled."),
}


@dataclass(frozen=True)
class CaseEvent:
    """An event of a case: its kind, its moment, when the server received it, and the name of the user who sent it."""

    kind: AttendanceKind
    moment: datetime
    received_at: datetime
    by: str | None


@dataclass(frozen=True)
class Suggestion:
    """A trainee of the same name as a walk-in. `enrolment_id`: the place in this training; None without one.

    hint: tells several of them apart.
    """

    trainee_id: int
    enrolment_id: int | None
    name: str
    phone_tail: str
    hint: str


@dataclass(frozen=True)
class ReviewCase:
    """The undecided events of one person at one session with one reason.

    event_id: the first of the events; a decision names it and holds for all of them.
    name: None for an unknown ticket. hint: tells namesakes of the offering apart.
    registered: the person is in the register, so that the case can be accepted as it is.
    walk_in: the person is a walk-in. suggestions: trainees of the same name, for a walk-in only.
    """

    event_id: UUID
    review: ReviewReason
    name: str | None
    phone_tail: str
    hint: str
    registered: bool
    walk_in: bool
    events: Sequence[CaseEvent]
    suggestions: Sequence[Suggestion]


@dataclass(frozen=True)
class SessionCases:
    """A session and its undecided cases."""

    meeting: CourseSession
    cases: Sequence[ReviewCase]


def cases_by_session(
    db: Session, scope: Scope, *, offering_id: int | None = None, session_id: int | None = None
) -> list[SessionCases]:
    """Read the undecided cases within the scope, by session, the latest session first, at most `EVENT_LIMIT` events.

    The number of statements does not grow with the number of cases.
    """
    columns: Sequence[Any] = (AttendanceEvent, CourseSession, WalkInPerson, Trainee, User.name)
    rows = db.execute(
        visible(select(*columns), AttendanceEvent, scope)
        .join(CourseSession, CourseSession.id == AttendanceEvent.course_session_id)
        .outerjoin(WalkInPerson, WalkInPerson.id == AttendanceEvent.walk_in_id)
        .outerjoin(Enrolment, Enrolment.id == AttendanceEvent.enrolment_id)
        .outerjoin(Trainee, Trainee.id == Enrolment.trainee_id)
        .outerjoin(User, User.id == AttendanceEvent.user_id)
        .where(undecided(), *_within(offering_id, session_id))
        .options(
            joinedload(CourseSession.offering).joinedload(Offering.course),
            joinedload(CourseSession.offering).joinedload(Offering.organisation),
        )
        .order_by(CourseSession.starts_at.desc(), CourseSession.id, AttendanceEvent.happened_at, AttendanceEvent.id)
        .limit(EVENT_LIMIT)
    ).all()
    walk_ins = [(meeting, walk_in) for _, meeting, walk_in, _, _ in rows if walk_in is not None]
    suggestions = _suggestions(db, scope, walk_ins)
    hints = namesakes.beside(db, {event.enrolment_id for event, *_ in rows if event.enrolment_id is not None})
    rows_by_session: dict[int, tuple[CourseSession, dict[Any, list[Any]]]] = {}
    for row in rows:
        event, meeting = row[0], row[1]
        rows_by_case = rows_by_session.setdefault(meeting.id, (meeting, {}))[1]
        rows_by_case.setdefault((event.review, _person_key(event)), []).append(row)
    return [
        SessionCases(meeting, [_case(case_rows, suggestions, hints) for case_rows in rows_by_case.values()])
        for meeting, rows_by_case in rows_by_session.values()
    ]


def case_of(db: Session, event_id: UUID, scope: Scope) -> SessionCases:
    """Read the case to which an event belongs, with its session. Raises NotFound, also when the case is decided."""
    event = fetch(db, AttendanceEvent, event_id, scope)
    for session_cases in cases_by_session(db, scope, session_id=event.course_session_id):
        for case in session_cases.cases:
            if event.review == case.review and case.event_id in {sibling.id for sibling in events_of_case(db, event)}:
                return SessionCases(session_cases.meeting, [case])
    raise NotFound


def count_cases(db: Session, scope: Scope, *, session_id: int | None = None) -> int:
    """Count the undecided cases within the scope."""
    return db.scalar(counting_cases(scope.reach, session_id)) or 0


@lru_cache(CACHED_STATEMENTS)
def counting_cases(scope: Scope, session_id: int | None = None) -> Select[int]:
    """The SELECT of `count_cases`. scope: a `Scope.reach`."""
    columns: Sequence[Any] = (AttendanceEvent.course_session_id, AttendanceEvent.review, _person_column())
    cases = visible(select(*columns), AttendanceEvent, scope).where(undecided(), *_within(None, session_id)).distinct()
    return select(func.count()).select_from(cases.subquery())


def events_of_case(db: Session, event: AttendanceEvent) -> Sequence[AttendanceEvent]:
    """Read the events of the same person at the same session with the same reason about which nobody has decided."""
    return db.scalars(
        select(AttendanceEvent)
        .where(
            AttendanceEvent.course_session_id == event.course_session_id,
            AttendanceEvent.review == event.review,
            ~exists(select(1).where(AttendanceDecision.event_id == AttendanceEvent.id)),
            _person_column() == _person_key(event),
        )
        .order_by(AttendanceEvent.happened_at, AttendanceEvent.id)
    ).all()


def undecided() -> ColumnElement[bool]:
    """The condition that an event is in review, is not decided, and is not undone by a later event of its sender."""
    undo = aliased(AttendanceEvent)
    return (
        AttendanceEvent.review.is_not(None)
        & ~exists(select(1).where(AttendanceDecision.event_id == AttendanceEvent.id))
        & ~exists(select(1).where(undo.undoes == AttendanceEvent.id, undo.review.is_(None)))
    )


def _within(offering_id: int | None, session_id: int | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if offering_id is not None:
        sessions = select(CourseSession.id).where(CourseSession.offering_id == offering_id)
        conditions.append(AttendanceEvent.course_session_id.in_(sessions))
    if session_id is not None:
        conditions.append(AttendanceEvent.course_session_id == session_id)
    return conditions


def _person_key(event: AttendanceEvent) -> str:
    """The key of the event's person: the walk-in's id, else the enrolment's, else the ticket's hash."""
    return str(event.walk_in_id or event.enrolment_id or event.ticket)


def _person_column() -> ColumnElement[str]:
    """`_person_key` as SQL."""
    return func.coalesce(
        cast(AttendanceEvent.walk_in_id, String), cast(AttendanceEvent.enrolment_id, String), AttendanceEvent.ticket
    ).label("person")


def _case(
    rows: Sequence[Any], suggestions: dict[tuple[int, str], list[Suggestion]], hints: Mapping[int, str]
) -> ReviewCase:
    event, meeting, walk_in, trainee, _ = rows[0]
    name = walk_in.name if walk_in is not None else trainee.name if trainee is not None else None
    return ReviewCase(
        event.id,
        event.review,
        name,
        phone_tail(trainee) if trainee is not None else "",
        hints.get(event.enrolment_id, ""),
        trainee is not None,
        walk_in is not None,
        [CaseEvent(event.kind, event.happened_at, event.received_at, by) for event, _, _, _, by in rows],
        suggestions.get((meeting.offering_id, norm(name or "")), []) if walk_in is not None else [],
    )


def _suggestions(
    db: Session, scope: Scope, walk_ins: Sequence[tuple[CourseSession, WalkInPerson]]
) -> dict[tuple[int, str], list[Suggestion]]:
    """Read the trainees of the walk-ins' names, by offering id and name key; those with a place in the offering first."""
    name_keys = {(meeting.offering_id, norm(walk_in.name)) for meeting, walk_in in walk_ins}
    if not name_keys:
        return {}
    trainees = db.scalars(
        visible(select(Trainee), Trainee, scope)
        .where(Trainee.name_key.in_({name_key for _, name_key in name_keys}))
        .order_by(Trainee.id)
    ).all()
    enrolments = {
        (offering_id, trainee_id): enrolment_id
        for offering_id, trainee_id, enrolment_id in db.execute(
            select(Enrolment.offering_id, Enrolment.trainee_id, Enrolment.id).where(
                Enrolment.offering_id.in_({offering_id for offering_id, _ in name_keys}),
                Enrolment.trainee_id.in_([trainee.id for trainee in trainees]),
                Enrolment.state != EnrolmentState.CANCELLED,
            )
        )
    }
    suggestions: dict[tuple[int, str], list[Suggestion]] = {}
    for offering_id, name_key in name_keys:
        same_name = [trainee for trainee in trainees if trainee.name_key == name_key]
        hints = namesakes.tell_apart([_namesake(trainee) for trainee in same_name]) if len(same_name) > 1 else {}
        registered = [
            Suggestion(
                trainee.id,
                enrolments.get((offering_id, trainee.id)),
                trainee.name,
                phone_tail(trainee),
                hints.get(trainee.id, ""),
            )
            for trainee in same_name
        ]
        suggestions[offering_id, name_key] = sorted(
            registered, key=lambda suggestion: (suggestion.enrolment_id is None, suggestion.trainee_id)
        )
    return suggestions


def _namesake(trainee: Trainee) -> Namesake:
    """A trainee who need not have a place: the number of the record stands where an enrolment's number stands in lists."""
    return Namesake(trainee.id, trainee.id, trainee.phone, trainee.birth_year, None, trainee.open_id_number())
