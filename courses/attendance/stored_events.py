"""Reading and locking before check-ins are judged: the sessions, the enrolments, and their stored events.

The rows that decide are locked first and read afterwards, so that a transaction that waited for a lock sees what the
transaction before it stored. Locks are taken in one order: the offering, its sessions, then the enrolments by id. Two
batches with the same people therefore never deadlock, nor do a batch and the closing of a session.
"""

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Interval,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    union,
)
from sqlalchemy.orm import Session, aliased

from courses.attendance.check_in_window import OPENS_BEFORE
from courses.attendance.check_ins import TICKET_HASH_LENGTH
from courses.attendance.folding import PresenceEvent
from courses.models.attendance import (
    AttendanceDecision,
    AttendanceEvent,
    AttendanceKind,
    AttendanceMethod,
    ReviewDecision,
    ReviewReason,
)
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.walk_ins import WalkInPerson
from lms.accounts.models import User
from lms.core import crypto
from lms.core.pipeline import PreparedStatement, send
from lms.core.scope import EVERYTHING, Scope

CACHED_SCOPES = 1024  # the lock statement is cached for so many scopes

# The primary key of an attendance: course session id, enrolment id.
AttendanceKey = tuple[int, int]


@dataclass(frozen=True)
class LockedSession:
    """A locked course session with the facts that decide about its check-ins."""

    id: int
    offering_id: int
    offering_state: OfferingState
    starts_at: datetime
    ends_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True)
class StoredEvent:
    """An event as it is stored, with the decision about it and the name of its sender.

    enrolment_id: the person to whom it belongs, also by a decision in review. sent_for: the enrolment as it was sent.
    moment: the moment that counts (see `_moment`). ticket: as SHA-256 in hex. by: the name of the user who sent it.
    answer: the answer as it was stored with the event; None for events of the first versions, which stored none.
    """

    id: UUID
    session_id: int
    enrolment_id: int | None
    sent_for: int | None
    kind: AttendanceKind
    method: AttendanceMethod
    moment: datetime
    told_at: datetime | None
    reason: str | None
    undoes: UUID | None
    ticket: str | None
    walk_in_id: UUID | None
    review: ReviewReason | None
    decision: ReviewDecision | None
    answer: dict[str, Any] | None
    by: str | None

    @property
    def presence_event(self) -> PresenceEvent:
        """The event as the fold takes it: valid unless it waits for review or was rejected there."""
        valid = self.review is None or self.decision in {ReviewDecision.ACCEPT, ReviewDecision.MERGE}
        return PresenceEvent(self.id, self.kind, self.moment, self.undoes, valid)


@dataclass(frozen=True)
class LockedRows:
    """The rows locked until the commit: sessions by id, and the states of their offerings' enrolments."""

    sessions: dict[int, LockedSession]
    enrolments: dict[AttendanceKey, EnrolmentState]


@dataclass(frozen=True)
class KnownWalkIn:
    """A walk-in that is stored: the session to which the person came, and the enrolment once a decision gave one."""

    session_id: int
    enrolment_id: int | None


_events = AttendanceEvent.__table__.c
_decisions = AttendanceDecision.__table__.c
_meetings = CourseSession.__table__.c
_offerings = Offering.__table__.c
_enrolments = Enrolment.__table__.c
_users = User.__table__.c


def _ids(name: str) -> Any:
    return any_(bindparam(name, type_=ARRAY(BigInteger)))


@lru_cache(maxsize=CACHED_SCOPES)
def lock_statement(scope: Scope) -> PreparedStatement:
    """The locking SELECT for a scope. It is cached because SQLAlchemy compiles it more slowly than PostgreSQL runs it."""
    meeting = (
        select(
            _meetings.id.label("session_id"), _meetings.offering_id, _offerings.state.label("offering_state"),
            _meetings.starts_at, _meetings.ends_at, _meetings.closed_at,
        )
        .select_from(Offering.__table__)
        .join(CourseSession.__table__, _meetings.offering_id == _offerings.id)
        .where(_meetings.id == _ids("sessions"), Offering.visible_to(scope))
        .order_by(_offerings.id, _meetings.id)
        .with_for_update(read=True, of=(Offering.__table__, CourseSession.__table__))
        .cte("meeting")
    )  # fmt: skip
    placed = (
        select(_enrolments.id.label("enrolment_id"), _enrolments.offering_id, _enrolments.state)
        .where(
            _enrolments.id == _ids("enrolments"),
            _enrolments.offering_id.in_(select(meeting.c.offering_id)),
        )
        .order_by(_enrolments.id)
        .with_for_update(key_share=True)
        .cte("placed")
    )
    statement = select(meeting, placed.c.enrolment_id, placed.c.state).select_from(
        meeting.outerjoin(placed, placed.c.offering_id == meeting.c.offering_id)
    )
    return PreparedStatement(statement, "sessions", "enrolments", index_plan=True)


