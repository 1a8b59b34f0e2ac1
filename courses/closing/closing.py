"""Closing a session, and with the last open session its offering: results are judged, person-times are counted."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.assessment.entitlement import CourseRequirements
from courses.attendance.self_check_in import code_display
from courses.closing import judging, presence, spot_check
from courses.closing.judging import Judgement
from courses.closing.open_session import refuse_unless_open
from courses.closing.presence import PersonPresence
from courses.closing.spot_check import ExpectedHeads, HeadCount
from courses.counting import person_time
from courses.enrolment import name_writings
from courses.enrolment.name_writings import UnprintableName
from courses.events import OfferingClosed
from courses.models.attendance import Attendance
from courses.models.closing_requests import ClosingRequest, ClosingRequestState
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings import class_hours
from courses.offerings.class_hours import MINUTE, HoursDecision
from lms.core import audit, clock
from lms.core.errors import N_, DomainError
from lms.core.events import publish

# The ticket page shows this reason to people who stayed on the waiting list; it is stored, so it is in both languages.
NO_PLACE_BECAME_FREE = "培训结束前没有空出名额。No place came free before the training ended."


@dataclass(frozen=True)
class ClosingOutlook:
    """The effects of closing a session, as the confirmation page shows them and as `close` returns them.

    last: the session is the last open one, so the offering closes with it; `judgements` is empty otherwise.
    present: trainees present at this session. headcount: the headcount of this session.
    people: trainees who were present at one or more sessions of the offering.
    offering_headcount: the headcount of the offering, which is the largest of its sessions.
    expected_heads: the number to compare a count of the room with, where trainees checked themselves in.
    missed: who was absent, late or left early, at this session and those that are closed.
    requirements: what the course requires of the attendance, over the sessions planned now.
    before_end: the session is planned to go on for a minute or longer. hours_undecided: with the last session, the offering
    plans fewer hours than the certificates would print. unprintable: the trainees whose names no font can print.
    """

    last: bool
    present: int
    headcount: int
    judgements: Sequence[Judgement]
    people: int
    offering_headcount: int
    requirements: CourseRequirements
    expected_heads: ExpectedHeads | None = None
    missed: Sequence[PersonPresence] = ()
    before_end: bool = False
    hours_undecided: bool = False
    unprintable: Sequence[UnprintableName] = ()

    @property
    def certificates_due(self) -> int:
        """The number of certificates that closing makes due."""
        return sum(judgement.verdict.certificate_due for judgement in self.judgements)

    @property
    def certificates_waiting(self) -> int:
        """The number of these certificates that wait, because no font has a character of the name and nobody has decided."""
        entitled = {judgement.enrolment.id for judgement in self.judgements if judgement.verdict.certificate_due}
        return sum(name.enrolment_id in entitled and name.writing is None for name in self.unprintable)

    @property
    def not_certified(self) -> list[Judgement]:
        """The judgements that make no certificate due, in the order of names."""
        return [judgement for judgement in self.judgements if not judgement.verdict.certificate_due]

    @property
    def empty(self) -> bool:
        """True where the offering would close without a single participant, named or counted."""
        return self.last and not self.people and not self.offering_headcount

    @property
    def seen(self) -> str:
        """A digest of what the confirmation page shows; it differs as soon as anything of that differs."""
        facts = [
            (judgement.enrolment.id, judgement.minutes, judgement.verdict.shortfalls) for judgement in self.judgements
        ]
        shown = (
            self.last, self.present, self.offering_headcount, self.expected_heads, self.requirements.minutes_planned,
            self.hours_undecided, self.missed, self.unprintable, facts,
        )  # fmt: skip
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def outlook(db: Session, meeting: CourseSession) -> ClosingOutlook:
    """Return the effects that closing this session would have now. Changes nothing."""
    last = not any(other.id != meeting.id and other.closed_at is None for other in meeting.offering.sessions)
    present = db.scalar(select(func.count()).select_from(Attendance).where(Attendance.course_session_id == meeting.id))
    judgements = judging.judgements(db, meeting.offering_id) if last else []
    requirements = judgements[0].demand if judgements else judging.requirements(db, meeting.offering_id)
    return ClosingOutlook(
        last=last,
        present=present or 0,
        headcount=meeting.headcount,
        judgements=judgements,
        people=sum(judgement.sessions_attended > 0 for judgement in judgements),
        offering_headcount=max(other.headcount for other in meeting.offering.sessions),
        requirements=requirements,
        expected_heads=spot_check.expected_heads(db, meeting) if meeting.closed_at is None else None,
        missed=presence.read(db, meeting, requirements),
        before_end=meeting.closed_at is None and meeting.ends_at - clock.now() >= MINUTE,
        hours_undecided=last and class_hours.needs_decision(meeting.offering),
        unprintable=name_writings.of_offering(db, meeting.offering_id)
        if meeting.offering.course.certificate_type
        else (),
    )


def may_close(meeting: CourseSession) -> bool:
    """Tell whether closing has something to do: the session is open, or the offering is and none of its sessions.

    The latter happens when the last open session is cancelled: it is removed from a plan of which all else is closed.
    """
    return meeting.offering.state == OfferingState.PUBLISHED and (
        meeting.closed_at is None or all(other.closed_at is not None for other in meeting.offering.sessions)
    )


def end_now(db: Session, meeting: CourseSession) -> None:
    """Let a session that is running end with this minute: it ended before its planned end.

    The minutes attended and those planned follow, and so does the judgement. Raises DomainError before the session has
    begun and for a session that is not open; does nothing where the planned end is reached.
    """
    lock_offering(db, meeting.offering_id)
    db.refresh(meeting, ["closed_at", "starts_at", "ends_at"])
    refuse_unless_open(meeting)
    now = clock.now()
    _refuse_before_start(meeting, now)
    ends_at = now.replace(second=0, microsecond=0) + MINUTE
    if ends_at >= meeting.ends_at:
        return
    before, meeting.ends_at = meeting.ends_at, ends_at
    db.flush()
    db.expire(meeting, ["during", "instructors"])
    audit.record(
        db, "session.end", meeting, before={"ends_at": before.isoformat()}, after={"ends_at": ends_at.isoformat()}
    )


def close(
    db: Session,
    meeting: CourseSession,
    *,
    zone: ZoneInfo,
    seen: str | None = None,
    heads: HeadCount | None = None,
    before_end: bool = False,
    hours: HoursDecision | None = None,
    request: UUID | None = None,
) -> ClosingOutlook:
    """Close a session; with the last open one, close the offering: results are judged and person-times counted.

    seen: `ClosingOutlook.seen` of the page that was confirmed. heads: the people counted in the room, needed where
    trainees checked themselves in. before_end: the closing of a session that is planned to go on is meant. hours: what the
    certificates print where the offering plans fewer hours than its course has. request: the request of a device that this
    closing confirms; all others for the session are outdated by it.
    Raises DomainError before the session has begun, for a session that is not open, for an offering in which nobody took
    part, without `before_end`, `heads` or `hours` where they are needed, and with the code `closing_changed` when `seen` is
    outdated.
    Publishes OfferingClosed when the offering closes. Every enrolment is judged once.
    """
    offering = lock_offering(db, meeting.offering_id)
    db.execute(select(CourseSession.id).where(CourseSession.offering_id == offering.id).with_for_update())
    for other in offering.sessions:
        db.refresh(other, ["closed_at", "headcount", "starts_at", "ends_at"])
    now = clock.now()
    refuse_unless_begun(meeting, now)
    effects = outlook(db, meeting)
    if seen is not None and seen != effects.seen:
        raise DomainError(
            "closing_changed", N_("The data changed in the meantime. Check the list again, then confirm.")
        )
    for obstacle in obstacles(meeting, effects, heads=heads, before_end=before_end, hours=hours):
        raise obstacle
    decided = class_hours.decide(offering, hours) if effects.last else {}
    if effects.expected_heads is not None:
        spot_check.enter(db, meeting, effects.expected_heads, heads or HeadCount(None), now=now)
    if meeting.closed_at is None:
        meeting.closed_at = now
        code_display.forget_codes(db, [meeting.id])
        audit.record(
            db,
            "session.close",
            meeting,
            after={"present": effects.present, "headcount": effects.headcount}
            | ({"before_end": True} if effects.before_end else {}),
        )
    _settle_requests(db, meeting, request, now)
    if effects.last:
        _close_offering(db, offering, effects.judgements, now, zone, decided)
    return effects


def obstacles(
    meeting: CourseSession,
    effects: ClosingOutlook,
    *,
    heads: HeadCount | None,
    before_end: bool,
    hours: HoursDecision | None,
) -> Iterator[DomainError]:
    """Yield the refusals of a closing with these effects, each with what to do. Writes nothing."""
    if effects.empty:
        yield DomainError(
            "nobody_came",
            N_(
                "Nobody was checked in and no headcount was entered. Enter the attendance, "
                "or ask the host to cancel the offering."
            ),
        )
    if effects.before_end and not before_end:
        yield DomainError(
            "before_end",
            N_("The session is planned until %(ends)s. Confirm that you close it before."),
            field="before_end",
            ends=meeting.ends_at,
        )
    try:
        if effects.last:
            class_hours.require(meeting.offering, hours)
    except DomainError as error:
        yield error
    try:
        if effects.expected_heads is not None:
            spot_check.require(effects.expected_heads, heads or HeadCount(None))
    except DomainError as error:
        yield error


def refuse_unless_begun(meeting: CourseSession, now: datetime) -> None:
    """Raise DomainError unless the session can be closed at this moment: it is open and has begun."""
    if not may_close(meeting):
        refuse_unless_open(meeting)
    _refuse_before_start(meeting, now)


def _settle_requests(db: Session, meeting: CourseSession, confirmed: UUID | None, now: datetime) -> None:
    """The requests that waited for this session do not wait any longer."""
    waiting = select(ClosingRequest).where(
        ClosingRequest.course_session_id == meeting.id, ClosingRequest.state == ClosingRequestState.WAITING
    )
    for row in db.scalars(waiting):
        is_confirmed = row.id == confirmed
        row.state = ClosingRequestState.CONFIRMED if is_confirmed else ClosingRequestState.OUTDATED
        row.decided_at, row.decided_by = now, audit.actor(db)
        audit.record(
            db,
            "closing_request.confirm" if is_confirmed else "closing_request.outdate",
            meeting,
            after={"request": str(row.id), "user": row.user_id},
        )


def _refuse_before_start(meeting: CourseSession, now: datetime) -> None:
    if now < meeting.starts_at:
        raise DomainError(
            "not_begun", N_("This session has not begun: it starts at %(starts)s."), starts=meeting.starts_at
        )


def lock_offering(db: Session, offering_id: int) -> Offering:
    """Return the offering, read again and locked: its results and its totals are written by one transaction at a time."""
    return db.scalars(
        select(Offering).where(Offering.id == offering_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _close_offering(  # noqa: PLR0917  # the facts of one closing
    db: Session,
    offering: Offering,
    judgements: Sequence[Judgement],
    now: datetime,
    zone: ZoneInfo,
    decided: dict[str, Any],
) -> None:
    _cancel_waiting_list(db, offering.id, now)
    offering.state, offering.closed_at = OfferingState.CLOSED, now
    offering.counted_on = clock.day_of(max(meeting.starts_at for meeting in offering.sessions), zone)
    judging.write(db, judgements)
    person_time.record_closing(db, offering, zone)
    audit.record(db, "offering.close", offering, before={"state": "published"}, after={"state": "closed"} | decided)
    publish(db, OfferingClosed(offering.id))


def _cancel_waiting_list(db: Session, offering_id: int, now: datetime) -> None:
    waitlisted = select(Enrolment).where(
        Enrolment.offering_id == offering_id, Enrolment.state == EnrolmentState.WAITLISTED
    )
    for enrolment in db.scalars(waitlisted):
        enrolment.state, enrolment.cancelled_at = EnrolmentState.CANCELLED, now
        enrolment.cancel_reason, enrolment.offered_until = NO_PLACE_BECAME_FREE, None
        audit.record(
            db,
            "enrolment.cancel",
            enrolment,
            before={"state": "waitlisted"},
            after={"state": "cancelled"},
            reason=NO_PLACE_BECAME_FREE,
        )
