"""Legacy certificates that a person holds: those that were matched to the person's record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from certificates.states import State, state_of
from courses.models.enrolment import Enrolment
from lms.core import clock


@dataclass(frozen=True, slots=True)
class HeldLegacy:
    """A legacy certificate as its holder sees it. Course and unit are the printed texts, in one language.

    superseded_by: the number of the certificate that renewed it, the id of that certificate before it.
    """

    id: int
    ref: UUID
    number: str
    course: str
    unit: str
    issued_on: date
    valid_until: date | None
    state: State
    certificate_type: int | None
    superseded_by_id: int | None


def is_valid(day: date) -> ColumnElement[bool]:
    """The SQL condition under which a legacy certificate is valid on a day."""
    ends = LegacyCertificate.valid_until
    return and_(
        LegacyCertificate.revoked_at.is_(None),
        LegacyCertificate.superseded_by_id.is_(None),
        LegacyCertificate.issued_on <= day,
        or_(ends.is_(None), ends >= day),
    )


def has_later_certificate() -> ColumnElement[bool]:
    """The SQL condition that the holder has a certificate of the same type, in force, that ends later, old or new."""
    other = aliased(LegacyCertificate)
    issued = exists(
        select(1)
        .select_from(Certificate)
        .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
        .where(
            Enrolment.trainee_id == LegacyCertificate.trainee_id,
            *_ends_later(Certificate),
        )
        .correlate(LegacyCertificate)
    )
    legacy = exists(
        select(1)
        .where(other.trainee_id == LegacyCertificate.trainee_id, *_ends_later(other))
        .correlate(LegacyCertificate)
    )
    return issued | legacy


def _ends_later(other: Any) -> tuple[ColumnElement[bool], ...]:
    return (
        other.certificate_type == LegacyCertificate.certificate_type,
        other.revoked_at.is_(None),
        other.superseded_by_id.is_(None),
        or_(other.valid_until.is_(None), other.valid_until > LegacyCertificate.valid_until),
    )


def of_trainee(db: Session, trainee_id: int, *, zone: ZoneInfo) -> Sequence[HeldLegacy]:
    """Return all legacy certificates of a person, newest first. One statement."""
    rows = db.execute(
        select(
            LegacyCertificate.id,
            LegacyCertificate.ref,
            LegacyCertificate.number,
            LegacyCertificate.course,
            LegacyCertificate.unit,
            LegacyCertificate.issued_on,
            LegacyCertificate.valid_until,
            LegacyCertificate.revoked_at,
            LegacyCertificate.superseded_by_id,
            LegacyCertificate.certificate_type,
        )
        .where(LegacyCertificate.trainee_id == trainee_id)
        .order_by(LegacyCertificate.issued_on.desc(), LegacyCertificate.id.desc())
    )
    today = clock.today(zone)
    return [
        HeldLegacy(
            id=row.id,
            ref=row.ref,
            number=row.number,
            course=row.course,
            unit=row.unit,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            state=state_of(
                revoked=row.revoked_at is not None,
                superseded=row.superseded_by_id is not None,
                issued_on=row.issued_on,
                valid_until=row.valid_until,
                today=today,
            ),
            certificate_type=row.certificate_type,
            superseded_by_id=row.superseded_by_id,
        )
        for row in rows
    ]
