"""The one door of check-in: whatever tapped, scanned, sent or corrected, `record` and `record_all` write it.

An event's id is made where it happened, so that sending it again is harmless. Events are kept for ever; the attendance
is what they fold to (`courses.attendance.folding`), and exists while the person counts as present. A person who taps is
told at once what is wrong. A device that sends what it kept is never turned away: what is in doubt is stored for review, and
counts for nothing until somebody decides (`courses.closing.reviews`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Select, Table, Text, Uuid, and_, bindparam, column, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from courses.attendance import stored_events
from courses.attendance.check_ins import MESSAGES, AttendanceInput, Recorded, WalkIn, fault, tidied
from courses.attendance.deciding import Book, Desk, Whose, facts_of, opens_at, refuse_unless_running
from courses.attendance.folding import Presence, fold
from courses.attendance.stored_events import OPENS_BEFORE, Pair
from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.walk_ins import WalkInPerson
from courses.outcomes import REASON_LIMIT, Outcome
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.line import Prepared, as_json, send
from lms.core.scope import EVERYTHING, Scope

__all__ = [
    "BATCH_LIMIT",
    "OPENS_BEFORE",
    "REASON_LIMIT",
    "AttendanceInput",
    "Outcome",
    "Recorded",
    "WalkIn",
    "opens_at",
    "record",
    "record_all",
    "refold",
    "refuse_unless_running",
]

BATCH_LIMIT = 100

_ATTENDANCES = cast("Table", Attendance.__table__)


def record(db: Session, event: AttendanceInput, *, now: datetime) -> Recorded:
    """Record one event of the person whose unit of work this is, once; whoever made it is there to be told.

    The same id again answers as before and changes nothing; with another body it is refused (`event_conflict`). Refused
    too: before check-in opens, a session that is closed (unless corrected), an offering that is not running, a trainee
    without a place, leaving without having come. Raises DomainError.
    """
    (answer,) = _take(db, [event], user_id=audit.actor(db), device_id=None, scope=EVERYTHING, now=now, strict=True)
    if answer.outcome == Outcome.REJECTED:
        if answer.code == "not_found":
            raise NotFound
        named = "reason" if answer.code == "reason_missing" else None
        raise DomainError(answer.code, answer.message, status=answer.status, field=named)
    return answer


def record_all(
    db: Session,
    events: Sequence[AttendanceInput],
    *,
    user_id: int | None,
    device_id: int | None = None,
    scope: Scope = EVERYTHING,
    now: datetime,
) -> list[Recorded]:
    """Record what was kept somewhere, up to 100 events in three statements, and answer each in the order given.

    One bad event spoils nothing: it is answered with `rejected`, and so is one of a session that is not within the
    sender's reach, exactly like one of a session that does not exist.
    """
    return _take(db, events, user_id=user_id, device_id=device_id, scope=scope, now=now, strict=False)


def refold(db: Session, pairs: Collection[Pair], *, reason: str | None, now: datetime) -> dict[Pair, Presence | None]:
    """Fold again what was decided about (session and enrolment); the decisions are stored. Each change is audited."""
    sessions, enrolments = {session for session, _ in pairs}, {enrolment for _, enrolment in pairs}
    db.flush()
    _, known = stored_events.hold(db, sessions, enrolments)
    book = Book(known)
    there = {
        (row.course_session_id, row.enrolment_id): Presence(row.event_id, row.arrived_at, row.left_at)
        for row in db.execute(
            select(_ATTENDANCES).where(
                _ATTENDANCES.c.course_session_id.in_(sessions), _ATTENDANCES.c.enrolment_id.in_(enrolments)
            )
        )
    }
    found = {pair: fold(book.events[pair]) for pair in pairs}
    changed = {pair: presence for pair, presence in found.items() if presence != there.get(pair)}
    if changed:
        _write(db, [], changed, user_id=audit.actor(db), device_id=None, now=now)
    for (session_id, enrolment_id), presence in changed.items():
        before = there.get((session_id, enrolment_id))
        audit.record(
            db,
            "attendance.review",
            f"enrolment:{enrolment_id}",
            before=facts_of(session_id, before) if before is not None else None,
            after=facts_of(session_id, presence) if presence is not None else None,
            reason=reason,
        )
    return found


def _take(
    db: Session,
    events: Sequence[AttendanceInput],
    *,
    user_id: int | None,
    device_id: int | None,
    scope: Scope,
    now: datetime,
    strict: bool,
) -> list[Recorded]:
    db.flush()
    events = [tidied(event) for event in events]
    faults = [fault(event) for event in events]
    sound = [event for event, wrong in zip(events, faults, strict=True) if wrong is None]
    sessions = {event.session_id for event in sound}
    whose = _whose(db, sound, sessions)
    enrolments = {found for event in sound if (found := whose.enrolment_of(event)) is not None}
    held, known = stored_events.hold(db, sessions, enrolments, scope, events=[event.id for event in sound])
    desk = Desk(held, Book(known), whose, now=now, strict=strict)
    answers = [desk.answer(event, wrong) for event, wrong in zip(events, faults, strict=True)]
    if desk.rows:
        _welcome(db, desk.taken, device_id, now)
        stored = _write(db, desk.rows, desk.changed, user_id=user_id, device_id=device_id, now=now)
        # The locks keep one id from being stored twice at once, unless two people share it or it is nobody's yet.
        if any(row["id"] not in stored and row["review"] is None for row in desk.rows):
            raise DomainError("event_conflict", MESSAGES["event_conflict"])
    return answers


def _whose(db: Session, events: Sequence[AttendanceInput], sessions: Collection[int]) -> Whose:
    tickets = {event.ticket for event in events if event.ticket is not None}
    walk_ins = {event.walk_in.id for event in events if event.walk_in is not None}
    return Whose(
        stored_events.owners_of(db, tickets, sessions) if tickets else {},
        stored_events.guests(db, walk_ins) if walk_ins else {},
    )


def _welcome(db: Session, events: Sequence[AttendanceInput], device_id: int | None, now: datetime) -> None:
    """Note the walk-ins of new events; who is known already stays as they are."""
    rows = {}
    for event in events:
        if event.walk_in is not None and event.walk_in.id not in rows:
            person = WalkInPerson(id=event.walk_in.id)
            person.phone = event.walk_in.phone
            rows[event.walk_in.id] = {
                "id": event.walk_in.id,
                "course_session_id": event.session_id,
                "name": event.walk_in.name,
                "phone_sealed": person.phone_sealed,
                "device_id": device_id,
                "made_at": now,
            }
    if rows:
        db.execute(insert(WalkInPerson).on_conflict_do_nothing(index_elements=["id"]).values(list(rows.values())))


def _record_of(name: str, columns: Mapping[str, Any]) -> Any:
    """A JSON parameter as rows: one value for a whole batch, so that the statement is the same for one event and for 100."""
    rows = (
        func.jsonb_to_recordset(bindparam(name, type_=JSONB))
        .table_valued(*(column(column_name, kind) for column_name, kind in columns.items()))
        .render_derived(name=f"{name}_row", with_types=True)
    )
    return select(*rows.c).cte(name)  # drawn on twice, read once


def _writing() -> Select[Any]:
    moment = DateTime(timezone=True)
    sent = _record_of(
        "sent",
        {
            "id": Uuid(), "course_session_id": BigInteger(), "enrolment_id": BigInteger(), "kind": Text(),
            "method": Text(), "happened_at": moment, "reason": Text(), "told_at": moment, "offset_ms": BigInteger(),
            "undoes": Uuid(), "ticket": Text(), "walk_in_id": Uuid(), "review": Text(), "answer": JSONB(),
            "action": Text(), "subject": Text(), "before": JSONB(), "after": JSONB(),
        },
    )  # fmt: skip
    now, user, device = (
        bindparam("now", type_=moment),
        bindparam("user", type_=BigInteger()),
        bindparam("device", type_=BigInteger()),
    )
    own = (
        "id", "course_session_id", "enrolment_id", "kind", "method", "happened_at", "reason", "told_at", "offset_ms",
        "undoes", "ticket", "walk_in_id", "review", "answer",
    )  # fmt: skip
    stored = (
        insert(AttendanceEvent)
        .from_select(
            [*own, "received_at", "user_id", "device_id"],
            select(*(sent.c[name] for name in own), now, user, device),
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(AttendanceEvent.id)
        .cte("stored")
    )
    pairs = _record_of(
        "pairs",
        {
            "course_session_id": BigInteger(), "enrolment_id": BigInteger(), "event_id": Uuid(),
            "arrived_at": moment, "left_at": moment,
        },
    )  # fmt: skip
    there = insert(Attendance).from_select(
        ["course_session_id", "enrolment_id", "event_id", "arrived_at", "left_at"],
        select(*pairs.c).where(pairs.c.event_id.is_not(None)),
    )
    there = there.on_conflict_do_update(
        index_elements=["course_session_id", "enrolment_id"],
        set_={name: there.excluded[name] for name in ("event_id", "arrived_at", "left_at")},
    )
    gone = delete(Attendance).where(
        and_(
            _ATTENDANCES.c.course_session_id == pairs.c.course_session_id,
            _ATTENDANCES.c.enrolment_id == pairs.c.enrolment_id,
            pairs.c.event_id.is_(None),
        )
    )
    noted = insert(AuditEntry).from_select(
        ["at", "user_id", "action", "subject", "before", "after", "reason"],
        select(
            now, user, sent.c.action, sent.c.subject, sent.c.before, sent.c.after, sent.c.reason
        ).where(sent.c.action.is_not(None)),
    )  # fmt: skip
    return select(stored.c.id).add_cte(there.cte("there"), gone.cte("gone"), noted.cte("noted"))


_WRITE = Prepared(_writing(), "sent", "pairs", "now", "user", "device")


def _write(
    db: Session,
    rows: Sequence[Mapping[str, Any]],
    changed: Mapping[Pair, Presence | None],
    *,
    user_id: int | None,
    device_id: int | None,
    now: datetime,
) -> set[UUID]:
    """One statement: keep the events, make or remove the attendances, leave the audit entries. Gives the ids kept."""
    pairs = [
        {
            "course_session_id": session_id,
            "enrolment_id": enrolment_id,
            "event_id": presence.event_id if presence is not None else None,
            "arrived_at": presence.arrived_at if presence is not None else None,
            "left_at": presence.left_at if presence is not None else None,
        }
        for (session_id, enrolment_id), presence in changed.items()
    ]
    written = {"sent": as_json(rows), "pairs": as_json(pairs), "now": now, "user": user_id, "device": device_id}
    (found,) = send(db, (_WRITE, written))
    return {identity for (identity,) in found}
