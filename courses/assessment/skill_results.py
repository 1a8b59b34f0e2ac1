"""Skill results from devices and from the page: each is stored as an event, and a skill's result is what its events fold to.

Of the events of one skill in one attempt the last by its moment counts (`latest_marks`). An event that arrives after the
training was closed has no effect until a user who may correct saves it (`courses.closing.correction`).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.assessment import latest_marks, locked_rows
from courses.assessment.latest_marks import Mark
from courses.assessment.locked_rows import LockedRows
from courses.models.assessment import Assessment, SkillEvent, SkillResult
from courses.models.catalogue import CourseSkill
from courses.models.enrolment import Enrolment
from courses.outcomes import Outcome
from lms.accounts.models import User
from lms.core import audit
from lms.core.db import LARGEST_ID
from lms.core.errors import N_
from lms.core.scope import Scope

MESSAGES = {
    **locked_rows.MESSAGES,
    "recorded": N_("The result is entered."),
    "superseded": N_(
        "%(by)s entered a later result for this skill. The later result counts; this one is stored for reference."
    ),
}

# Enrolment id, skill id, number of the attempt.
SkillKey = tuple[int, int, int]


@dataclass(frozen=True)
class SkillInput:
    """A result of one skill of one trainee, as a device sends it.

    id: made once, by the device, and sent again with each retry. told_at: the time by the device's clock.
    passed: None takes the result back.
    offset_ms: the server's clock minus the device's, in milliseconds.
    """

    id: UUID
    session_id: int
    enrolment_id: int
    skill_id: int
    passed: bool | None
    told_at: datetime
    offset_ms: int | None = None


@dataclass(frozen=True)
class SkillAnswer:
    """The answer to one result. passed: what counts now. message: an English msgid, to be filled with `params`."""

    id: UUID
    outcome: Outcome
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    enrolment_id: int | None = None
    skill_id: int | None = None
    passed: bool | None = None


def record_all(
    db: Session,
    events: Sequence[SkillInput],
    *,
    user_id: int,
    device_id: int | None,
    scope: Scope,
    now: datetime,
) -> list[SkillAnswer]:
    """Record up to `BATCH_LIMIT` results from a device, each once, and answer each of them in the order given.

    A result that cannot be recorded is answered with `rejected` and does not affect the others.
    """
    db.flush()
    locked, courses = LockedRows(db, events, device_id, scope, now), _skill_courses(db, events)
    rows = [
        locked.facts_of(event)
        | {"skill_id": event.skill_id, "passed": event.passed}
        | {"user_id": user_id, "device_id": device_id, "received_at": now}
        for event in {event.id: event for event in reversed(events)}.values()
        if (course_id := locked.course_of(event)) is not None and courses.get(event.skill_id) == course_id
    ]
    statement = insert(SkillEvent).on_conflict_do_nothing(index_elements=["id"]).returning(SkillEvent.id)
    new = set(db.scalars(statement, rows)) if rows else set()
    counting = {(row["enrolment_id"], row["skill_id"]) for row in rows if row["id"] in new and row["review"] is None}
    refold(db, counting, user_id, now)
    return _answers(db, events)


def add_events(db: Session, rows: Sequence[tuple[UUID, SkillKey, bool | None]], *, now: datetime) -> None:
    """Store an event for each skill that a user changed on the page. The caller writes the attempt and its results."""
    for event_id, (enrolment_id, skill_id, attempt), passed in rows:
        db.add(
            SkillEvent(
                id=event_id, enrolment_id=enrolment_id, skill_id=skill_id, attempt=attempt, passed=passed,
                happened_at=now, received_at=now, user_id=audit.actor(db),
            )
        )  # fmt: skip
    db.flush()


def refold(db: Session, pairs: Collection[tuple[int, int]], user_id: int | None, now: datetime) -> None:
    """Fold the events of these pairs (enrolment id, skill id) again, and write and audit the results that differ."""
    if not pairs:
        return
    marks = latest_marks.fold(_marks(db, pairs))
    attempt_ids = locked_rows.attempt_ids(db, {key[0] for key in marks}, user_id, now)
    current = {
        (row.enrolment_id, row.skill_id, row.attempt): row.passed
        for row in db.execute(
            select(Assessment.enrolment_id, SkillResult.skill_id, Assessment.attempt, SkillResult.passed)
            .join(SkillResult, SkillResult.assessment_id == Assessment.id)
            .where(tuple_(Assessment.enrolment_id, SkillResult.skill_id).in_(list(pairs)))
        )
    }
    changed: dict[int, dict[int, bool | None]] = defaultdict(dict)
    for key, mark in sorted(marks.items(), key=lambda item: item[0]):
        if current.get(key) == mark.value:
            continue
        enrolment_id, skill_id, attempt = key
        changed[attempt_ids[enrolment_id, attempt]][skill_id] = mark.value
        audit.record(
            db,
            "assessment.skill",
            f"enrolment:{enrolment_id}",
            before={"skill": skill_id, "passed": current[key]} if key in current else None,
            after={"skill": skill_id, "passed": mark.value, "attempt": attempt},
        )
    for assessment_id, skills in changed.items():
        write_results(db, assessment_id, skills)
    db.execute(
        update(Assessment)
        .where(Assessment.id.in_([attempt_ids[key[0], key[2]] for key in marks]))
        .values(assessed_at=now)
        .execution_options(synchronize_session=False)
    )
    db.flush()


def write_results(db: Session, assessment_id: int, skills: Mapping[int, bool | None]) -> None:
    """Write the results of some skills of one attempt; None deletes a skill's result."""
    deleted = [skill_id for skill_id, passed in skills.items() if passed is None]
    rows = [
        {"assessment_id": assessment_id, "skill_id": skill_id, "passed": passed}
        for skill_id, passed in skills.items()
        if passed is not None
    ]
    if deleted:
        db.execute(
            delete(SkillResult)
            .where(SkillResult.assessment_id == assessment_id, SkillResult.skill_id.in_(deleted))
            .execution_options(synchronize_session=False)
        )
    if rows:
        statement = insert(SkillResult).values(rows)
        db.execute(
            statement.on_conflict_do_update(
                index_elements=["assessment_id", "skill_id"], set_={"passed": statement.excluded.passed}
            )
        )


