"""Exceptions from what a course demands to be held: a certificate of another branch, seen on paper, is accepted.

An administrator decides for one enrolment and says why. Where the offering is closed already, that is a correction: the
enrolment is judged again, and the certificate follows.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.assessment.entitlement import Shortfall
from courses.closing import correction
from courses.closing.closing import lock_offering
from courses.closing.judging import Judgement
from courses.enrolment import prerequisites, trainee_sections
from courses.enrolment.prerequisites import HoldingStanding
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import OfferingState
from courses.models.trainees import Trainee
from courses.offerings.rights import correction_denied, may_correct
from lms.core import audit, reasons
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope, visible


def standing_of(db: Session, enrolment: Enrolment) -> HoldingStanding | None:
    """Return how the trainee of an enrolment stands against what its course demands; None where it demands nothing."""
    return prerequisites.of_enrolled(db, enrolment.offering, [enrolment]).get(enrolment.trainee_id)


def may_be_judged_again(enrolment: Enrolment, standing: HoldingStanding | None) -> bool:
    """Tell whether a closed class refused a certificate for want of one that the trainee is now known to hold.

    standing: as `standing_of` returns it. A legacy certificate may be linked to a person after the class was closed.
    """
    return (
        standing is not None
        and standing.met
        and enrolment.offering.state == OfferingState.CLOSED
        and Shortfall.NOT_HELD in enrolment.shortfalls
    )


def to_judge_again(db: Session, trainee: Trainee, scope: Scope) -> Sequence[Enrolment]:
    """The enrolments of a person within the scope that may be judged again (`may_be_judged_again`), the newest first.

    One statement where no class refused a certificate for this reason.
    """
    statement = (
        visible(select(Enrolment), Enrolment, scope)
        .where(Enrolment.trainee_id == trainee.id, Enrolment.shortfalls.contains([Shortfall.NOT_HELD]))
        .order_by(Enrolment.id.desc())
    )
    return [row for row in db.scalars(statement) if may_be_judged_again(row, standing_of(db, row))]


trainee_sections.register("to_judge_again", to_judge_again)


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
