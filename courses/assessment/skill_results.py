"""Skill results as they come in, from devices and from the page: each is kept, and a skill's result is what they fold to.

Of the results of one skill in one attempt the last by its moment holds, whatever the order in which they arrive; between two
of the same moment the greater id. Two examiners therefore take nothing from each other. A result that comes after the
training was closed counts for nothing until somebody who may correct takes it in (`courses.closing.correction`).
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

BATCH_LIMIT = 100
# A device's clock is trusted from the day before the session to now; beyond that the moment of arrival counts.
TRUSTED_BEFORE = timedelta(days=1)

MESSAGES = {
    "recorded": N_("The result is entered."),
    "superseded": N_("%(by)s entered a later result for this skill, which counts. This one is kept beside it."),
    LateReason.OFFERING_CLOSED: N_(
        "Saved for review: the training had been closed. Users who may correct it find the result on the trainee's results page."
    ),
    LateReason.NOT_RUNNING: N_("Saved for review: this training is not running."),
    LateReason.NOT_ENROLLED: N_("Saved for review: this person is not enrolled in this training."),
    "event_conflict": N_("This result's number was used for another result. Reload the page and enter it again."),
    "not_found": N_("This page does not exist, or you may not see it."),
}

Attempt = tuple[int, int]
Cell = tuple[int, int, int]


@dataclass(frozen=True)
class SkillInput:
    """One result of one skill of one trainee. `id` is made once, by the device, and sent with each retry.

    told_at: the device's time; offset_ms: how much its clock is behind ours, as measured, in milliseconds.
    """

    id: UUID
    session_id: int
    enrolment_id: int
    skill_id: int
    passed: bool
    told_at: datetime
    offset_ms: int | None = None


@dataclass(frozen=True)
class Answer:
    """What a device is told of one result. `passed`: what holds now. `message`: an English msgid, filled with `params`."""

    id: UUID
    outcome: Outcome
    code: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    enrolment_id: int | None = None
    skill_id: int | None = None
    passed: bool | None = None


@dataclass(frozen=True)
class Mark:
    """One event as it is folded. `passed` None takes what was there back."""

    id: UUID
    cell: Cell
    passed: bool | None
    moment: datetime


def fold(marks: Iterable[Mark]) -> dict[Cell, Mark]:
    """The mark that holds in each cell (enrolment, skill, attempt): the last by moment, in any order of arrival."""
    found: dict[Cell, Mark] = {}
    for mark in marks:
        there = found.get(mark.cell)
        if there is None or (there.moment, there.id) < (mark.moment, mark.id):
            found[mark.cell] = mark
    return found


def record_all(
    db: Session,
    events: Sequence[SkillInput],
    *,
    user_id: int,
    device_id: int | None,
    scope: Scope,
    now: datetime,
) -> list[Answer]:
    """Record up to 100 results from a device, each once, and answer each in the order given; one bad result spoils nothing."""
    db.flush()
    desk = _Desk(db, events, scope, now)
    rows = [
        row | {"user_id": user_id, "device_id": device_id, "received_at": now}
        for row in {event.id: desk.row(event) for event in reversed(events)}.values()
        if row is not None
    ]
    statement = insert(SkillEvent).on_conflict_do_nothing(index_elements=["id"]).returning(SkillEvent.id)
    new = set(db.scalars(statement, rows)) if rows else set()
    counting = {(row["enrolment_id"], row["skill_id"]) for row in rows if row["id"] in new and row["review"] is None}
    refold(db, counting, user_id, now)
    return _answers(db, events)


def add(db: Session, rows: Sequence[tuple[UUID, Cell, bool | None]], *, now: datetime) -> None:
    """Keep what the page changed: each changed skill of an attempt is an event. The caller sees to the attempt itself."""
    for identity, (enrolment_id, skill_id, attempt), passed in rows:
        db.add(
            SkillEvent(
                id=identity, enrolment_id=enrolment_id, skill_id=skill_id, attempt=attempt, passed=passed,
                happened_at=now, received_at=now, user_id=audit.actor(db),
            )
        )  # fmt: skip
    db.flush()


def refold(db: Session, pairs: Collection[tuple[int, int]], user_id: int | None, now: datetime) -> None:
    """Work out the results of these enrolments' skills again from their events, and write what differs. Audited."""
    if not pairs:
        return
    held = fold(_marks(db, pairs))
    attempts = _attempts(db, {cell[0] for cell in held}, user_id, now)
    there = {
        (row.enrolment_id, row.skill_id, row.attempt): row.passed
        for row in db.execute(
            select(Assessment.enrolment_id, SkillResult.skill_id, Assessment.attempt, SkillResult.passed)
            .join(SkillResult, SkillResult.assessment_id == Assessment.id)
            .where(tuple_(Assessment.enrolment_id, SkillResult.skill_id).in_(list(pairs)))
        )
    }
    changed: dict[int, dict[int, bool | None]] = defaultdict(dict)
    for cell, mark in sorted(held.items(), key=lambda item: item[0]):
        if there.get(cell) == mark.passed:
            continue
        enrolment_id, skill_id, attempt = cell
        changed[attempts[enrolment_id, attempt]][skill_id] = mark.passed
        audit.record(
            db,
            "assessment.skill",
            f"enrolment:{enrolment_id}",
            before={"skill": skill_id, "passed": there[cell]} if cell in there else None,
            after={"skill": skill_id, "passed": mark.passed, "attempt": attempt},
        )
    for assessment_id, skills in changed.items():
        write(db, assessment_id, skills)
    db.execute(
        update(Assessment)
        .where(Assessment.id.in_([attempts[cell[0], cell[2]] for cell in held]))
        .values(assessed_at=now)
        .execution_options(synchronize_session=False)
    )
    db.flush()


