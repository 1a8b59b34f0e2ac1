"""Exceptions from what a course demands to be held: a certificate of another branch, seen on paper, is accepted.

An administrator decides for one enrolment and says why. Where the offering is closed already, that is a correction: the
enrolment is judged again, and the certificate follows.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from courses.closing import correction
from courses.closing.closing import lock_offering
from courses.closing.judging import Judgement
from courses.enrolment import prerequisites
from courses.enrolment.prerequisites import HoldingStanding
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import OfferingState
from courses.offerings.rights import correction_denied, may_correct
from lms.core import audit, reasons
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope


def standing_of(db: Session, enrolment: Enrolment) -> HoldingStanding | None:
    """Return how the trainee of an enrolment stands against what its course demands; None where it demands nothing."""
    return prerequisites.of_enrolled(db, enrolment.offering, [enrolment]).get(enrolment.trainee_id)


def decide(
    db: Session,
    enrolment: Enrolment,
    evidence: str | None,
    reason: str,
    *,
    scope: Scope,
    now: datetime,
    zone: ZoneInfo,
) -> Sequence[Judgement]:
    """Accept a certificate of another branch for an enrolment, or none with `evidence` None, and judge a closed offering again.

    evidence: which certificate it is, such as its branch, number and last valid day. A decision that changes nothing still
    judges a closed offering again, for example because a legacy certificate was linked in the meantime. Returns the
    judgements of holders whose certificates are no longer earned. Raises DomainError `nothing_demanded`,
    `enrolment_cancelled` or for a blank reason, and Denied for a closed offering that the user may not correct.
    """
    offering = lock_offering(db, enrolment.offering_id)
    db.refresh(enrolment)
    reason = reasons.required(reason)
    if not prerequisites.of_offering(offering):
        raise DomainError("nothing_demanded", N_("This course demands no certificate."))
    if enrolment.state == EnrolmentState.CANCELLED or offering.state == OfferingState.CANCELLED:
        raise DomainError("enrolment_cancelled", N_("This enrolment is cancelled."))
    if offering.state == OfferingState.CLOSED and not may_correct(offering, scope, now=now):
        raise correction_denied()
    before, enrolment.held_elsewhere = enrolment.held_elsewhere, evidence or None
    db.flush()
    if enrolment.held_elsewhere != before:
        audit.record(
            db,
            "enrolment.held_elsewhere",
            enrolment,
            before={"held_elsewhere": before},
            after={"held_elsewhere": enrolment.held_elsewhere},
            reason=reason,
        )
    return correction.judge_and_count(db, offering, reason, zone)
