"""Closing a session, and with the last open session its offering: results are judged, person-times are counted."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.attendance.self_check_in import code_display
from courses.closing import judging, spot_check
from courses.closing.judging import Judgement
from courses.closing.open_session import refuse_unless_open
from courses.closing.spot_check import ExpectedHeads, HeadCount
from courses.counting import person_time
from courses.events import OfferingClosed
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState
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
    """

    last: bool
    present: int
    headcount: int
    judgements: Sequence[Judgement]
    people: int
    offering_headcount: int
    expected_heads: ExpectedHeads | None = None

    @property
    def certificates_due(self) -> int:
        """The number of certificates that closing makes due."""
        return sum(judgement.verdict.certificate_due for judgement in self.judgements)

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
        facts = [(judgement.enrolment.id, judgement.verdict.shortfalls) for judgement in self.judgements]
        shown = (self.last, self.present, self.offering_headcount, self.expected_heads, facts)
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def outlook(db: Session, meeting: CourseSession) -> ClosingOutlook:
    """Return the effects that closing this session would have now. Changes nothing."""
    last = not any(other.id != meeting.id and other.closed_at is None for other in meeting.offering.sessions)
    present = db.scalar(select(func.count()).select_from(Attendance).where(Attendance.course_session_id == meeting.id))
    judgements = judging.judgements(db, meeting.offering_id) if last else []
    return ClosingOutlook(
        last=last,
        present=present or 0,
        headcount=meeting.headcount,
        judgements=judgements,
        people=sum(judgement.sessions_attended > 0 for judgement in judgements),
        offering_headcount=max(other.headcount for other in meeting.offering.sessions),
        expected_heads=spot_check.expected_heads(db, meeting),
    )


def close(
    db: Session, meeting: CourseSession, *, zone: ZoneInfo, seen: str | None = None, heads: HeadCount | None = None
) -> ClosingOutlook:
    """Close a session; with the last open one, close the offering: results are judged and person-times counted.

    seen: `ClosingOutlook.seen` of the page that was confirmed. heads: the people counted in the room, needed where
    trainees checked themselves in.
    Raises DomainError before the session has begun, for a session that is not open, for an offering in which nobody
    took part, without `heads` where they are needed, and with the code `closing_changed` when `seen` is outdated.
    Publishes OfferingClosed when the offering closes. Every enrolment is judged once.
    """
    offering = lock_offering(db, meeting.offering_id)
    db.execute(select(CourseSession.id).where(CourseSession.offering_id == offering.id).with_for_update())
    for other in offering.sessions:
        db.refresh(other, ["closed_at", "headcount"])
    refuse_unless_open(meeting)
    now = clock.now()
    if now < meeting.starts_at:
        raise DomainError(
            "not_begun", N_("This session has not begun: it starts at %(starts)s."), starts=meeting.starts_at
        )
    effects = outlook(db, meeting)
    if seen is not None and seen != effects.seen:
        raise DomainError(
            "closing_changed", N_("The data changed in the meantime. Check the list again, then confirm.")
        )
    if effects.empty:
        raise DomainError(
            "nobody_came",
            N_(
                "Nobody was checked in and no headcount was entered. Enter the attendance, "
                "or ask the host to cancel the offering."
            ),
        )
    if effects.expected_heads is not None:
        spot_check.enter(db, meeting, effects.expected_heads, heads or HeadCount(None), now=now)
    meeting.closed_at = now
    code_display.forget_codes(db, [meeting.id])
    audit.record(db, "session.close", meeting, after={"present": effects.present, "headcount": effects.headcount})
    if effects.last:
        _close_offering(db, offering, effects.judgements, now, zone)
    return effects


def lock_offering(db: Session, offering_id: int) -> Offering:
    """Return the offering, read again and locked: its results and its totals are written by one transaction at a time."""
    return db.scalars(
        select(Offering).where(Offering.id == offering_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _close_offering(
    db: Session, offering: Offering, judgements: Sequence[Judgement], now: datetime, zone: ZoneInfo
) -> None:
    _cancel_waiting_list(db, offering.id, now)
    offering.state, offering.closed_at = OfferingState.CLOSED, now
    offering.counted_on = clock.day_of(max(meeting.starts_at for meeting in offering.sessions), zone)
    judging.write(db, judgements)
    person_time.record_closing(db, offering, zone)
    audit.record(db, "offering.close", offering, before={"state": "published"}, after={"state": "closed"})
    publish(db, OfferingClosed(offering.id))


def _cancel_waiting_list(db: Session, offering_id: int, now: datetime) -> None:
    waitlisted = select(Enrolment).where(
        Enrolment.offering_id == offering_id, Enrolment.state == EnrolmentState.WAITLISTED
    )
    for enrolment in db.scalars(waitlisted):
        enrolment.state, enrolment.cancelled_at = EnrolmentState.CANCELLED, now
        enrolment.cancel_reason = NO_PLACE_BECAME_FREE
        audit.record(
            db,
            "enrolment.cancel",
            enrolment,
            before={"state": "waitlisted"},
            after={"state": "cancelled"},
            reason=NO_PLACE_BECAME_FREE,
        )
