"""The start of retests, from devices and from the page: each is stored as an event, and an attempt is started once.

A retest is asked for after an attempt that the examiner saw, so a double tap and two examiners start one: the second event
finds the attempt there. The attempt begins at the earlier of their moments, and marks made since then belong to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.assessment import locked_rows
from courses.assessment.locked_rows import AttemptKey, LockedRows
from courses.models.assessment import Assessment, RetestEvent
from courses.outcomes import Outcome
from lms.core import audit
from lms.core.errors import N_
from lms.core.scope import Scope

MESSAGES = {
    **locked_rows.MESSAGES,
    "recorded": N_("The retest is started."),
    "started_before": N_("This retest had been started already."),
    "nothing_to_retest": N_("This person has no result yet, so there is nothing to retest."),
}


@dataclass(frozen=True)
class RetestInput:
    """The start of a retest of one trainee. after: the number of the attempt that was the latest for the examiner.

    The other fields are those of `SkillInput`.
    """

    id: UUID
    session_id: int
    enrolment_id: int
    after: int
    told_at: datetime
    offset_ms: int | None = None


@dataclass(frozen=True)
class RetestAnswer:
    """The answer to one start. attempt: the number of the attempt that it started. message: an English msgid."""

    id: UUID
    outcome: Outcome
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    enrolment_id: int | None = None
    attempt: int | None = None


def record_all(
    db: Session,
    events: Sequence[RetestInput],
    *,
    user_id: int,
    device_id: int | None,
    scope: Scope,
    now: datetime,
) -> list[RetestAnswer]:
    """Start up to `BATCH_LIMIT` retests, each once, and answer each of them in the order given.

    A start that cannot be recorded is answered with `rejected` and does not affect the others.
    """
    db.flush()
    locked = LockedRows(db, events, device_id, scope, now)
    known = set(db.scalars(select(RetestEvent.id).where(RetestEvent.id.in_({event.id for event in events}))))
    latest: dict[int, int] = {}
    rows: list[dict[str, Any]] = []
    unexamined: set[UUID] = set()
    for event in events:
        if event.id in known or locked.course_of(event) is None:
            continue
        known.add(event.id)
        facts = locked.facts_of(event)
        current = latest.setdefault(event.enrolment_id, locked.latest_attempt(event.enrolment_id))
        if facts["review"] is None and not current:
            unexamined.add(event.id)
            continue
        # An event that names a later attempt than there is (an earlier start was refused) starts the next one.
        attempt = min(event.after, max(current, 1)) + 1
        if facts["review"] is None:
            latest[event.enrolment_id] = max(current, attempt)
        rows.append(facts | {"attempt": attempt, "user_id": user_id, "device_id": device_id, "received_at": now})
    if rows:
        db.execute(insert(RetestEvent).on_conflict_do_nothing(index_elements=["id"]), rows)
    _start(db, [row for row in rows if row["review"] is None], user_id, now)
    return _answers(db, events, unexamined)


def add_event(db: Session, key: AttemptKey, *, now: datetime) -> None:
    """Store the event of a retest that a user entered on the page of one trainee. The caller writes the attempt."""
    enrolment_id, attempt = key
    db.add(
        RetestEvent(
            id=uuid4(), enrolment_id=enrolment_id, attempt=attempt, happened_at=now, received_at=now,
            user_id=audit.actor(db),
        )
    )  # fmt: skip


def _start(db: Session, rows: Sequence[Mapping[str, Any]], user_id: int | None, now: datetime) -> None:
    """Make the attempts that are missing, and let an attempt begin earlier where its start was told so."""
    attempts = {
        (attempt.enrolment_id, attempt.attempt): attempt
        for attempt in db.scalars(
            select(Assessment)
            .where(Assessment.enrolment_id.in_({row["enrolment_id"] for row in rows}))
            .execution_options(populate_existing=True)
        )
    }
    for row in rows:
        enrolment_id, number = key = row["enrolment_id"], row["attempt"]
        moment = max(
            row["happened_at"], attempts[enrolment_id, number - 1].started_at if number > 2 else row["happened_at"]
        )
        existing = attempts.get(key)
        if existing is not None:
            existing.started_at = min(existing.started_at, moment)
            continue
        attempts[key] = Assessment(
            enrolment_id=enrolment_id, attempt=number, examiner_id=locked_rows.sender(user_id), started_at=moment,
            assessed_at=now,
        )  # fmt: skip
        db.add(attempts[key])
        audit.record(db, "assessment.retest", f"enrolment:{enrolment_id}", after={"attempt": number})
    db.flush()


def _answers(db: Session, events: Sequence[RetestInput], unexamined: set[UUID]) -> list[RetestAnswer]:
    """Answer each event as the first time: the first event of an attempt that was received has started it."""
    stored = {
        row.id: row for row in db.scalars(select(RetestEvent).where(RetestEvent.id.in_({event.id for event in events})))
    }
    number = func.row_number().over(
        partition_by=(RetestEvent.enrolment_id, RetestEvent.attempt),
        order_by=(RetestEvent.received_at, RetestEvent.happened_at, RetestEvent.id),
    )
    ordered = (
        select(RetestEvent.id, number.label("place"))
        .where(
            RetestEvent.enrolment_id.in_({row.enrolment_id for row in stored.values()}), RetestEvent.review.is_(None)
        )
        .subquery()
    )
    starters = set(db.scalars(select(ordered.c.id).where(ordered.c.place == 1)))
    return [_answer(event, stored.get(event.id), starters, unexamined) for event in events]


def _answer(event: RetestInput, row: RetestEvent | None, starters: set[UUID], unexamined: set[UUID]) -> RetestAnswer:
    if row is None:
        code = "nothing_to_retest" if event.id in unexamined else "not_found"
        return RetestAnswer(event.id, Outcome.REJECTED, code, MESSAGES[code])
    if (event.session_id, event.enrolment_id) != (
        row.course_session_id,
        row.enrolment_id,
    ) or event.after < row.attempt - 1:
        return RetestAnswer(event.id, Outcome.REJECTED, "event_conflict", MESSAGES["event_conflict"])
    key = row.enrolment_id, row.attempt
    if row.review is not None:
        return RetestAnswer(event.id, Outcome.REVIEW, str(row.review), MESSAGES[row.review], {}, *key)
    if row.id in starters:
        return RetestAnswer(event.id, Outcome.ACCEPTED, "recorded", MESSAGES["recorded"], {}, *key)
    return RetestAnswer(event.id, Outcome.ALREADY, "started_before", MESSAGES["started_before"], {}, *key)
