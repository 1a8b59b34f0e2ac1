"""Skill results from devices and from the page: each is stored as an event, and a skill's result is what its events fold to.

Of the events of one skill in one attempt the last by its moment counts, in whatever order they arrive; of two with the same
moment the one with the greater id. With two examiners the result thus never depends on whose phone sends first. An event
that arrives after the training was closed has no effect until a user who may correct saves it
(`courses.closing.correction`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courses.device_events import moment_since
from courses.models.assessment import Assessment, LateReason, SkillEvent, SkillResult
from courses.models.catalogue import CourseSkill
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.outcomes import Outcome
from instructors.models import Instructor
from lms.accounts.models import User
from lms.core import audit
from lms.core.db import LARGEST_ID
from lms.core.errors import N_
from lms.core.scope import Scope

# A device's time counts from a day before the session's start to now; otherwise the moment of receipt counts.
TRUSTED_BEFORE = timedelta(days=1)

MESSAGES = {
    "recorded": N_("The result is entered."),
    "superseded": N_(
        "%(by)s entered a later result for this skill. The later result counts; this one is stored for reference."
    ),
    LateReason.OFFERING_CLOSED: N_(
        "Saved for review: the training had been closed. Users who may correct it find the result on the trainee's results page."
    ),
    LateReason.NOT_RUNNING: N_("Saved for review: this training is not running."),
    LateReason.NOT_ENROLLED: N_("Saved for review: this person is not enrolled in this training."),
    "event_conflict": N_("This result's number was used for another result. Reload the page and enter it again."),
    "not_found": N_("This page does not exist, or you may not see it."),
}

# Enrolment id, number of the attempt.
AttemptKey = tuple[int, int]
# Enrolment id, skill id, number of the attempt.
SkillKey = tuple[int, int, int]


@dataclass(frozen=True)
class SkillInput:
    """A result of one skill of one trainee, as a device sends it.

    id: made once, by the device, and sent again with each retry. told_at: the time by the device's clock.
    offset_ms: the server's clock minus the device's, in milliseconds.
    """

    id: UUID
    session_id: int
    enrolment_id: int
    skill_id: int
    passed: bool
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


@dataclass(frozen=True)
class SkillMark:
    """A skill event as the fold takes it. `passed`: None takes the skill's result away."""

    id: UUID
    key: SkillKey
    passed: bool | None
    moment: datetime


