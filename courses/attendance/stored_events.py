"""Attendance events as they are stored, and what has to be held and known before new ones are added.

The rows that decide are locked first and read afterwards: whoever waited for a lock must see what the one before stored.
Enrolments are locked in the order of their ids, so that two batches never wait for each other in a circle, and after
their offering, as closing a session does.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Interval,
    Text,
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

from courses.attendance.folding import Event
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
from lms.core.line import Prepared, send
from lms.core.scope import EVERYTHING, Scope

OPENS_BEFORE = timedelta(minutes=60)
# Trainings run over, and people are signed out at the door; what is told of the next morning somebody should look at.
CLOSES_AFTER = timedelta(hours=4)
HASH_LENGTH = 64
SCOPES = 1024  # as many reaches' statements are kept

Pair = tuple[int, int]


@dataclass(frozen=True)
class Meeting:
    """A session as far as the door must know it."""

    id: int
    offering_id: int
    offering_state: OfferingState
    starts_at: datetime
    ends_at: datetime
    closed_at: datetime | None

    @property
    def opens_at(self) -> datetime:
        """When check-in opens."""
        return self.starts_at - OPENS_BEFORE


@dataclass(frozen=True)
class Stored:
    """One event that came in before. `enrolment_id`: whose it is, after what was decided; `sent_for`: as it came in."""

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
    def event(self) -> Event:
        """The event as it is folded."""
        valid = self.review is None or self.decision in {ReviewDecision.ACCEPT, ReviewDecision.MERGE}
        return Event(self.id, self.kind, self.moment, self.undoes, valid)


@dataclass(frozen=True)
class Held:
    """The rows that decide, locked until the commit: sessions by id, and the states of enrolments by session and enrolment."""

    meetings: dict[int, Meeting]
    enrolments: dict[Pair, EnrolmentState]


@dataclass(frozen=True)
class Guest:
    """A walk-in as it is known: the session it came to, and its place once it has one."""

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


@lru_cache(maxsize=SCOPES)
def _holding(scope: Scope) -> Prepared:
    """The statement for whoever has this reach. Making it takes longer than sending it, so it is kept."""
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
    found = select(meeting, placed.c.enrolment_id, placed.c.state).select_from(
        meeting.outerjoin(placed, placed.c.offering_id == meeting.c.offering_id)
    )
    return Prepared(found, "sessions", "enrolments")


# What was in doubt and accepted all the same counts from within its session, whatever its clock said.
_moment = case(
    (
        _events.review.is_not(None),
        func.least(
            func.greatest(_events.happened_at, _meetings.starts_at - cast(OPENS_BEFORE, Interval)), _meetings.ends_at
        ),
    ),
    else_=_events.happened_at,
)
_wanted = union(
    select(_events.id).where(_events.id == any_(bindparam("events", type_=ARRAY(Uuid)))),
    select(_events.id).where(
        _events.course_session_id == _ids("sessions"), _events.enrolment_id == _ids("enrolments")
    ),
    select(_decisions.event_id).where(_decisions.enrolment_id == _ids("enrolments")),
).subquery("wanted")  # fmt: skip
_HISTORY = Prepared(
    select(
        _events.id, _events.course_session_id,
        func.coalesce(_decisions.enrolment_id, _events.enrolment_id).label("enrolment_id"),
        _events.enrolment_id.label("sent_for"), _events.kind, _events.method, _moment.label("moment"), _events.told_at,
        _events.reason, _events.undoes, _events.ticket, _events.walk_in_id, _events.review, _decisions.decision,
        _events.answer, _users.name,
    )
    .select_from(_wanted)
    .join(AttendanceEvent.__table__, _events.id == _wanted.c.id)
    .join(CourseSession.__table__, _meetings.id == _events.course_session_id)
    .outerjoin(AttendanceDecision.__table__, _decisions.event_id == _events.id)
    .outerjoin(User.__table__, _users.id == _events.user_id),
    "events", "sessions", "enrolments",
)  # fmt: skip


def hold(
    db: Session,
    sessions: Collection[int],
    enrolments: Collection[int],
    scope: Scope = EVERYTHING,
    *,
    events: Collection[UUID] = (),
) -> tuple[Held, list[Stored]]:
    """Lock the sessions within a reach against being closed, and those of the enrolments that are in their offerings.

    Gives them and, read once they are locked, their `history`.
    """
    meetings: dict[int, Meeting] = {}
    placed: dict[Pair, EnrolmentState] = {}
    asked = {"sessions": sessions, "enrolments": enrolments, "events": events}
    held, known = send(db, (_holding(scope), asked), (_HISTORY, asked))
    for session_id, offering_id, offering_state, starts_at, ends_at, closed_at, enrolment_id, state in held:
        if session_id not in meetings:
            meetings[session_id] = Meeting(
                session_id, offering_id, OfferingState(offering_state), starts_at, ends_at, closed_at
            )
        if enrolment_id is not None:
            placed[session_id, enrolment_id] = EnrolmentState(state)
    return Held(meetings, placed), _stored(known)


def history(db: Session, *, sessions: Collection[int], enrolments: Collection[int]) -> list[Stored]:
    """The events of the enrolments at the sessions; with `events` of `hold`, those with these ids too."""
    (found,) = send(db, (_HISTORY, {"events": (), "sessions": sessions, "enrolments": enrolments}))
    return _stored(found)


def _stored(rows: Iterable[tuple[Any, ...]]) -> list[Stored]:
    """The rows of `_HISTORY`, with the members that their words stand for."""
    return [
        Stored(
            *row[:4], AttendanceKind(row[4]), AttendanceMethod(row[5]), *row[6:12],
            ReviewReason(row[12]) if row[12] else None, ReviewDecision(row[13]) if row[13] else None, *row[14:],
        )  # type: ignore[call-arg]
        for row in rows
    ]  # fmt: skip


def owners_of(db: Session, tickets: Collection[str], sessions: Collection[int]) -> dict[str, int]:
    """The enrolments that tickets stand for. `tickets`: as scanned, or their SHA-256 in hex, which finds only people of
    the sessions' offerings. Whoever cancelled and enrolled again may show the old ticket; it is theirs all the same.
    """
    scanned = [ticket for ticket in tickets if len(ticket) != HASH_LENGTH]
    hashed = [ticket for ticket in tickets if len(ticket) == HASH_LENGTH]
    digest = func.encode(func.sha256(func.convert_to(Enrolment.ticket, "UTF8", type_=Text)), "hex", type_=Text)
    live = aliased(Enrolment)
    here = select(CourseSession.offering_id).where(CourseSession.id.in_(sessions))
    wanted: list[ColumnElement[bool]] = []
    if scanned:
        wanted.append(Enrolment.ticket.in_(scanned))
    if hashed:
        wanted.append(Enrolment.offering_id.in_(here) & digest.in_(hashed))
    rows = db.execute(
        select(Enrolment.ticket, digest, Enrolment.id, live.id)
        .outerjoin(
            live,
            (live.offering_id == Enrolment.offering_id)
            & (live.trainee_id == Enrolment.trainee_id)
            & (live.state != EnrolmentState.CANCELLED),
        )
        .where(or_(*wanted))
    ).all()
    owners: dict[str, int] = {}
    for ticket, hexed, owner, living in rows:
        owners[ticket] = owners[hexed] = living or owner
    return owners


def guests(db: Session, walk_ins: Collection[UUID]) -> dict[UUID, Guest]:
    """The walk-ins that are known already."""
    rows = db.execute(
        select(WalkInPerson.id, WalkInPerson.course_session_id, WalkInPerson.enrolment_id).where(
            WalkInPerson.id.in_(walk_ins)
        )
    )
    return {identity: Guest(session_id, enrolment_id) for identity, session_id, enrolment_id in rows}
