"""Groups of the waiting list: people who were enrolled together, and whether they are kept together."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.enrolment import waiting_list
from courses.enrolment.waiting_list import lock_offering
from courses.models.enrolment import Enrolment, EnrolmentGroup, EnrolmentState
from courses.models.offerings import Offering
from lms.core import audit
from lms.core.errors import N_, DomainError


@dataclass(frozen=True)
class GroupStanding:
    """The standing of a group in the waiting list, as a ticket's page shows it.

    people: those who wait. by_list: enrolled by the staff of a host. answers: the ticket is that of the person who enrolled
    the others. kept_until: so long at most free places are kept for the group. too_large: for all places of the offering.
    """

    people: int
    may_split: bool
    by_list: bool
    answers: bool
    kept_until: datetime | None
    too_large: bool


def join(db: Session, companion: Enrolment, enrolment: Enrolment, *, may_split: bool) -> bool:
    """Put a new enrolment into the group of another one, if both wait; return whether both wait now.

    may_split: whether places may be given to a part of the group; it holds for the whole group from now on, where the other
    one is that of whoever enrolled the group. The caller has locked the offering by enrolling.
    """
    if companion.offering_id != enrolment.offering_id or not (_waits(companion) and _waits(enrolment)):
        return False
    group = db.get(EnrolmentGroup, companion.group_id) if companion.group_id is not None else None
    if group is None:
        group = EnrolmentGroup(offering_id=companion.offering_id, contact_id=companion.id, may_split=may_split)
        db.add(group)
        db.flush()
        companion.group_id = group.id
    enrolment.group_id = group.id
    db.flush()
    if group.contact_id == companion.id:
        _set(group, may_split=may_split)
    db.flush()
    audit.record(db, "enrolment.group", enrolment, after={"group": group.id, "may_split": group.may_split})
    return True


def may_split(db: Session, enrolment: Enrolment) -> bool:
    """Tell whether places may be given to a part of the group of an enrolment; False for one without a group."""
    group = db.get(EnrolmentGroup, enrolment.group_id) if enrolment.group_id is not None else None
    return group is not None and group.may_split


def is_contact(db: Session, enrolment: Enrolment) -> bool:
    """Tell whether an enrolment is that of the visitor who enrolled the others of its group, or is in no group."""
    group = db.get(EnrolmentGroup, enrolment.group_id) if enrolment.group_id is not None else None
    return group is None or group.contact_id == enrolment.id


def standing(db: Session, enrolment: Enrolment) -> GroupStanding | None:
    """The standing of the group with which an enrolment waits; None where it waits alone."""
    group = db.get(EnrolmentGroup, enrolment.group_id) if enrolment.group_id is not None else None
    if group is None or not _waits(enrolment):
        return None
    people = len(db.scalars(select(Enrolment.id).where(Enrolment.group_id == group.id, Enrolment.waits())).all())
    if people < 2:  # whoever is left of a group waits alone
        return None
    return GroupStanding(
        people=people,
        may_split=group.may_split,
        by_list=group.contact_id is None,
        answers=group.contact_id == enrolment.id,
        kept_until=group.kept_since + waiting_list.KEPT_FOR if group.kept_since is not None else None,
        too_large=people > enrolment.offering.capacity,
    )


def set_may_split(db: Session, enrolment: Enrolment, *, may_split: bool) -> None:
    """Record whether places may be given to a part of the group of an enrolment; the waiting list is served anew.

    Raises DomainError `no_group`.
    """
    offering = lock_offering(db, enrolment.offering_id)
    group = db.get(EnrolmentGroup, enrolment.group_id, populate_existing=True) if enrolment.group_id else None
    if group is None:
        raise DomainError("no_group", N_("These people no longer wait together."))
    if group.may_split == may_split:
        return
    audit.record(
        db,
        "enrolment.group",
        enrolment,
        before={"group": group.id, "may_split": group.may_split},
        after={"group": group.id, "may_split": may_split},
    )
    _set(group, may_split=may_split)
    db.flush()
    waiting_list.serve(db, offering)


def of_offering(db: Session, offering: Offering) -> dict[int, int]:
    """The number of the waiting people of each group of an offering that has two or more of them."""
    rows = db.scalars(
        select(Enrolment.group_id).where(
            Enrolment.offering_id == offering.id, Enrolment.waits(), Enrolment.group_id.is_not(None)
        )
    ).all()
    counts = {group_id: rows.count(group_id) for group_id in set(rows) if group_id is not None}
    return {group_id: people for group_id, people in counts.items() if people > 1}


def _waits(enrolment: Enrolment) -> bool:
    return enrolment.state == EnrolmentState.WAITLISTED and enrolment.offered_until is None


def _set(group: EnrolmentGroup, *, may_split: bool) -> None:
    group.may_split = may_split
    if may_split:
        group.kept_since, group.passed_over = None, 0
