"""Cancelling the enrolments of several people of one class: what would happen to each, and then row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import places
from courses.models.attendance import Attendance
from courses.models.enrolment import ACTIVE_STATES, Enrolment
from courses.models.offerings import Offering, OfferingState
from courses.models.trainees import ANONYMOUS_REF, Trainee
from lms.core.errors import N_, DomainError
from lms.core.scope import Scope, fetch

MAX_ENROLMENTS = 500

_NOT_CANCELLABLE = N_("This enrolment can no longer be cancelled.")
_ATTENDED = N_("This trainee was present at a session, so the enrolment cannot be cancelled.")


@dataclass(frozen=True)
class CancelRow:
    """An enrolment that was chosen. refusal: why it stays, as a msgid; None where it is cancelled."""

    enrolment: Enrolment
    refusal: str | None

    @property
    def name(self) -> str:
        """The name of the person."""
        return self.enrolment.trainee.name


def preview(db: Session, offering_id: int, enrolment_ids: Sequence[int], scope: Scope) -> list[CancelRow]:
    """Return what would become of each chosen enrolment of a class, in the order of the names.

    Ids of other classes are left out. Raises NotFound for a class out of the scope, and DomainError `nobody_chosen`.
    """
    offering = fetch(db, Offering, offering_id, scope)
    enrolments = _chosen(db, offering_id, enrolment_ids)
    attended = set(
        db.scalars(select(Attendance.enrolment_id).where(Attendance.enrolment_id.in_([row.id for row in enrolments])))
    )
    return [CancelRow(row, _refusal(offering, row, attended=row.id in attended)) for row in enrolments]


def cancel(db: Session, offering_id: int, enrolment_ids: Sequence[int], reason: str, scope: Scope) -> list[CancelRow]:
    """Cancel the chosen enrolments with one reason, each within a savepoint: one that cannot be cancelled stops no other.

    The places go to the waiting list as after each single cancellation. Raises as `preview` does.
    """
    fetch(db, Offering, offering_id, scope)
    rows = []
    for enrolment in _chosen(db, offering_id, enrolment_ids):
        refusal = None
        try:
            with db.begin_nested():
                places.cancel(db, enrolment, reason)
        except DomainError as error:
            refusal = error.message
        rows.append(CancelRow(enrolment, refusal))
    return rows


def _chosen(db: Session, offering_id: int, enrolment_ids: Sequence[int]) -> Sequence[Enrolment]:
    statement = (
        select(Enrolment)
        .join(Trainee, Trainee.id == Enrolment.trainee_id)
        .where(
            Enrolment.offering_id == offering_id,
            Enrolment.id.in_(enrolment_ids[:MAX_ENROLMENTS]),
            Trainee.ref != ANONYMOUS_REF,
        )
        .order_by(Trainee.name_sound, Enrolment.id)
    )
    enrolments = db.scalars(statement).all()
    if not enrolments:
        raise DomainError("nobody_chosen", N_("Choose at least one person of the list."), status=422)
    return enrolments


def _refusal(offering: Offering, enrolment: Enrolment, *, attended: bool) -> str | None:
    if enrolment.state not in ACTIVE_STATES or offering.state != OfferingState.PUBLISHED:
        return _NOT_CANCELLABLE
    return _ATTENDED if attended else None
