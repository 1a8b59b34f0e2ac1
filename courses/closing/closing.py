"""At and after a session: the instructor's own check-in, the headcount, and closing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.attendance import recording
from courses.attendance.self_check_in import code_display
from courses.closing import judging, spot_check
from courses.closing.judging import Judged
from courses.closing.spot_check import Due, Heads
from courses.counting import person_time
from courses.events import OfferingClosed
from courses.models.attendance import Attendance
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import CourseSession, Offering, OfferingState, SessionInstructor
from courses.offerings.staffing import teaching_of
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound
from lms.core.events import publish

INSTRUCTORS_OPEN_BEFORE = timedelta(hours=3)
HEADCOUNT_LIMIT = 100_000
# Read on the ticket page by whoever waited, so it is kept in both languages.
WAITED_IN_VAIN = "培训结束前没有空出名额。No place came free before the training ended."


@dataclass(frozen=True)
class Closing:
    """What closing a session would do. `last`: the offering closes with it; `judged` is empty otherwise.

    `heads`: the offering's headcount, the largest of its sessions. `spot`: what the heads in the room are held against,
    where people checked themselves in. `seen` differs when anything of this differs.
    """

    last: bool
    present: int
    headcount: int
    judged: Sequence[Judged]
    people: int
    heads: int
    spot: Due | None = None

    @property
    def certified(self) -> int:
        """How many certificates are due."""
        return sum(one.verdict.certificate_due for one in self.judged)

    @property
    def short(self) -> list[Judged]:
        """Those who cannot be certified."""
        return [one for one in self.judged if not one.verdict.certificate_due]

    @property
    def empty(self) -> bool:
        """Whether nobody took part, by name or by head."""
        return self.last and not self.people and not self.heads

    @property
    def seen(self) -> str:
        """What was shown to whoever confirms, in short."""
        facts = [(one.enrolment.id, one.verdict.shortfalls) for one in self.judged]
        return hashlib.sha256(repr((self.last, self.present, self.heads, self.spot, facts)).encode()).hexdigest()[:16]


def arrive(db: Session, meeting: CourseSession, user_id: int, *, now: datetime) -> None:
    """“I am here”: the instructor's own check-in. The first arrival stands; coming back takes back having left.

    Said only after the end, it says that the instructor was there from the start to the end.
    """
    teaching = _teaching(db, meeting, user_id)
    _refuse_unless_open(meeting)
    opens = meeting.starts_at - INSTRUCTORS_OPEN_BEFORE
    if now < opens:
        raise DomainError("too_early", N_("Your own check-in opens at %(opens)s."), opens=opens)
    before = _moments(teaching)
    if now <= meeting.ends_at:
        teaching.arrived_at, teaching.left_at = teaching.arrived_at or now, None
    elif teaching.arrived_at is None:
        teaching.arrived_at, teaching.left_at = meeting.starts_at, meeting.ends_at
    audit.record(db, "instructor.arrive", meeting, before=before, after=_moments(teaching))


def leave(db: Session, meeting: CourseSession, user_id: int, *, now: datetime) -> None:
    """The instructor checks out. Raises DomainError for whoever never checked in."""
    teaching = _teaching(db, meeting, user_id)
    if teaching.arrived_at is None:
        raise DomainError("not_present", N_("You are not checked in. Check in first."))
    if teaching.left_at is not None:
        return
    before = _moments(teaching)
    teaching.left_at = max(now, teaching.arrived_at)
    audit.record(db, "instructor.leave", meeting, before=before, after=_moments(teaching))


def count_heads(db: Session, meeting: CourseSession, number: int, *, now: datetime, reason: str | None = None) -> None:
    """Enter how many people were there who are not on the roster. A closed session needs a reason."""
    if not 0 <= number <= HEADCOUNT_LIMIT:
        raise DomainError("headcount_range", N_("Enter a number from 0 to 100000."), field="number")
    db.refresh(meeting, ["headcount", "closed_at"], with_for_update=True)
    if reason is None:
        _refuse_unless_open(meeting)
    if meeting.starts_at - recording.OPENS_BEFORE > now:
        raise DomainError("too_early", N_("Check-in opens at %(opens)s."), opens=recording.opens_at(meeting))
    if meeting.headcount == number:
        return
    before, meeting.headcount = meeting.headcount, number
    audit.record(
        db, "session.headcount", meeting, before={"headcount": before}, after={"headcount": number}, reason=reason
    )


def shortfalls(db: Session, offering_id: int) -> list[Judged]:
    """Those of an offering who could not be certified if it closed now, and why; in the order of names."""
    return [one for one in judging.judgements(db, offering_id) if not one.verdict.certificate_due]


def outlook(db: Session, meeting: CourseSession) -> Closing:
    """What closing this session would do, as things stand."""
    last = not any(other.id != meeting.id and other.closed_at is None for other in meeting.offering.sessions)
    present = db.scalar(select(func.count()).select_from(Attendance).where(Attendance.course_session_id == meeting.id))
    judged = judging.judgements(db, meeting.offering_id) if last else []
    return Closing(
        last,
        present or 0,
        meeting.headcount,
        judged,
        sum(one.sessions_attended > 0 for one in judged),
        max(other.headcount for other in meeting.offering.sessions),
        spot_check.due(db, meeting),
    )


def close(
    db: Session, meeting: CourseSession, *, zone: ZoneInfo, seen: str | None = None, heads: Heads | None = None
) -> Closing:
    """Close a session; with the last open one, close the offering: results are judged and person-times counted.

    seen: `Closing.seen` of what was confirmed; DomainError `closing_changed` when it is so no more. Refused before the
    session has begun, twice, where nobody took part, and without the heads of a room where people checked themselves in.
    Publishes OfferingClosed when the offering closes.
    """
    offering = db.scalars(
        select(Offering)
        .where(Offering.id == meeting.offering_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    db.execute(select(CourseSession.id).where(CourseSession.offering_id == offering.id).with_for_update())
    for row in offering.sessions:
        db.refresh(row, ["closed_at", "headcount"])
    _refuse_unless_open(meeting)
    now = clock.now()
    if now < meeting.starts_at:
        raise DomainError(
            "not_begun", N_("This session has not begun: it starts at %(starts)s."), starts=meeting.starts_at
        )
    closing = outlook(db, meeting)
    if seen is not None and seen != closing.seen:
        raise DomainError("closing_changed", N_("Something changed meanwhile. Look at the list again, then confirm."))
    if closing.empty:
        raise DomainError(
            "nobody_came",
            N_(
                "Nobody was checked in and no headcount was entered. Enter them, or ask the host to cancel the offering."
            ),
        )
    if closing.spot is not None:
        spot_check.enter(db, meeting, closing.spot, heads or Heads(None), now=now)
    meeting.closed_at = now
    code_display.end(db, [meeting.id])
    audit.record(db, "session.close", meeting, after={"present": closing.present, "headcount": closing.headcount})
    if closing.last:
        _close_offering(db, offering, now, zone)
    return closing


def _close_offering(db: Session, offering: Offering, now: datetime, zone: ZoneInfo) -> None:
    for waiting in db.scalars(
        select(Enrolment).where(Enrolment.offering_id == offering.id, Enrolment.state == EnrolmentState.WAITLISTED)
    ):
        waiting.state, waiting.cancelled_at, waiting.cancel_reason = EnrolmentState.CANCELLED, now, WAITED_IN_VAIN
        audit.record(
            db,
            "enrolment.cancel",
            waiting,
            before={"state": "waitlisted"},
            after={"state": "cancelled"},
            reason=WAITED_IN_VAIN,
        )
    offering.state, offering.closed_at = OfferingState.CLOSED, now
    offering.counted_on = clock.day_of(max(row.starts_at for row in offering.sessions), zone)
    judging.finalise(db, offering.id)
    person_time.record_closing(db, offering, zone)
    audit.record(db, "offering.close", offering, before={"state": "published"}, after={"state": "closed"})
    publish(db, OfferingClosed(offering.id))


def _teaching(db: Session, meeting: CourseSession, user_id: int) -> SessionInstructor:
    teaching = teaching_of(db, meeting, user_id)
    if teaching is None:
        raise NotFound
    return teaching


def _refuse_unless_open(meeting: CourseSession) -> None:
    if meeting.offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_running", N_("This offering is not running: it is a draft, closed or cancelled."))
    if meeting.closed_at is not None:
        raise DomainError(
            "session_closed", N_("This session is closed. Who may correct it finds “Correct” on its roster.")
        )


def _moments(teaching: SessionInstructor) -> dict[str, str | int | None]:
    return {
        "instructor": teaching.instructor_id,
        "arrived_at": teaching.arrived_at.isoformat() if teaching.arrived_at else None,
        "left_at": teaching.left_at.isoformat() if teaching.left_at else None,
    }