# The moment that counts. An event that was accepted in review is moved into its session's hours: example, an arrival told
# for 03:00 by a wrong clock counts from the opening of check-in.
_moment = case(
    (
        _events.review.is_not(None),
        func.least(
            func.greatest(_events.happened_at, _meetings.starts_at - cast(OPENS_BEFORE, Interval)), _meetings.ends_at
        ),
    ),
    else_=_events.happened_at,
)
_event_ids = union(
    select(_events.id).where(_events.id == any_(bindparam("events", type_=ARRAY(Uuid)))),
    select(_events.id).where(
        _events.course_session_id == _ids("sessions"), _events.enrolment_id == _ids("enrolments")
    ),
    select(_decisions.event_id).where(_decisions.enrolment_id == _ids("enrolments")),
).subquery("event_ids")  # fmt: skip
EVENTS_STATEMENT = PreparedStatement(
    select(
        _events.id, _events.course_session_id,
        func.coalesce(_decisions.enrolment_id, _events.enrolment_id).label("enrolment_id"),
        _events.enrolment_id.label("sent_for"), _events.kind, _events.method, _moment.label("moment"), _events.told_at,
        _events.reason, _events.undoes, _events.ticket, _events.walk_in_id, _events.review, _decisions.decision,
        _events.answer, _users.name,
    )
    .select_from(_event_ids)
    .join(AttendanceEvent.__table__, _events.id == _event_ids.c.id)
    .join(CourseSession.__table__, _meetings.id == _events.course_session_id)
    .outerjoin(AttendanceDecision.__table__, _decisions.event_id == _events.id)
    .outerjoin(User.__table__, _users.id == _events.user_id),
    "events", "sessions", "enrolments", index_plan=True,
)  # fmt: skip


def lock_and_read(
    db: Session,
    sessions: Collection[int],
    enrolments: Collection[int],
    scope: Scope = EVERYTHING,
    *,
    events: Collection[UUID] = (),
) -> tuple[LockedRows, list[StoredEvent]]:
    """Lock the sessions within the scope against being closed, and those enrolments that belong to their offerings.

    Returns the locked rows and, read after the locks are held, the events of `read_events` and those whose ids are
    `events`. Both statements go to the server in one round trip.
    """
    locked_sessions: dict[int, LockedSession] = {}
    states: dict[AttendanceKey, EnrolmentState] = {}
    parameters = {"sessions": sessions, "enrolments": enrolments, "events": events}
    locked_rows, event_rows = send(db, (lock_statement(scope), parameters), (EVENTS_STATEMENT, parameters))
    for session_id, offering_id, offering_state, starts_at, ends_at, closed_at, enrolment_id, state in locked_rows:
        if session_id not in locked_sessions:
            locked_sessions[session_id] = LockedSession(
                session_id, offering_id, OfferingState(offering_state), starts_at, ends_at, closed_at
            )
        if enrolment_id is not None:
            states[session_id, enrolment_id] = EnrolmentState(state)
    return LockedRows(locked_sessions, states), _stored_events(event_rows)


def read_events(db: Session, *, sessions: Collection[int], enrolments: Collection[int]) -> list[StoredEvent]:
    """Read the events of the enrolments at the sessions, also those that a decision in review gave to an enrolment."""
    (rows,) = send(db, (EVENTS_STATEMENT, {"events": (), "sessions": sessions, "enrolments": enrolments}))
    return _stored_events(rows)


def _stored_events(rows: Iterable[tuple[Any, ...]]) -> list[StoredEvent]:
    """Make the rows of `EVENTS_STATEMENT` into events; columns of text that hold an enumeration become its members."""
    return [
        StoredEvent(
            *row[:4], AttendanceKind(row[4]), AttendanceMethod(row[5]), *row[6:12],
            ReviewReason(row[12]) if row[12] else None, ReviewDecision(row[13]) if row[13] else None, *row[14:],
        )  # type: ignore[call-arg]
        for row in rows
    ]  # fmt: skip


def enrolments_of_tickets(db: Session, tickets: Collection[str], sessions: Collection[int]) -> dict[str, int]:
    """Find the enrolments to which tickets belong, by the ticket as it was passed.

    tickets: as scanned, or their SHA-256 in hex. A hash is compared with the tickets of the sessions' offerings only.
    The ticket of a cancelled enrolment stands for the person's new enrolment in the same offering, where there is one.
    """
    hash_of = {ticket: _ticket_hash(ticket) for ticket in tickets}
    scanned = [ticket_hash for ticket, ticket_hash in hash_of.items() if len(ticket) != TICKET_HASH_LENGTH]
    hashed = [ticket_hash for ticket, ticket_hash in hash_of.items() if len(ticket) == TICKET_HASH_LENGTH]
    live = aliased(Enrolment)
    offerings = select(CourseSession.offering_id).where(CourseSession.id.in_(sessions))
    conditions: list[ColumnElement[bool]] = []
    if scanned:
        conditions.append(Enrolment.ticket_hash.in_(scanned))
    if hashed:
        conditions.append(Enrolment.offering_id.in_(offerings) & Enrolment.ticket_hash.in_(hashed))
    rows = db.execute(
        select(Enrolment.ticket_hash, func.coalesce(live.id, Enrolment.id))
        .outerjoin(
            live,
            (live.offering_id == Enrolment.offering_id)
            & (live.trainee_id == Enrolment.trainee_id)
            & (live.state != EnrolmentState.CANCELLED),
        )
        .where(or_(*conditions))
    ).all()
    enrolments = {ticket_hash: enrolment_id for ticket_hash, enrolment_id in rows}
    return {ticket: enrolments[ticket_hash] for ticket, ticket_hash in hash_of.items() if ticket_hash in enrolments}


def _ticket_hash(ticket: str) -> bytes:
    """The SHA-256 of a ticket, which may be given in its place, in hex."""
    if len(ticket) == TICKET_HASH_LENGTH:
        with suppress(ValueError):
            return bytes.fromhex(ticket)
    return crypto.token_hash(ticket)


def known_walk_ins(db: Session, walk_ins: Collection[UUID]) -> dict[UUID, KnownWalkIn]:
    """Read those of the walk-ins that are stored, by their id."""
    rows = db.execute(
        select(WalkInPerson.id, WalkInPerson.course_session_id, WalkInPerson.enrolment_id).where(
            WalkInPerson.id.in_(walk_ins)
        )
    )
    return {walk_in_id: KnownWalkIn(session_id, enrolment_id) for walk_in_id, session_id, enrolment_id in rows}
