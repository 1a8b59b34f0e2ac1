"""The recording of acts about a session itself, each once: own check-ins (`instructor_check_in`) and headcounts (`headcount`).

The sessions of a batch stay locked until the commit, so the acts about one session follow one another.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from courses.device_events import moment_told
from courses.models.offerings import CourseSession
from courses.models.session_events import SessionEvent, SessionEventKind
from courses.outcomes import Outcome
from lms.core.errors import N_, DomainError, NotFound
from lms.core.scope import Scope

CONFLICT = N_("This entry's number was used for another entry. Reload the page and enter it again.")


@dataclass(frozen=True)
class SessionAct:
    """An act as a device sends it. number: of a headcount. offset_ms: the server's clock minus the device's."""

    id: UUID
    session_id: int
    kind: SessionEventKind
    told_at: datetime
    offset_ms: int | None = None
    number: int | None = None


@dataclass(frozen=True)
class SessionAnswer:
    """The answer to an act. facts: what holds afterwards, as values of JSON; params: see `EventAnswer`."""

    id: UUID
    outcome: Outcome
    code: str
    message: str
    params: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ActResult:
    """The result of an act that is stored. code: a key of the kind's messages. facts: what holds after the act."""

    outcome: Outcome
    code: str
    facts: dict[str, Any]


# Applies an act that happened at a moment to its session, or raises DomainError.
Apply = Callable[[CourseSession, SessionEvent], ActResult]


def record_all(
    db: Session,
    acts: Sequence[SessionAct],
    apply: Apply,
    answer: Callable[[UUID, ActResult], SessionAnswer],
    *,
    user_id: int,
    device_id: int | None,
    scope: Scope,
    now: datetime,
) -> list[SessionAnswer]:
    """Record acts from a device, each once, and answer each of them in the order given.

    An act that its rule refuses is answered with `rejected` and the rule's words, is not stored, and does not affect the
    others. A time in the future counts as now. answer: makes the kind's answer of a result.
    """
    meetings = _lock(db, {act.session_id for act in acts}, scope)
    stored = {row.id: row for row in db.scalars(select(SessionEvent).where(SessionEvent.id.in_([a.id for a in acts])))}
    answers = []
    for act in acts:
        row = stored.get(act.id)
        if row is None:
            moment, believable = moment_told(act.told_at, act.offset_ms, now)
            row = SessionEvent(
                id=act.id, course_session_id=act.session_id, user_id=user_id, kind=act.kind, number=act.number,
                happened_at=moment if believable else now, received_at=now, told_at=act.told_at,
                offset_ms=act.offset_ms, device_id=device_id,
            )  # fmt: skip
            try:
                if act.session_id not in meetings:
                    raise NotFound
                result = apply(meetings[act.session_id], row)
            except DomainError as refusal:
                answers.append(
                    SessionAnswer(act.id, Outcome.REJECTED, refusal.code, refusal.message, dict(refusal.params))
                )
                continue
            stored[act.id] = _store(db, row, result)
        elif act.session_id not in meetings or not _is_same(act, row, user_id):
            answers.append(SessionAnswer(act.id, Outcome.REJECTED, "event_conflict", CONFLICT))
            continue
        first = stored[act.id].answer
        result = ActResult(Outcome(first["outcome"]), first["code"], first["facts"])
        answers.append(answer(act.id, result))
    return answers


def act_now(
    db: Session,
    meeting: CourseSession,
    kind: SessionEventKind,
    apply: Apply,
    *,
    user_id: int | None,
    now: datetime,
    number: int | None = None,
) -> None:
    """Record an act of a user on a page. Raises DomainError where its rule refuses it."""
    db.refresh(meeting, ["headcount", "closed_at"], with_for_update={"key_share": True})
    row = SessionEvent(
        id=uuid4(), course_session_id=meeting.id, user_id=user_id, kind=kind, number=number, happened_at=now,
        received_at=now,
    )  # fmt: skip
    _store(db, row, apply(meeting, row))


def of_session(db: Session, session_id: int, kinds: Collection[SessionEventKind]) -> list[SessionEvent]:
    """Read the stored acts of a session of these kinds."""
    return list(
        db.scalars(
            select(SessionEvent).where(SessionEvent.course_session_id == session_id, SessionEvent.kind.in_(kinds))
        )
    )


def _lock(db: Session, session_ids: Collection[int], scope: Scope) -> dict[int, CourseSession]:
    """Lock the sessions in the scope, in the order in which check-ins lock them, so that two batches never deadlock."""
    rows = db.scalars(
        select(CourseSession)
        .options(joinedload(CourseSession.offering))
        .where(CourseSession.id.in_(session_ids), CourseSession.visible_to(scope))
        .order_by(CourseSession.offering_id, CourseSession.id)
        .with_for_update(key_share=True, of=CourseSession)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def _store(db: Session, row: SessionEvent, result: ActResult) -> SessionEvent:
    row.answer = {"outcome": result.outcome, "code": result.code, "facts": result.facts}
    columns = ("id", "course_session_id", "user_id", "kind", "number", "happened_at", "received_at", "told_at",
               "offset_ms", "device_id", "answer")  # fmt: skip
    statement = insert(SessionEvent).values({name: getattr(row, name) for name in columns})
    # The lock on the session leaves one case: acts about two sessions that share an id, sent at the same moment.
    if not db.execute(statement.on_conflict_do_nothing().returning(SessionEvent.id)).all():
        raise DomainError("event_conflict", CONFLICT)
    return row


def _is_same(act: SessionAct, row: SessionEvent, user_id: int) -> bool:
    """Return whether an act is the one stored under its id. The offset may differ: each sending measures it again."""
    return (act.session_id, act.kind, act.number, act.told_at, user_id) == (
        row.course_session_id,
        row.kind,
        row.number,
        row.told_at,
        row.user_id,
    )
