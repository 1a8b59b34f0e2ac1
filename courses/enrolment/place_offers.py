"""The answers to the offer of a place: accepted or declined on the ticket's page, withdrawn or cut short by staff.

An offer is answered once. The same answer again changes nothing, and an offer that ended is never accepted, also while
nobody has settled it yet.
"""

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from courses.enrolment import mail, waiting_list
from courses.enrolment.waiting_list import audit_state, lock_offering
from courses.models.enrolment import HOLDS_PLACE, Enrolment, EnrolmentGroup, EnrolmentState
from courses.models.offerings import OfferingState
from lms.core import audit, clock
from lms.core.errors import N_, DomainError
from lms.core.languages import chinese

_DECLINED = N_("The offer of a place was declined")


def answered_with(db: Session, enrolment: Enrolment) -> Sequence[Enrolment]:
    """The enrolments with an open offer for which the holder of a ticket answers: the own one first.

    Whoever enrolled others answers for those of them, too, to whom places are offered until the same moment.
    """
    if not is_open(enrolment):
        return ()
    group = select(EnrolmentGroup.id).where(EnrolmentGroup.contact_id == enrolment.id).scalar_subquery()
    rows = db.scalars(
        select(Enrolment)
        .where(
            Enrolment.place_is_offered(),
            Enrolment.offered_until == enrolment.offered_until,
            Enrolment.offering_id == enrolment.offering_id,
            or_(Enrolment.id == enrolment.id, Enrolment.group_id == group),
        )
        .order_by(Enrolment.queued_at, Enrolment.id)
    ).all()
    return [enrolment, *(row for row in rows if row.id != enrolment.id)]


def is_open(enrolment: Enrolment) -> bool:
    """Tell whether a place is offered that can still be accepted."""
    until = enrolment.offered_until
    return (
        enrolment.state == EnrolmentState.WAITLISTED
        and enrolment.offering.state == OfferingState.PUBLISHED
        and until is not None
        and until > clock.now()
    )


def accept(db: Session, enrolment: Enrolment) -> int:
    """Accept the place that is offered, and those of the people whom the person enrolled; return their number.

    Accepting again changes nothing and returns 0. Raises DomainError `offer_ended`.
    """
    lock_offering(db, enrolment.offering_id)
    db.refresh(enrolment)
    if enrolment.state in HOLDS_PLACE:
        return 0
    answered = answered_with(db, enrolment)
    if not answered:
        raise DomainError("offer_ended", N_("The place is no longer held for you: the offer has ended."))
    for each in answered:
        before = audit_state(each)
        each.state, each.offered_until = EnrolmentState.ENROLLED, None
        db.flush()
        audit.record(db, "enrolment.accept", each, before=before, after={"state": "enrolled"})
    return len(answered)


def decline(db: Session, enrolment: Enrolment) -> int:
    """Decline the place that is offered, and those of the people whom the person enrolled: they leave the waiting list.

    Returns their number. Declining again changes nothing and returns 0. Raises DomainError `offer_ended`.
    """
    offering = lock_offering(db, enrolment.offering_id)
    db.refresh(enrolment)
    if enrolment.state == EnrolmentState.CANCELLED:
        return 0
    if enrolment.state in HOLDS_PLACE:
        raise DomainError("offer_accepted", N_("You accepted this place. If you cannot come, cancel the enrolment."))
    answered = answered_with(db, enrolment)
    if not answered:
        raise DomainError("offer_ended", N_("The place is no longer held for you: the offer has ended."))
    for each in answered:
        waiting_list.leave(db, each, f"{chinese().gettext(_DECLINED)} / {_DECLINED}", action="enrolment.decline")
    waiting_list.serve(db, offering)
    return len(answered)


def withdraw(db: Session, enrolment: Enrolment, reason: str) -> None:
    """Withdraw the offer of a place: the person goes to the end of the waiting list and is told, and the place goes on.

    Raises DomainError `not_offered`.
    """
    offering = lock_offering(db, enrolment.offering_id)
    db.refresh(enrolment)
    if not enrolment.is_offered or offering.state != OfferingState.PUBLISHED:
        raise DomainError("not_offered", N_("No place is offered to this trainee any more."))
    before = audit_state(enrolment)
    mail.withdraw_unsent(db, enrolment)
    enrolment.queued_at = waiting_list.next_queue_moment(db, offering.id)
    enrolment.offered_until = None
    db.flush()
    audit.record(db, "enrolment.withdraw_offer", enrolment, before=before, after=audit_state(enrolment), reason=reason)
    mail.send_offer_withdrawn(db, enrolment)
    waiting_list.serve(db, offering, without=[enrolment.id])