def write(db: Session, assessment_id: int, skills: Mapping[int, bool | None]) -> None:
    """Set what holds for some skills of one attempt; None takes a skill's result away."""
    gone = [skill_id for skill_id, passed in skills.items() if passed is None]
    rows = [
        {"assessment_id": assessment_id, "skill_id": skill_id, "passed": passed}
        for skill_id, passed in skills.items()
        if passed is not None
    ]
    if gone:
        db.execute(
            delete(SkillResult)
            .where(SkillResult.assessment_id == assessment_id, SkillResult.skill_id.in_(gone))
            .execution_options(synchronize_session=False)
        )
    if rows:
        statement = insert(SkillResult).values(rows)
        db.execute(
            statement.on_conflict_do_update(
                index_elements=["assessment_id", "skill_id"], set_={"passed": statement.excluded.passed}
            )
        )


def states(db: Session, offering_id: int) -> dict[int, dict[int, bool]]:
    """What holds now for everybody of an offering: enrolment → skill → passed. Skills that nobody examined are left out."""
    found: dict[int, dict[int, bool]] = defaultdict(dict)
    rows = db.execute(
        select(Assessment.enrolment_id, SkillResult.skill_id, func.bool_or(SkillResult.passed))
        .join(SkillResult, SkillResult.assessment_id == Assessment.id)
        .join(Enrolment, Enrolment.id == Assessment.enrolment_id)
        .where(Enrolment.offering_id == offering_id)
        .group_by(Assessment.enrolment_id, SkillResult.skill_id)
    )
    for enrolment_id, skill_id, passed in rows:
        found[enrolment_id][skill_id] = passed
    return dict(found)


