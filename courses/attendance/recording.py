"""The recording of check-ins: `record` and `record_all` are the only code that writes attendances and their events.

A tap, a scan, a device's batch, a paper sheet, self check-in and a correction all end here. In three statements each call
(1) locks the sessions and enrolments and (2) reads their events (`stored_events`), lets the `Judge` decide (`deciding`),
and (3) writes events, attendances and audit entries.

Events are kept for ever; the attendance is what they fold to (`folding`), and its row exists while the person counts as
present. An event's id is made where it happened, so a retry changes nothing. `record` refuses what cannot count, because
its caller shows the answer to the user who tapped. `record_all` stores an event in doubt for review instead, because a
device cannot ask its user again; such an event counts once a person accepts it (`courses.closing.reviews`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Select, Table, Text, Uuid, and_, bindparam, column, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from courses.attendance import stored_events
from courses.attendance.check_ins import MESSAGES, AttendanceInput, CheckInAnswer, cleaned, fault_of
from courses.attendance.deciding import IdentityLookup, Judge, KnownEvents, audit_facts
from courses.attendance.folding import Presence, fold
from courses.attendance.stored_events import AttendanceKey
from courses.models.attendance import Attendance, AttendanceEvent
from courses.models.walk_ins import WalkInPerson
from courses.outcomes import Outcome
from lms.core import audit
from lms.core.audit import AuditEntry
from lms.core.errors import DomainError, NotFound
from lms.core.pipeline import PreparedStatement, send
from lms.core.scope import EVERYTHING, Scope

_ATTENDANCES = cast("Table", Attendance.__table__)


def record(db: Session, event: AttendanceInput, *, now: datetime) -> CheckInAnswer:
    """Record one event that the acting user (`audit.actor`) made, and answer it.

    An id that is stored gets its first answer again and changes nothing. Raises NotFound for an unknown session or
    enrolment, and DomainError for: an id that another event has (`event_conflict`), a time before check-in opens, a closed
    session (corrections excepted), a training that is not running, a trainee without a place, and leaving without arrival.
    """
    (answer,) = _record(db, [event], user_id=audit.actor(db), device_id=None, scope=EVERYTHING, now=now, strict=True)
    if answer.outcome == Outcome.REJECTED:
        if answer.code == "not_found":
            raise NotFound
        field = "reason" if answer.code == "reason_missing" else None
        raise DomainError(answer.code, answer.message, status=answer.status, field=field)
    return answer


def record_all(
    db: Session,
    events: Sequence[AttendanceInput],
    *,
    user_id: int | None,
    device_id: int | None = None,
    scope: Scope = EVERYTHING,
    now: datetime,
) -> list[CheckInAnswer]:
    """Record up to `BATCH_LIMIT` events in three statements, and answer each of them in the order given.

    An event that cannot be recorded is answered with `rejected` and does not affect the others. The answer for a session
    outside the sender's scope equals that for a session which does not exist.
    """
    return _record(db, events, user_id=user_id, device_id=device_id, scope=scope, now=now, strict=False)


def refold(
    db: Session, keys: Collection[AttendanceKey], *, reason: str | None, now: datetime
) -> dict[AttendanceKey, Presence | None]:
    """Fold the events of these attendances again, after decisions in review were stored, and write what differs.

    Each change is audited with the reason. Returns every attendance as it is now; None where there is none.
    """
    sessions, enrolments = {session_id for session_id, _ in keys}, {enrolment_id for _, enrolment_id in keys}
    db.flush()
    _, stored = stored_events.lock_and_read(db, sessions, enrolments)
    known = KnownEvents(stored)
    current = {
        (row.course_session_id, row.enrolment_id): Presence(row.event_id, row.arrived_at, row.left_at)
        for row in db.execute(
            select(_ATTENDANCES).where(
                _ATTENDANCES.c.course_session_id.in_(sessions), _ATTENDANCES.c.enrolment_id.in_(enrolments)
            )
        )
    }
    refolded = {key: fold(known.by_key[key]) for key in keys}
    changed = {key: presence for key, presence in refolded.items() if presence != current.get(key)}
    if changed:
        _write(db, [], changed, user_id=audit.actor(db), device_id=None, now=now)
    for (session_id, enrolment_id), presence in changed.items():
        before = current.get((session_id, enrolment_id))
        audit.record(
            db,
            "attendance.review",
            f"enrolment:{enrolment_id}",
            before=audit_facts(session_id, before) if before is not None else None,
            after=audit_facts(session_id, presence) if presence is not None else None,
            reason=reason,
        )
    return refolded


def _record(
    db: Session,
    events: Sequence[AttendanceInput],
    *,
    user_id: int | None,
    device_id: int | None,
    scope: Scope,
    now: datetime,
    strict: bool,
) -> list[CheckInAnswer]:
    db.flush()
    events = [cleaned(event) for event in events]
    faults = [fault_of(event) for event in events]
    valid = [event for event, fault in zip(events, faults, strict=True) if fault is None]
    sessions = {event.session_id for event in valid}
    identities = _identities(db, valid, sessions)
    enrolments = {enrolment_id for event in valid if (enrolment_id := identities.enrolment_of(event)) is not None}
    locked, stored = stored_events.lock_and_read(db, sessions, enrolments, scope, events=[event.id for event in valid])
    judge = Judge(locked, KnownEvents(stored), identities, now=now, strict=strict)
    answers = [judge.answer(event, fault) for event, fault in zip(events, faults, strict=True)]
    if judge.rows:
        _insert_walk_ins(db, judge.new_events, device_id, now)
        inserted = _write(db, judge.rows, judge.changed, user_id=user_id, device_id=device_id, now=now)
        # The locks on the enrolment keep an id from being stored twice at once. Two cases remain: two people's events
        # share one id, which is refused here, and an event without an enrolment, whose second copy is the same event.
        if any(row["id"] not in inserted and row["review"] is None for row in judge.rows):
            raise DomainError("event_conflict", MESSAGES["event_conflict"])
    return answers


def _identities(db: Session, events: Sequence[AttendanceInput], sessions: Collection[int]) -> IdentityLookup:
    """Read the enrolments of tickets and walk-ins; without any there is no statement."""
    tickets = {event.ticket for event in events if event.ticket is not None}
    walk_ins = {event.walk_in.id for event in events if event.walk_in is not None}
    return IdentityLookup(
        stored_events.enrolments_of_tickets(db, tickets, sessions) if tickets else {},
        stored_events.known_walk_ins(db, walk_ins) if walk_ins else {},
    )


def _insert_walk_ins(db: Session, events: Sequence[AttendanceInput], device_id: int | None, now: datetime) -> None:
    """Store the walk-ins of new events; a walk-in that is stored stays unchanged."""
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


def _rows_of_json(name: str, columns: Mapping[str, Any]) -> Any:
    """A JSON parameter as a CTE of rows, so that one prepared statement serves one event and 100."""
    rows = (
        func.jsonb_to_recordset(bindparam(name, type_=JSONB))
        .table_valued(*(column(column_name, kind) for column_name, kind in columns.items()))
        .render_derived(name=f"{name}_row", with_types=True)
    )
    return select(*rows.c).cte(name)  # a CTE, so that PostgreSQL parses the JSON once for the two parts that read it


def _write_statement() -> Select[Any]:
    """The one statement that writes: events, attendances and audit entries, each part a CTE. Returns the new events' ids."""
    moment = DateTime(timezone=True)
    sent = _rows_of_json(
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
    event_columns = (
        "id", "course_session_id", "enrolment_id", "kind", "method", "happened_at", "reason", "told_at", "offset_ms",
        "undoes", "ticket", "walk_in_id", "review", "answer",
    )  # fmt: skip
    stored = (
        insert(AttendanceEvent)
        .from_select(
            [*event_columns, "received_at", "user_id", "device_id"],
            select(*(sent.c[name] for name in event_columns), now, user, device),
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(AttendanceEvent.id)
        .cte("stored")
    )
    changed = _rows_of_json(
        "changed",
        {
            "course_session_id": BigInteger(), "enrolment_id": BigInteger(), "event_id": Uuid(),
            "arrived_at": moment, "left_at": moment,
        },
    )  # fmt: skip
    present = insert(Attendance).from_select(
        ["course_session_id", "enrolment_id", "event_id", "arrived_at", "left_at"],
        select(*changed.c).where(changed.c.event_id.is_not(None)),
    )
    present = present.on_conflict_do_update(
        index_elements=["course_session_id", "enrolment_id"],
        set_={name: present.excluded[name] for name in ("event_id", "arrived_at", "left_at")},
    )
    absent = delete(Attendance).where(
        and_(
            _ATTENDANCES.c.course_session_id == changed.c.course_session_id,
            _ATTENDANCES.c.enrolment_id == changed.c.enrolment_id,
            changed.c.event_id.is_(None),
        )
    )
    audited = insert(AuditEntry).from_select(
        ["at", "user_id", "action", "subject", "before", "after", "reason"],
        select(
            now, user, sent.c.action, sent.c.subject, sent.c.before, sent.c.after, sent.c.reason
        ).where(sent.c.action.is_not(None)),
    )  # fmt: skip
    return select(stored.c.id).add_cte(present.cte("present"), absent.cte("absent"), audited.cte("audited"))


# It has no `index_plan`: it reads one table, `attendance` by its key, for which PostgreSQL takes an index as soon as
# there are more than a few pages (EXPLAIN (GENERIC_PLAN) with 20,000 rows), and its generic plan is as cheap as any.
_WRITE = PreparedStatement(_write_statement(), "sent", "changed", "now", "user", "device")


def _write(
    db: Session,
    rows: Sequence[Mapping[str, Any]],
    changed: Mapping[AttendanceKey, Presence | None],
    *,
    user_id: int | None,
    device_id: int | None,
    now: datetime,
) -> set[UUID]:
    """Run the write statement: insert the events, upsert or delete the attendances, insert the audit entries.

    Returns the ids of the events that were inserted; those of stored events are left out.
    """
    attendances = [
        {
            "course_session_id": session_id,
            "enrolment_id": enrolment_id,
            "event_id": presence.event_id if presence is not None else None,
            "arrived_at": presence.arrived_at if presence is not None else None,
            "left_at": presence.left_at if presence is not None else None,
        }
        for (session_id, enrolment_id), presence in changed.items()
    ]
    parameters = {
        "sent": rows,
        "changed": attendances,
        "now": now,
        "user": user_id,
        "device": device_id,
    }
    (inserted,) = send(db, (_WRITE, parameters))
    return {event_id for (event_id,) in inserted}
