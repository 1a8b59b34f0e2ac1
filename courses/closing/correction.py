"""Corrections of what is closed, each with a reason and by a person who may: results, totals and certificates follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from courses.assessment import assessment
from courses.assessment.marking import Marks
from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.closing import headcount as headcounts
from courses.closing import judging
from courses.closing.closing import lock_offering
from courses.closing.judging import Judgement
from courses.counting import person_time
from courses.events import OfferingClosed
from courses.models.attendance import Attendance, AttendanceKind, AttendanceMethod
from courses.models.enrolment import HOLDS_PLACE, Enrolment
from courses.models.offerings import CourseSession, Offering, OfferingState
from courses.models.trainees import Trainee
from courses.offerings.rights import correction_denied, may_correct
from lms.core import reasons
from lms.core.errors import N_, DomainError
from lms.core.events import publish
from lms.core.scope import Scope


@dataclass(frozen=True)
class CorrectionOutcome:
    """The number of changes that a correction made. `unentitled`: holders of a certificate that is no longer earned."""

    changes: int
    unentitled: Sequence[Judgement]


def correct_session(
    db: Session,
    meeting: CourseSession,
    *,
    present: Mapping[int, bool],
    headcount: int,
    reason: str,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
) -> CorrectionOutcome:
    """Correct the attendances and the headcount of a closed session.

    present: enrolment id → present or not; trainees who are not in it stay as they are.
    Raises Denied for a person who may not correct, DomainError for an open session and for a blank reason.
    """
    offering = lock_offering(db, meeting.offering_id)
    if not may_correct(offering, scope, now=now, meeting=meeting):
        raise correction_denied()
    if meeting.closed_at is None:
        raise DomainError("not_closed", N_("This session is still open: use its roster."))
    reason = reasons.required(reason)
    present_before = set(db.scalars(select(Attendance.enrolment_id).where(Attendance.course_session_id == meeting.id)))
    on_roster = set(
        db.scalars(select(Enrolment.id).where(Enrolment.offering_id == offering.id, Enrolment.state.in_(HOLDS_PLACE)))
    )
    changed = [
        enrolment_id
        for enrolment_id in sorted(on_roster & set(present))
        if present[enrolment_id] != (enrolment_id in present_before)
    ]
    for enrolment_id in changed:
        kind = AttendanceKind.ARRIVE if present[enrolment_id] else AttendanceKind.UNDO
        event = AttendanceInput(uuid4(), meeting.id, enrolment_id, kind, AttendanceMethod.CORRECTION, reason=reason)
        recording.record(db, event, now=now)
    headcount_changes = headcount != meeting.headcount
    if headcount_changes:
        headcounts.enter(db, meeting, headcount, now=now, reason=reason)
    return CorrectionOutcome(len(changed) + headcount_changes, judge_and_count(db, offering, reason, zone))


def correct_result(
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
) -> CorrectionOutcome:
    """Correct a trainee's result in a closed offering. `seen` and `retest` are those of `assessment.save`.

    Raises Denied for a person who may not correct, DomainError for a blank reason and whatever `assessment.save`
    refuses.
    """
    offering = lock_offering(db, enrolment.offering_id)
    if not may_correct(offering, scope, now=now):
        raise correction_denied()
    assessment.save(db, enrolment, marks, seen=seen, retest=retest, reason=reasons.required(reason))
    return CorrectionOutcome(1, judge_and_count(db, offering, reason, zone))


def judge_and_count(db: Session, offering: Offering, reason: str, zone: ZoneInfo) -> list[Judgement]:
    """Derive results, totals and certificates again after a change; return the judgements that `unentitled` keeps.

    Does nothing for an offering that is still open: a session that closed before the last one is not counted yet.
    """
    if offering.state != OfferingState.CLOSED:
        return []
    judgements = judging.judgements(db, offering.id)
    judging.write(db, judgements)
    _refuse_merged(db, offering)
    person_time.record_correction(db, offering, reason, zone)
    publish(db, OfferingClosed(offering.id))
    return unentitled(judgements)


def _refuse_merged(db: Session, offering: Offering) -> None:
    """Refuse the presence of an empty enrolment that stayed with a merged record: the person has another one in this class.

    Raises DomainError `merged_present`.
    """
    present = (
        select(1)
        .select_from(Enrolment)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .join(Attendance, Attendance.enrolment_id == Enrolment.id)
        .where(Enrolment.offering_id == offering.id, Trainee.merged_into_id.is_not(None))
    )
    if db.scalar(select(exists(present))):
        raise DomainError(
            "merged_present",
            N_(
                "One of these enrolments belongs to a record that was merged into another one of the same person, who is also in"
                " this class. Mark the other enrolment as present."
            ),
        )


def unentitled(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Keep the judgements of trainees who hold a certificate that they have not earned as things stand now."""
    return [
        judgement
        for judgement in judgements
        if judgement.enrolment.certified_at is not None and not judgement.verdict.certificate_due
    ]