class _Desk:
    """What has to be known before results are kept, in four statements. The rows that decide are locked until the commit:
    the offering before its enrolments, and these in the order of their ids, as saving on the page does.
    """

    def __init__(self, db: Session, events: Sequence[SkillInput], scope: Scope, now: datetime) -> None:
        sound = [event for event in events if _sound(event)]
        self._now = now
        self._meetings = {
            row.id: row
            for row in db.execute(
                    select(
                        CourseSession.id, CourseSession.starts_at, CourseSession.offering_id, Offering.state,
                        Offering.course_id,
                    ).join(Offering, Offering.id == CourseSession.offering_id)
                .where(CourseSession.visible_to(scope), CourseSession.id.in_({event.session_id for event in sound}))
                .order_by(Offering.id)
                .with_for_update(read=True, of=Offering)
            )
        }  # fmt: skip
        self._enrolments = {
            row.id: row
            for row in db.execute(
                select(Enrolment.id, Enrolment.offering_id, Enrolment.state)
                .where(
                    Enrolment.id.in_({event.enrolment_id for event in sound}),
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
                    CourseSkill.id.in_({event.skill_id for event in sound})
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

    def row(self, event: SkillInput) -> dict[str, Any] | None:
        """The event as it is kept; None where it concerns nobody whom the sender may enter results for."""
        meeting = self._meetings.get(event.session_id)
        enrolment = self._enrolments.get(event.enrolment_id)
        if meeting is None or enrolment is None or enrolment.offering_id != meeting.offering_id:
            return None
        if self._courses.get(event.skill_id) != meeting.course_id:
            return None
        moment = _moment(event, meeting.starts_at, self._now)
        return {
            "id": event.id,
            "course_session_id": event.session_id,
            "enrolment_id": event.enrolment_id,
            "skill_id": event.skill_id,
            # An attempt begun later than this was shown cannot be the one that it belongs to, whenever it arrives.
            "attempt": 1 + sum(started <= moment for started in self._started[event.enrolment_id]),
            "passed": event.passed,
            "happened_at": moment,
            "told_at": event.told_at,
            "offset_ms": event.offset_ms,
            "review": _doubt(meeting.state, enrolment.state),
        }


def _sound(event: SkillInput) -> bool:
    return all(0 < number <= LARGEST_ID for number in (event.session_id, event.enrolment_id, event.skill_id))


def _moment(event: SkillInput, starts_at: datetime, now: datetime) -> datetime:
    try:
        told = event.told_at + timedelta(milliseconds=event.offset_ms or 0)
    except OverflowError:
        return now
    return min(told, now) if told >= starts_at - TRUSTED_BEFORE else now


def _doubt(offering: OfferingState, enrolment: EnrolmentState) -> LateReason | None:
    if offering == OfferingState.CLOSED:
        return LateReason.OFFERING_CLOSED
    if offering != OfferingState.PUBLISHED:
        return LateReason.NOT_RUNNING
    return None if enrolment in HOLDS_PLACE else LateReason.NOT_ENROLLED


def _marks(db: Session, pairs: Collection[tuple[int, int]]) -> list[Mark]:
    rows = db.execute(
        select(
            SkillEvent.id, SkillEvent.enrolment_id, SkillEvent.skill_id, SkillEvent.attempt, SkillEvent.passed,
            SkillEvent.happened_at,
        ).where(
            tuple_(SkillEvent.enrolment_id, SkillEvent.skill_id).in_(list(pairs)), SkillEvent.review.is_(None)
        )
    )  # fmt: skip
    return [Mark(row.id, (row.enrolment_id, row.skill_id, row.attempt), row.passed, row.happened_at) for row in rows]


def _attempts(db: Session, enrolment_ids: Collection[int], user_id: int | None, now: datetime) -> dict[Attempt, int]:
    """The attempts' ids by enrolment and number; whoever has none yet gets the first one, examined by whoever sent."""
    wanted = select(Assessment.enrolment_id, Assessment.attempt, Assessment.id).where(
        Assessment.enrolment_id.in_(enrolment_ids)
    )
    known = {(row.enrolment_id, row.attempt): row.id for row in db.execute(wanted)}
    missing = set(enrolment_ids) - {enrolment_id for enrolment_id, _ in known}
    if missing:
        examiner = select(Instructor.id).where(Instructor.user_id == user_id).scalar_subquery()
        for enrolment_id in sorted(missing):
            row = Assessment(
                enrolment_id=enrolment_id, attempt=1, examiner_id=examiner, started_at=now, assessed_at=now
            )
            db.add(row)
        db.flush()
        known = {(row.enrolment_id, row.attempt): row.id for row in db.execute(wanted)}
    return known


def _answers(db: Session, events: Sequence[SkillInput]) -> list[Answer]:
    """What each was told the first time: only what had come in by then is looked at."""
    stored = {
        row.id: row for row in db.scalars(select(SkillEvent).where(SkillEvent.id.in_({event.id for event in events})))
    }
    pairs = {(row.enrolment_id, row.skill_id) for row in stored.values()}
    rivals: dict[Cell, list[Any]] = defaultdict(list)
    for row in db.execute(
        select(SkillEvent, User.name)
        .outerjoin(User, User.id == SkillEvent.user_id)
        .where(tuple_(SkillEvent.enrolment_id, SkillEvent.skill_id).in_(list(pairs)), SkillEvent.review.is_(None))
    ):
        rivals[row.SkillEvent.enrolment_id, row.SkillEvent.skill_id, row.SkillEvent.attempt].append(row)
    return [_answer(event, stored.get(event.id), rivals) for event in events]


def _answer(event: SkillInput, row: SkillEvent | None, rivals: Mapping[Cell, Sequence[Any]]) -> Answer:
    if row is None:
        return Answer(event.id, Outcome.REJECTED, "not_found", MESSAGES["not_found"])
    sent = (event.session_id, event.enrolment_id, event.skill_id, event.passed)
    if sent != (row.course_session_id, row.enrolment_id, row.skill_id, row.passed):
        return Answer(event.id, Outcome.REJECTED, "event_conflict", MESSAGES["event_conflict"])
    whose = row.enrolment_id, row.skill_id
    if row.review is not None:
        return Answer(event.id, Outcome.REVIEW, str(row.review), MESSAGES[row.review], {}, *whose)
    known = rivals[row.enrolment_id, row.skill_id, row.attempt]
    best = max(
        (one for one in known if one.SkillEvent.received_at <= row.received_at),
        key=lambda one: (one.SkillEvent.happened_at, one.SkillEvent.id),
    )
    if best.SkillEvent.id == row.id:
        return Answer(event.id, Outcome.ACCEPTED, "recorded", MESSAGES["recorded"], {}, *whose, row.passed)
    return Answer(
        event.id, Outcome.ALREADY, "superseded", MESSAGES["superseded"], {"by": best.name or "—"}, *whose,
        best.SkillEvent.passed,
    )  # fmt: skip
