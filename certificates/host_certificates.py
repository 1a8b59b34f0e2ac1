"""The certificates of a host's offerings that are valid, and those that soon expire."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from certificates.models import Certificate
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from lms.core.scope import Scope

SOON = timedelta(days=90)


@dataclass(frozen=True)
class HostCertificates:
    """Certificates that are neither revoked nor superseded: valid today, and of these expiring within `SOON`."""

    valid: int
    expiring: int


def certificates_of_host(db: Session, organisation_id: int, scope: Scope, today: date) -> HostCertificates:
    """Count the certificates of the host's offerings that a scope covers, in one statement."""
    ends = Certificate.valid_until
    statement = (
        select(func.count(), func.count().filter(ends <= today + SOON))
        .select_from(Certificate)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(
            Offering.organisation_id == organisation_id,
            Offering.visible_to(scope),
            Certificate.revoked_at.is_(None),
            Certificate.superseded_by_id.is_(None),
            or_(ends.is_(None), ends >= today),
        )
    )
    return HostCertificates(*db.execute(statement).one())
