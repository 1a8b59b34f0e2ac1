"""Theory marks from devices and from the page: each is stored as an event, and an attempt's score is what its events fold to.

Of the marks of one attempt the last by its moment counts (`latest_marks`).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.assessment import latest_marks, locked_rows
from courses.assessment.latest_marks import Mark
from courses.assessment.locked_rows import AttemptKey, LockedRows
from courses.models.assessment import Assessment, TheoryEvent
from courses.outcomes import Outcome
from lms.accounts.models import User
from lms.core import audit
from lms.core.errors import N_
from lms.core.scope import Scope

MESSAGES = {
    **locked_rows.MESSAGES,
    "recorded": N_("The result is entered."),
    "superseded": N_("%(by)s entered a later theory score. The later score counts; this one is stored for reference."),
}


@dataclass(frozen=True)
class TheoryInput:
    """A theory score of one trainee, as a device sends it: 0 to 100, or None, which takes the score back.

    The other fields are those of `SkillInput`.
    """

    id: UUID
    session_id: int
    enrolment_id: int
    score: int | None
    told_at: datetime
    offset_ms: int | None = None


@dataclass(frozen=True)
class TheoryAnswer:
    """The answer to one mark. attempt: to which it belongs. score: what counts now. message: an English msgid."""

    id: UUID
    outcome: Outcome
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    enrolment_id: int | None = None
    attempt: int | None = None
    score: int | None = None


def record_all(
    db: Session,
    events: Sequence[TheoryInput],
    *,
    user_id: int,
    device_id: int | None,
    scope: Scope,
    now: datetime,
) -> list[TheoryAnswer]:
    """Record up to `BATCH_LIMIT` marks from a device, each once, and answer each of them in the order given.

    A mark that cannot be recorded is answered with `rejected` and does not affect the others.
    """
    db.flush()
    locked = LockedRows(db, events, device_id, scope, now)
    rows = [
        locked.facts_of(event) | {"score": event.score, "user_id": user_id, "device_id": device_id, "received_at": now}
        for event in {event.id: event for event in reversed(events)}.values()
        if locked.course_of(event) is not None
    ]
    statement = insert(TheoryEvent).on_conflict_do_nothing(index_elements=["id"]).returning(TheoryEvent.id)
    new = set(db.scalars(statement, rows)) if rows else set()
    refold(db, {row["enrolment_id"] for row in rows if row["id"] in new and row["review"] is None}, user_id, now)
    return _answers(db, events)


def add_event(db: Session, key: AttemptKey, score: int | None, *, now: datetime) -> None:
    """Store the event of a score that a user changed on the page. The caller writes the attempt."""
    enrolment_id, attempt = key
    db.add(
        TheoryEvent(
            id=uuid4(), enrolment_id=enrolment_id, attempt=attempt, score=score, happened_at=now, received_at=now,
            user_id=audit.actor(db),
        )
    )  # fmt: skip


def refold(db: Session, enrolment_ids: Collection[int], user_id: int | None, now: datetime) -> None:
    """Fold the events of these enrolments again, and write and audit the scores that differ."""
    if not enrolment_ids:
        return
    marks = latest_marks.fold(
        Mark(row.id, (row.enrolment_id, row.attempt), row.score, row.happened_at)
        for row in db.execute(
            select(
                TheoryEvent.id,
                TheoryEvent.enrolment_id,
                TheoryEvent.attempt,
                TheoryEvent.score,
                TheoryEvent.happened_at,
            ).where(TheoryEvent.enrolment_id.in_(enrolment_ids), TheoryEvent.review.is_(None))
        )
    )
    attempt_ids = locked_rows.attempt_ids(db, enrolment_ids, user_id, now)
    stored = {
        assessment_id: score
        for assessment_id, score in db.execute(
            select(Assessment.id, Assessment.theory_score).where(Assessment.enrolment_id.in_(enrolment_ids))
        )
    }
    changed = [
        {"id": attempt_ids[key], "theory_score": mark.value}
        for key, mark in sorted(marks.items())
        if stored[attempt_ids[key]] != mark.value
    ]
    if changed:
        db.execute(update(Assessment), changed)
    for key, mark in sorted(marks.items()):
        if (before := stored[attempt_ids[key]]) != mark.value:
            audit.record(
                db,
                "assessment.theory",
                f"enrolment:{key[0]}",
                before={"theory_score": before} if before is not None else None,
                after={"theory_score": mark.value, "attempt": key[1]},
            )
    db.execute(
        update(Assessment)
        .where(Assessment.id.in_([attempt_ids[key] for key in marks]))
        .values(assessed_at=now)
        .execution_options(synchronize_session=False)
    )
    db.flush()


def _answers(db: Session, events: Sequence[TheoryInput]) -> list[TheoryAnswer]:
    """Answer each event as the first time: only events that had been received by then are compared."""
    stored = {
        row.id: row for row in db.scalars(select(TheoryEvent).where(TheoryEvent.id.in_({event.id for event in events})))
    }
    rivals: dict[AttemptKey, list[Any]] = defaultdict(list)
    for row in db.execute(
        select(TheoryEvent, User.name)
        .outerjoin(User, User.id == TheoryEvent.user_id)
        .where(
            TheoryEvent.enrolment_id.in_({row.enrolment_id for row in stored.values()}), TheoryEvent.review.is_(None)
        )
    ):
        rivals[row.TheoryEvent.enrolment_id, row.TheoryEvent.attempt].append(row)
    return [_answer(event, stored.get(event.id), rivals) for event in events]


def _answer(event: TheoryInput, row: TheoryEvent | None, rivals: Mapping[AttemptKey, Sequence[Any]]) -> TheoryAnswer:
    if row is None:
        return TheoryAnswer(event.id, Outcome.REJECTED, "not_found", MESSAGES["not_found"])
    if (event.session_id, event.enrolment_id, event.score) != (row.course_session_id, row.enrolment_id, row.score):
        return TheoryAnswer(event.id, Outcome.REJECTED, "event_conflict", MESSAGES["event_conflict"])
    key = row.enrolment_id, row.attempt
    if row.review is not None:
        return TheoryAnswer(event.id, Outcome.REVIEW, str(row.review), MESSAGES[row.review], {}, *key)
    best = latest_marks.counting_at(row.received_at, rivals[key])
    if best.TheoryEvent.id == row.id:
        return TheoryAnswer(event.id, Outcome.ACCEPTED, "recorded", MESSAGES["recorded"], {}, *key, row.score)
    by = {"by": best.name or "—"}
    return TheoryAnswer(
        event.id, Outcome.ALREADY, "superseded", MESSAGES["superseded"], by, *key, best.TheoryEvent.score
    )
