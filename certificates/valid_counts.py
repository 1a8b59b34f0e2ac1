"""Number of valid certificates on a day: neither revoked nor superseded, and not past the last valid day.

A legacy certificate of a known person counts only where the person has no other valid certificate of its type, so that
nobody is counted twice for what is one qualification.
"""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

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
            *_valid(Certificate, day),
            Offering.visible_to(scope),
        )
        .group_by(Offering.district_id)
    )
    legacy = db.scalar(
        select(func.count(LegacyCertificate.id)).where(
            *_valid(LegacyCertificate, day), LegacyCertificate.visible_to(scope), ~_counted_otherwise(day)
        )
    )
    return ValidCertificates({district: number for district, number in rows}, legacy or 0)


def _valid(model: Any, day: date) -> tuple[ColumnElement[bool], ...]:
    ends = model.valid_until
    return model.revoked_at.is_(None), model.superseded_by_id.is_(None), or_(ends.is_(None), ends >= day)


def _counted_otherwise(day: date) -> ColumnElement[bool]:
    """Return the condition that the holder has a valid certificate of this system of the type, or an earlier legacy one."""
    other = aliased(LegacyCertificate)
    issued = exists(
        select(1)
        .select_from(Certificate)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(
            Enrolment.trainee_id == LegacyCertificate.trainee_id,
            Certificate.certificate_type == LegacyCertificate.certificate_type,
            *_valid(Certificate, day),
        )
        .correlate(LegacyCertificate)
    )
    legacy = exists(
        select(1)
        .where(
            other.trainee_id == LegacyCertificate.trainee_id,
            other.certificate_type == LegacyCertificate.certificate_type,
            other.id < LegacyCertificate.id,
            *_valid(other, day),
        )
        .correlate(LegacyCertificate)
    )
    return issued | legacy


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
