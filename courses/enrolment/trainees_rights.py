"""Rights on people's records: who may change one, and who may only propose a change.

A record is one for the whole city. Whoever sees all of it may change it: the city, and a district or coordinator where the
person is enrolled nowhere else and no other district registered the person.
"""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.trainees import Trainee
from lms.core.errors import N_, Denied
from lms.core.scope import Scope
from lms.organisations.models import Organisation

ONLY_PROPOSE = N_(
    "This person is also registered or enrolled elsewhere, so you can only propose a change. The person confirms it, or the"
    " city or the person's own district decides."
)


def may_change(db: Session, trainee: Trainee, scope: Scope) -> bool:
    """Tell whether a scope covers all of a person's record. At most one statement."""
    return trainee.id in changeable_ids(db, [trainee.id], scope)


def changeable_ids(db: Session, trainee_ids: Collection[int], scope: Scope) -> set[int]:
    """The ids of those people whose records a scope covers as a whole. At most one statement.

    Enrolments of every state count, also cancelled and imported ones. A person without any enrolment or district is the
    city's.
    """
    if scope.read_only or not trainee_ids:
        return set()
    if scope.everything:
        return set(trainee_ids)
    if not scope.district_ids and not scope.organisation_ids:
        return set()
    return set(db.scalars(select(Trainee.id).where(Trainee.id.in_(trainee_ids), is_covered(scope))))


def legible_ids(db: Session, trainee_ids: Collection[int], scope: Scope) -> set[int]:
    """The ids of those people whose masked facts a scope may see: as `changeable_ids`, and all for an auditor."""
    return set(trainee_ids) if scope.everything else changeable_ids(db, trainee_ids, scope)


def demand_change(db: Session, trainee: Trainee, scope: Scope) -> None:
    """Raise Denied `may_only_propose` where a scope does not cover all of a person's record."""
    if not may_change(db, trainee, scope):
        raise Denied("may_only_propose", ONLY_PROPOSE)


def is_covered(scope: Scope) -> ColumnElement[bool]:
    """The condition that no enrolment of a trainee and no registration lies outside the scope."""
    if scope.everything:
        return scope.covers()
    # The user's own trainings as an instructor or a trainee widen nobody's right to change another person's record.
    staff = replace(scope, instructor_user_id=None, trainee_user_id=None)
    of_trainee = Enrolment.trainee_id == Trainee.id
    elsewhere = exists(
        select(1)
        .select_from(Enrolment)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(of_trainee, ~Offering.visible_to(staff))
        .correlate(Trainee)
    )
    own_district = or_(
        Trainee.district_id.in_(scope.district_ids),
        Trainee.district_id.in_(select(Organisation.district_id).where(Organisation.id.in_(scope.organisation_ids))),
    )
    enrolled = exists(select(1).where(of_trainee).correlate(Trainee))
    return and_(~elsewhere, or_(own_district, and_(Trainee.district_id.is_(None), enrolled)))