def fold(marks: Iterable[SkillMark]) -> dict[SkillKey, SkillMark]:
    """Return the mark that counts for each skill of an attempt: the last by moment, in any order of arrival."""
    latest: dict[SkillKey, SkillMark] = {}
    for mark in marks:
        earlier = latest.get(mark.key)
        if earlier is None or (earlier.moment, earlier.id) < (mark.moment, mark.id):
            latest[mark.key] = mark
    return latest


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
    locked = _LockedRows(db, events, scope, now)
    rows = [
        row | {"user_id": user_id, "device_id": device_id, "received_at": now}
        for row in {event.id: locked.row_of(event) for event in reversed(events)}.values()
        if row is not None
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
    marks = fold(_marks(db, pairs))
    attempt_ids = _attempt_ids(db, {key[0] for key in marks}, user_id, now)
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
        if current.get(key) == mark.passed:
            continue
        enrolment_id, skill_id, attempt = key
        changed[attempt_ids[enrolment_id, attempt]][skill_id] = mark.passed
        audit.record(
            db,
            "assessment.skill",
            f"enrolment:{enrolment_id}",
            before={"skill": skill_id, "passed": current[key]} if key in current else None,
            after={"skill": skill_id, "passed": mark.passed, "attempt": attempt},
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


class _LockedRows:
    """The rows that decide about a batch, read in four statements; sessions' offerings and enrolments stay locked.

    The offerings are locked before their enrolments, and these in the order of their ids, as saving on the page does, so
    that two examiners never deadlock.
    """

    def __init__(self, db: Session, events: Sequence[SkillInput], scope: Scope, now: datetime) -> None:
        valid = [event for event in events if _has_valid_ids(event)]
        self._now = now
        self._meetings = {
            row.id: row
            for row in db.execute(
                    select(
                        CourseSession.id, CourseSession.starts_at, CourseSession.offering_id, Offering.state,
                        Offering.course_id,
                    ).join(Offering, Offering.id == CourseSession.offering_id)
                .where(CourseSession.visible_to(scope), CourseSession.id.in_({event.session_id for event in valid}))
                .order_by(Offering.id)
                .with_for_update(read=True, of=Offering)
            )
        }  # fmt: skip
        self._enrolments = {
            row.id: row
            for row in db.execute(
                select(Enrolment.id, Enrolment.offering_id, Enrolment.state)
                .where(
                    Enrolment.id.in_({event.enrolment_id for event in valid}),
                    Enrolment.offering_id.in_({row.offering_id for row in self._meetings.values()}),
                )
                .order_by(Enrolment.id)
                .with_for_update()
            )
        }
        self._courses = {
            skill_id: course_id
            for skill_id, course_id in db.execute(
                select(CourseSkill.id, CourseSkill.course_id).where(
                    CourseSkill.id.in_({event.skill_id for event in valid})
                )
            )
        }
        self._started: dict[int, list[datetime]] = defaultdict(list)
        for enrolment_id, started_at in db.execute(
            select(Assessment.enrolment_id, Assessment.started_at)
            .where(Assessment.enrolment_id.in_(self._enrolments), Assessment.attempt > 1)
            .order_by(Assessment.attempt)
        ):
            self._started[enrolment_id].append(started_at)

    def row_of(self, event: SkillInput) -> dict[str, Any] | None:
        """Return the event's row, or None where the session, enrolment and skill are not of one training in the scope."""
        meeting = self._meetings.get(event.session_id)
        enrolment = self._enrolments.get(event.enrolment_id)
        if meeting is None or enrolment is None or enrolment.offering_id != meeting.offering_id:
            return None
        if self._courses.get(event.skill_id) != meeting.course_id:
            return None
        moment = moment_since(event.told_at, event.offset_ms, meeting.starts_at - TRUSTED_BEFORE, self._now)
        return {
            "id": event.id,
            "course_session_id": event.session_id,
            "enrolment_id": event.enrolment_id,
            "skill_id": event.skill_id,
            # An event belongs to the attempt that was the latest at its moment, whenever it arrives.
            "attempt": 1 + sum(started <= moment for started in self._started[event.enrolment_id]),
            "passed": event.passed,
            "happened_at": moment,
            "told_at": event.told_at,
            "offset_ms": event.offset_ms,
            "review": _late_reason(meeting.state, enrolment.state),
        }


def _has_valid_ids(event: SkillInput) -> bool:
    return all(0 < number <= LARGEST_ID for number in (event.session_id, event.enrolment_id, event.skill_id))


def _late_reason(offering: OfferingState, enrolment: EnrolmentState) -> LateReason | None:
    if offering == OfferingState.CLOSED:
        return LateReason.OFFERING_CLOSED
    if offering != OfferingState.PUBLISHED:
        return LateReason.NOT_RUNNING
    return None if enrolment in HOLDS_PLACE else LateReason.NOT_ENROLLED


def _marks(db: Session, pairs: Collection[tuple[int, int]]) -> list[SkillMark]:
    rows = db.execute(
        select(
            SkillEvent.id, SkillEvent.enrolment_id, SkillEvent.skill_id, SkillEvent.attempt, SkillEvent.passed,
            SkillEvent.happened_at,
        ).where(
            tuple_(SkillEvent.enrolment_id, SkillEvent.skill_id).in_(list(pairs)), SkillEvent.review.is_(None)
        )
    )  # fmt: skip
    return [
        SkillMark(row.id, (row.enrolment_id, row.skill_id, row.attempt), row.passed, row.happened_at) for row in rows
    ]


def _attempt_ids(
    db: Session, enrolment_ids: Collection[int], user_id: int | None, now: datetime
) -> dict[AttemptKey, int]:
    """Read the attempts' ids; an enrolment without any gets a first attempt with the sender as its examiner."""
    statement = select(Assessment.enrolment_id, Assessment.attempt, Assessment.id).where(
        Assessment.enrolment_id.in_(enrolment_ids)
    )
    attempt_ids = {(row.enrolment_id, row.attempt): row.id for row in db.execute(statement)}
    missing = set(enrolment_ids) - {enrolment_id for enrolment_id, _ in attempt_ids}
    if missing:
        examiner = select(Instructor.id).where(Instructor.user_id == user_id).scalar_subquery()
        for enrolment_id in sorted(missing):
            row = Assessment(
                enrolment_id=enrolment_id, attempt=1, examiner_id=examiner, started_at=now, assessed_at=now
            )
            db.add(row)
        db.flush()
        attempt_ids = {(row.enrolment_id, row.attempt): row.id for row in db.execute(statement)}
    return attempt_ids


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
    competing = rivals[row.enrolment_id, row.skill_id, row.attempt]
    best = max(
        (rival for rival in competing if rival.SkillEvent.received_at <= row.received_at),
        key=lambda rival: (rival.SkillEvent.happened_at, rival.SkillEvent.id),
    )
    if best.SkillEvent.id == row.id:
        return SkillAnswer(event.id, Outcome.ACCEPTED, "recorded", MESSAGES["recorded"], {}, *skill, row.passed)
    return SkillAnswer(
        event.id, Outcome.ALREADY, "superseded", MESSAGES["superseded"], {"by": best.name or "—"}, *skill,
        best.SkillEvent.passed,
    )  # fmt: skip