def skill_states(db: Session, offering_id: int) -> dict[int, dict[int, bool]]:
    """Read the results of an offering: enrolment id to skill id to passed in any attempt; unexamined skills are left out."""
    states: dict[int, dict[int, bool]] = defaultdict(dict)
    rows = db.execute(
        select(Assessment.enrolment_id, SkillResult.skill_id, func.bool_or(SkillResult.passed))
        .join(SkillResult, SkillResult.assessment_id == Assessment.id)
        .join(Enrolment, Enrolment.id == Assessment.enrolment_id)
        .where(Enrolment.offering_id == offering_id)
        .group_by(Assessment.enrolment_id, SkillResult.skill_id)
    )
    for enrolment_id, skill_id, passed in rows:
        states[enrolment_id][skill_id] = passed
    return dict(states)


def _skill_courses(db: Session, events: Sequence[SkillInput]) -> dict[int, int]:
    """Read the course's id of each skill that exists."""
    skill_ids = {event.skill_id for event in events if 0 < event.skill_id <= LARGEST_ID}
    rows = db.execute(select(CourseSkill.id, CourseSkill.course_id).where(CourseSkill.id.in_(skill_ids)))
    return {skill_id: course_id for skill_id, course_id in rows}


def _marks(db: Session, pairs: Collection[tuple[int, int]]) -> list[Mark[SkillKey, bool]]:
    rows = db.execute(
        select(
            SkillEvent.id, SkillEvent.enrolment_id, SkillEvent.skill_id, SkillEvent.attempt, SkillEvent.passed,
            SkillEvent.happened_at,
        ).where(
            tuple_(SkillEvent.enrolment_id, SkillEvent.skill_id).in_(list(pairs)), SkillEvent.review.is_(None)
        )
    )  # fmt: skip
    return [Mark(row.id, (row.enrolment_id, row.skill_id, row.attempt), row.passed, row.happened_at) for row in rows]


def _answers(db: Session, events: Sequence[SkillInput]) -> list[SkillAnswer]:
    """Answer each event as the first time: only events that had been received by then are compared."""
    stored = {
        row.id: row for row in db.scalars(select(SkillEvent).where(SkillEvent.id.in_({event.id for event in events})))
    }
    pairs = {(row.enrolment_id, row.skill_id) for row in stored.values()}
    rivals: dict[SkillKey, list[Any]] = defaultdict(list)
    for row in db.execute(
        select(SkillEvent, User.name)
        .outerjoin(User, User.id == SkillEvent.user_id)
        .where(tuple_(SkillEvent.enrolment_id, SkillEvent.skill_id).in_(list(pairs)), SkillEvent.review.is_(None))
    ):
        rivals[row.SkillEvent.enrolment_id, row.SkillEvent.skill_id, row.SkillEvent.attempt].append(row)
    return [_answer(event, stored.get(event.id), rivals) for event in events]


def _answer(event: SkillInput, row: SkillEvent | None, rivals: Mapping[SkillKey, Sequence[Any]]) -> SkillAnswer:
    if row is None:
        return SkillAnswer(event.id, Outcome.REJECTED, "not_found", MESSAGES["not_found"])
    sent = (event.session_id, event.enrolment_id, event.skill_id, event.passed)
    if sent != (row.course_session_id, row.enrolment_id, row.skill_id, row.passed):
        return SkillAnswer(event.id, Outcome.REJECTED, "event_conflict", MESSAGES["event_conflict"])
    skill = row.enrolment_id, row.skill_id
    if row.review is not None:
        return SkillAnswer(event.id, Outcome.REVIEW, str(row.review), MESSAGES[row.review], {}, *skill)
    best = latest_marks.counting_at(row.received_at, rivals[row.enrolment_id, row.skill_id, row.attempt])
    if best.SkillEvent.id == row.id:
        return SkillAnswer(event.id, Outcome.ACCEPTED, "recorded", MESSAGES["recorded"], {}, *skill, row.passed)
    return SkillAnswer(
        event.id, Outcome.ALREADY, "superseded", MESSAGES["superseded"], {"by": best.name or "—"}, *skill,
        best.SkillEvent.passed,
    )  # fmt: skip
