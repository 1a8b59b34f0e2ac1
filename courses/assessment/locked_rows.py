"""The rows that decide about events of examiners' devices, and the facts that skill results, theory marks and retests share."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from courses.device_events import moment_since
from courses.models.assessment import Assessment, LateReason, RetestEvent
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from instructors.models import Instructor
from lms.core.db import LARGEST_ID
from lms.core.errors import N_
from lms.core.scope import Scope

# A device's time counts from a day before the session's start to now; otherwise the moment of receipt counts.
TRUSTED_BEFORE = timedelta(days=1)

MESSAGES = {
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


class ExaminerEvent(Protocol):
    """The facts that each event of an examiner's device has."""

    @property
    def id(self) -> UUID:
        """Made once, by the device, and sent again with each retry."""
        ...

    @property
    def session_id(self) -> int:
        """The session at which the device was."""
        ...

    @property
    def enrolment_id(self) -> int:
        """The trainee's enrolment."""
        ...

    @property
    def told_at(self) -> datetime:
        """The time by the device's clock."""
        ...

    @property
    def offset_ms(self) -> int | None:
        """The server's clock minus the device's, in milliseconds."""
        ...


class LockedRows:
    """The rows that decide about a batch, read in three statements; sessions' offerings and enrolments stay locked.

    The offerings are locked before their enrolments, and these in the order of their ids, as saving on the page does, so
    that two examiners never deadlock. device_id: the sender, whose own retests begin before its later events, whatever its
    clock did in between.
    """

    def __init__(
        self, db: Session, events: Sequence[ExaminerEvent], device_id: int | None, scope: Scope, now: datetime
    ) -> None:
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
        own = exists(
            select(1).where(
                RetestEvent.enrolment_id == Assessment.enrolment_id,
                RetestEvent.attempt == Assessment.attempt,
                RetestEvent.device_id == (device_id or 0),
                RetestEvent.review.is_(None),
            )
        )
        self._attempts: dict[int, list[Any]] = defaultdict(list)
        for row in db.execute(
            select(
                Assessment.id, Assessment.enrolment_id, Assessment.attempt, Assessment.started_at, own.label("own")
            ).where(Assessment.enrolment_id.in_(self._enrolments))
        ):
            self._attempts[row.enrolment_id].append(row)

    def course_of(self, event: ExaminerEvent) -> int | None:
        """Return the course's id, or None where session and enrolment are not of one offering in the scope."""
        meeting, enrolment = self._meetings.get(event.session_id), self._enrolments.get(event.enrolment_id)
        if meeting is None or enrolment is None or enrolment.offering_id != meeting.offering_id:
            return None
        course_id: int = meeting.course_id
        return course_id

    def latest_attempt(self, enrolment_id: int) -> int:
        """Return the number of an enrolment's latest attempt, 0 without one."""
        return max((row.attempt for row in self._attempts.get(enrolment_id, ())), default=0)

    def facts_of(self, event: ExaminerEvent) -> dict[str, Any]:
        """Return the columns that the events of all kinds share. Only for an event with a course (`course_of`)."""
        meeting, enrolment = self._meetings[event.session_id], self._enrolments[event.enrolment_id]
        earliest = meeting.starts_at - TRUSTED_BEFORE
        moment = moment_since(event.told_at, event.offset_ms, earliest, self._now)
        return {
            "id": event.id,
            "course_session_id": event.session_id,
            "enrolment_id": event.enrolment_id,
            # An event belongs to the attempt that was the latest at its moment, whenever it arrives.
            "attempt": max(
                (
                    row.attempt
                    for row in self._attempts.get(event.enrolment_id, ())
                    if row.started_at <= moment or row.own
                ),
                default=1,
            ),
            "happened_at": moment,
            "told_at": event.told_at,
            "offset_ms": event.offset_ms,
            "review": _late_reason(meeting.state, enrolment.state),
        }


def attempt_ids(
    db: Session, enrolment_ids: Collection[int], user_id: int | None, now: datetime
) -> dict[AttemptKey, int]:
    """Read the attempts' ids; an enrolment without any gets a first attempt with the sender as its examiner."""
    statement = select(Assessment.enrolment_id, Assessment.attempt, Assessment.id).where(
        Assessment.enrolment_id.in_(enrolment_ids)
    )
    ids = {(row.enrolment_id, row.attempt): row.id for row in db.execute(statement)}
    missing = set(enrolment_ids) - {enrolment_id for enrolment_id, _ in ids}
    if missing:
        for enrolment_id in sorted(missing):
            row = Assessment(
                enrolment_id=enrolment_id, attempt=1, examiner_id=sender(user_id), started_at=now, assessed_at=now
            )
            db.add(row)
        db.flush()
        ids = {(row.enrolment_id, row.attempt): row.id for row in db.execute(statement)}
    return ids


def sender(user_id: int | None) -> Any:
    """The id of the instructor who is this user, as a subquery; null where the user is none."""
    return select(Instructor.id).where(Instructor.user_id == user_id).scalar_subquery()


def _has_valid_ids(event: ExaminerEvent) -> bool:
    return all(0 < number <= LARGEST_ID for number in (event.session_id, event.enrolment_id))


def _late_reason(offering: OfferingState, enrolment: EnrolmentState) -> LateReason | None:
    if offering == OfferingState.CLOSED:
        return LateReason.OFFERING_CLOSED
    if offering != OfferingState.PUBLISHED:
        return LateReason.NOT_RUNNING
    return None if enrolment in HOLDS_PLACE else LateReason.NOT_ENROLLED
