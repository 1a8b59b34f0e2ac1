"""The distinct people whom a host trained and certified, for the page of the host."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.models.rollups import Participation
from lms.core.scope import Scope


@dataclass(frozen=True)
class HostPeople:
    """Distinct people of all time: trained, present at a counted offering; certified, with a certificate of one."""

    trained: int
    certified: int


def people_of_host(db: Session, organisation_id: int, scope: Scope) -> HostPeople:
    """Count the people of the host's offerings that a scope covers, in one statement."""
    of_host = (Offering.organisation_id == organisation_id, Offering.visible_to(scope))
    trainee = (
        select(func.unnest(Participation.trainees).label("id"))
        .join(Offering, Offering.id == Participation.offering_id)
        .where(*of_host)
        .subquery("trainee")
    )
    trained = select(func.count(trainee.c.id.distinct())).scalar_subquery()
    certified = (
        select(func.count(Enrolment.trainee_id.distinct()))
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(*of_host, Enrolment.certified_at.is_not(None))
        .scalar_subquery()
    )
    return HostPeople(*db.execute(select(trained, certified)).one())
