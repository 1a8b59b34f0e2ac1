"""Number of valid certificates on a day: neither revoked nor superseded, and not past the last valid day."""

from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from courses.counting import recount
from courses.models.enrolment import Enrolment
from courses.models.offerings import Offering
from courses.reports import valid_certificates
from courses.reports.valid_certificates import ValidCertificates
from lms.core.scope import Scope


@valid_certificates.register
def count_on(db: Session, day: date, scope: Scope) -> ValidCertificates:
    """Count the certificates within the scope that are valid on a day. Two statements."""
    rows = db.execute(
        select(Offering.district_id, func.count(Certificate.id))
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .join(Offering, Offering.id == Enrolment.offering_id)
        .where(
            Certificate.revoked_at.is_(None),
            Certificate.superseded_by_id.is_(None),
            or_(Certificate.valid_until.is_(None), Certificate.valid_until >= day),
            Offering.visible_to(scope),
        )
        .group_by(Offering.district_id)
    )
    legacy = db.scalar(
        select(func.count(LegacyCertificate.id)).where(
            LegacyCertificate.revoked_at.is_(None),
            or_(LegacyCertificate.valid_until.is_(None), LegacyCertificate.valid_until >= day),
            LegacyCertificate.visible_to(scope),
        )
    )
    return ValidCertificates({district: number for district, number in rows}, legacy or 0)


def count_issued(db: Session, first: int, last: int) -> dict[int, int]:
    """Count the enrolments with a certificate of this system, by offering, for offerings with ids from first to last.

    `courses.counting.recount` compares the counts with the enrolments that are marked as certified.
    """
    rows = db.execute(
        select(Enrolment.offering_id, func.count(Certificate.enrolment_id.distinct()))
        .join(Certificate, Certificate.enrolment_id == Enrolment.id)
        .where(Enrolment.offering_id.between(first, last))
        .group_by(Enrolment.offering_id)
    )
    return {offering_id: number for offering_id, number in rows}


recount.certificate_counters.append(count_issued)
