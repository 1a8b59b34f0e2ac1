"""Correcting what is closed: only with a reason, only by those allowed; what was derived follows at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.assessment import assessment
from courses.assessment.marking import Marks
from courses.attendance import recording
from courses.attendance.recording import AttendanceInput
from courses.closing import closing, judging
from courses.closing.judging import Judged
from courses.counting import person_time
from courses.events import OfferingClosed
from courses.models.attendance import Attendance, AttendanceKind, AttendanceMethod
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.offerings.rights import denied, is_allowed
from lms.core.errors import N_, DomainError
from lms.core.events import publish
from lms.core.scope import Scope


@dataclass(frozen=True)
class Corrected:
    """What a correction did. `unentitled`: those who hold a certificate that their results no longer earn."""

    changes: int
    unentitled: Sequence[Judged]


def of_session(
    db: Session,
    meeting: CourseSession,
    *,
    present: Mapping[int, bool],
    headcount: int,
    reason: str,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
) -> Corrected:
    """Set who was present at a closed session (enrolment id → present; others stay as they are) and its headcount.

    Raises Denied for whoever may not, DomainError for a session that is open or a missing reason.
    """
    offering = held(db, meeting.offering_id)
    if not is_allowed(offering, scope, now=now, meeting=meeting):
        raise denied()
    if meeting.closed_at is None:
        raise DomainError("not_closed", N_("This session is still open: use its roster."))
    reason = _said(reason)
    there = set(db.scalars(select(Attendance.enrolment_id).where(Attendance.course_session_id == meeting.id)))
    known = set(
        db.scalars(select(Enrolment.id).where(Enrolment.offering_id == offering.id, Enrolment.state.in_(HOLDS_PLACE)))
    )
    changed = [one for one in sorted(known & set(present)) if present[one] != (one in there)]
    for enrolment_id in changed:
        kind = AttendanceKind.ARRIVE if present[enrolment_id] else AttendanceKind.UNDO
        event = AttendanceInput(uuid4(), meeting.id, enrolment_id, kind, AttendanceMethod.CORRECTION, reason=reason)
        recording.record(db, event, now=now)
    counted = headcount != meeting.headcount
    if counted:
        closing.count_heads(db, meeting, headcount, now=now, reason=reason)
    return Corrected(len(changed) + counted, follow(db, offering, reason, zone))


def of_result(
    db: Session,
    enrolment: Enrolment,
    marks: Marks,
    *,
    seen: str,
    retest: bool,
    reason: str,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
) -> Corrected:
    """Save a result of a closed offering; entitlement, totals and certificates follow."""
    offering = held(db, enrolment.offering_id)
    if not is_allowed(offering, scope, now=now):
        raise denied()
    assessment.save(db, enrolment, marks, seen=seen, retest=retest, reason=_said(reason))
    return Corrected(1, follow(db, offering, reason, zone))


def unentitled(judged: Sequence[Judged]) -> list[Judged]:
    """Those who hold a certificate that they have not earned as things stand now."""
    return [one for one in judged if one.enrolment.certified_at is not None and not one.verdict.certificate_due]


def follow(db: Session, offering: Offering, reason: str, zone: ZoneInfo) -> list[Judged]:
    """Judge and count again. A session closed before its offering needs neither yet."""
    if offering.state != OfferingState.CLOSED:
        return []
    judged = judging.finalise(db, offering.id)
    person_time.record_correction(db, offering, reason, zone)
    publish(db, OfferingClosed(offering.id))
    return unentitled(judged)


def held(db: Session, offering_id: int) -> Offering:
    """The offering, locked: what is counted of it changes for one at a time."""
    return db.scalars(
        select(Offering).where(Offering.id == offering_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _said(reason: str) -> str:
    said = " ".join(reason.split())
    if not said:
        raise DomainError("reason_missing", N_("Say why, so that others understand it later."), field="reason")
    return said
