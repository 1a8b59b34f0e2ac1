"""Decisions on check-ins in the review queue (`courses.attendance.review_queue`): accept, merge, admit or reject.

A check-in in the queue counts for nothing. A decision is made once and stays on record; it holds for all events of the
same person at the same session that wait for the same cause. Where the session is closed, accepting is a correction:
only a person who may correct decides, and results, totals and certificates follow.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses import outcomes
from courses.attendance import recording, walk_ins
from courses.attendance.review_queue import events_of_case
from courses.closing import correction
from courses.closing.closing import lock_offering
from courses.closing.judging import Judgement
from courses.enrolment import trainees
from courses.enrolment.trainees import TraineeFacts
from courses.models.attendance import AttendanceDecision, AttendanceEvent, ReviewDecision
from courses.models.enrolment import Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from courses.models.walk_ins import WalkInPerson
from courses.offerings import rights
from lms.core import audit, reasons
from lms.core.errors import N_, Denied, DomainError, NotFound
from lms.core.masks import mask_all
from lms.core.scope import Scope, fetch

# The report on corrections shows this reason beside the figure that moved; it is stored, so it is in both languages.
RECEIVED_AFTER_CLOSING = "结课后收到的签到，经审核计入。A check-in received after closing was accepted."


@dataclass(frozen=True)
class ReviewOutcome:
    """The effect of a decision. `name`: the person it was about; `unentitled`: as in `correction.CorrectionOutcome`."""

    session_id: int
    name: str
    unentitled: Sequence[Judgement] = ()


@dataclass(frozen=True)
class _OpenReview:
    """An event to decide about, locked with its offering, and all events that the same decision holds for."""

    event: AttendanceEvent
    meeting: CourseSession
    offering: Offering
    events: Sequence[AttendanceEvent]


def accept(
    db: Session, event_id: UUID, *, scope: Scope, now: datetime, zone: ZoneInfo, reason: str | None = None
) -> ReviewOutcome:
    """Let a check-in count for the trainee it names, who is given a place where there is none yet.

    This and the other decisions raise NotFound for an event out of reach or not in the queue, Denied for a person who
    may not decide, and DomainError for an event that is decided already or an offering that does not run.
    """
    return accept_all(db, [event_id], scope=scope, now=now, zone=zone, reason=reason)[0]


def accept_all(
    db: Session, events: Collection[UUID], *, scope: Scope, now: datetime, zone: ZoneInfo, reason: str | None = None
) -> list[ReviewOutcome]:
    """Accept several check-ins at once; totals and certificates follow once for all. All or nothing.

    Raises DomainError `nobody_named` for a check-in that names no trainee, beside what `accept` raises.
    """
    outcomes: list[ReviewOutcome] = []
    offerings: dict[int, Offering] = {}
    for event_id in events:
        review = _open(db, event_id, scope, now)
        enrolment_id = review.event.enrolment_id
        if enrolment_id is None:
            raise DomainError(
                "nobody_named", N_("This check-in does not name a person. Choose the person, or reject it.")
            )
        trainee = db.scalars(select(Trainee).join(Enrolment).where(Enrolment.id == enrolment_id)).one()
        enrolment = _place(db, review, trainee, None)
        outcomes.append(_decide(db, review, ReviewDecision.ACCEPT, enrolment, reason, now))
        offerings[review.offering.id] = review.offering
    unentitled = [
        judgement
        for offering in offerings.values()
        for judgement in correction.judge_and_count(db, offering, reason or RECEIVED_AFTER_CLOSING, zone)
    ]
    return [replace(outcome, unentitled=unentitled) for outcome in outcomes]


def merge(
    db: Session,
    event_id: UUID,
    enrolment_id: int | None,
    *,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
    reason: str | None = None,
) -> ReviewOutcome:
    """Let a check-in count for an enrolment of this offering; a waitlisted trainee is given a place.

    Raises DomainError `nobody_chosen` where no enrolment was chosen, beside what `accept` raises.
    """
    review = _open(db, event_id, scope, now)
    if enrolment_id is None:
        raise DomainError("nobody_chosen", N_("First choose the person who checked in."), status=422)
    trainee = db.scalars(
        select(Trainee).join(Enrolment).where(Enrolment.id == enrolment_id, Enrolment.offering_id == review.offering.id)
    ).one_or_none()
    if trainee is None:
        raise NotFound
    return _merge(db, review, trainee, None, reason, now, zone)


def merge_trainee(
    db: Session,
    event_id: UUID,
    trainee_id: int,
    *,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
    reason: str | None = None,
) -> ReviewOutcome:
    """Let a check-in count for a trainee of the register, who is given a place in this offering.

    Raises as `accept` does.
    """
    trainee = fetch(db, Trainee, trainee_id, scope)
    review = _open(db, event_id, scope, now)
    return _merge(db, review, trainee, None, reason, now, zone)


def admit(
    db: Session, event_id: UUID, facts: TraineeFacts, *, scope: Scope, now: datetime, zone: ZoneInfo
) -> ReviewOutcome:
    """Register a trainee (or find the one with this name and phone), give a place, and let the check-in count.

    Raises as `accept` does, and what `trainees.register` refuses.
    """
    event = fetch(db, AttendanceEvent, event_id, scope)
    if scope.read_only:
        raise Denied
    district = db.scalars(
        select(Offering.district_id).join(CourseSession).where(CourseSession.id == event.course_session_id)
    ).one()
    trainee = trainees.register(db, facts, district, scope=scope)
    review = _open(db, event_id, scope, now)
    return _merge(db, review, trainee, facts, None, now, zone)


def reject(db: Session, event_id: UUID, reason: str, *, scope: Scope, now: datetime) -> ReviewOutcome:
    """Reject a check-in: it never counts; the event and the reason stay on record.

    Raises DomainError for a blank reason, beside what `accept` raises.
    """
    review = _open(db, event_id, scope, now)
    reason = reasons.required(reason)[: outcomes.REASON_LIMIT]
    return _decide(db, review, ReviewDecision.REJECT, None, reason, now)


def _open(db: Session, event_id: UUID, scope: Scope, now: datetime) -> _OpenReview:
    """Lock the offering of an event and check that this person may decide about the event now.

    Raises as `accept` says.
    """
    event = fetch(db, AttendanceEvent, event_id, scope)
    meeting = db.get_one(CourseSession, event.course_session_id)
    offering = lock_offering(db, meeting.offering_id)
    db.refresh(meeting, ["closed_at"])
    if event.review is None:
        raise NotFound
    if scope.read_only:
        raise Denied
    if meeting.closed_at is not None and not rights.may_correct(offering, scope, now=now, meeting=meeting):
        raise rights.correction_denied()
    events = events_of_case(db, event)
    if not any(sibling.id == event.id for sibling in events):
        raise DomainError("decided_already", N_("Another user has already decided on this check-in."))
    return _OpenReview(event, meeting, offering, events)


def _place(db: Session, review: _OpenReview, trainee: Trainee, given: TraineeFacts | None) -> Enrolment:
    if review.offering.state not in {OfferingState.PUBLISHED, OfferingState.CLOSED}:
        raise DomainError(
            "not_running",
            N_("This training is a draft or was cancelled: publish it first, or reject the check-in."),
        )
    return walk_ins.ensure_place(db, review.offering, trainee, given=given)


def _merge(  # noqa: PLR0917  # the facts of one decision
    db: Session,
    review: _OpenReview,
    trainee: Trainee,
    given: TraineeFacts | None,
    reason: str | None,
    now: datetime,
    zone: ZoneInfo,
) -> ReviewOutcome:
    outcome = _decide(db, review, ReviewDecision.MERGE, _place(db, review, trainee, given), reason, now)
    reason = reason or RECEIVED_AFTER_CLOSING
    return replace(outcome, unentitled=correction.judge_and_count(db, review.offering, reason, zone))


def _decide(  # noqa: PLR0917  # the facts of one decision
    db: Session,
    review: _OpenReview,
    decision: ReviewDecision,
    enrolment: Enrolment | None,
    reason: str | None,
    now: datetime,
) -> ReviewOutcome:
    meeting = review.meeting
    db.add_all(
        AttendanceDecision(
            event_id=event.id,
            decision=decision,
            enrolment_id=enrolment.id if enrolment is not None else None,
            reason=mask_all(reason),  # no row of record is ever altered
            user_id=audit.actor(db),
            decided_at=now,
        )
        for event in review.events
    )
    walk_in = db.get(WalkInPerson, review.event.walk_in_id) if review.event.walk_in_id is not None else None
    if walk_in is not None:
        walk_in.phone = None  # the phone was kept for this decision only
        walk_in.enrolment_id = enrolment.id if enrolment is not None else None
        walk_in.rejected_at = now if enrolment is None else None
    db.flush()
    audit.record(
        db,
        f"check_in.{decision}",
        enrolment if enrolment is not None else meeting,
        after={"session": meeting.id, "doubt": str(review.event.review), "events": len(review.events)},
        reason=reason,
    )
    if enrolment is None:
        return ReviewOutcome(meeting.id, walk_in.name if walk_in is not None else "")
    recording.refold(db, [(meeting.id, enrolment.id)], reason=reason, now=now)
    trainee = db.scalars(select(Trainee).where(Trainee.id == enrolment.trainee_id)).one()
    return ReviewOutcome(meeting.id, trainee.name)
