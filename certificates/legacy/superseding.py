"""A renewal supersedes the legacy certificate that its holder had, whether the certificate was matched before or after.

The rule: a holder's newest legacy certificate of a type, if it is not revoked, is superseded by the holder's first
refresher certificate of that type that was issued later, is not revoked and renewed no certificate of this system.
"""

from collections.abc import Collection

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from certificates.legacy.models import LegacyCertificate
from certificates.models import Certificate
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.core import audit

_SUPERSEDE = """
WITH newest AS (
    SELECT DISTINCT ON (legacy.trainee_id, legacy.certificate_type) legacy.id, legacy.trainee_id, legacy.certificate_type,
        legacy.issued_on, legacy.revoked_at, legacy.superseded_by_id
    FROM legacy_certificate AS legacy
    WHERE legacy.trainee_id = ANY (:people) AND legacy.certificate_type IS NOT NULL
    ORDER BY legacy.trainee_id, legacy.certificate_type, legacy.issued_on DESC, legacy.id DESC
), renewed AS (
    SELECT newest.id, min(renewal.id) AS renewal_id
    FROM newest
    JOIN enrolment ON enrolment.trainee_id = newest.trainee_id
    JOIN offering ON offering.id = enrolment.offering_id
    JOIN course ON course.id = offering.course_id AND course.refresher
    JOIN certificate AS renewal ON renewal.enrolment_id = enrolment.id
    WHERE newest.revoked_at IS NULL AND newest.superseded_by_id IS NULL
        AND renewal.certificate_type = newest.certificate_type AND renewal.issued_on >= newest.issued_on
        AND renewal.revoked_at IS NULL AND renewal.replaces_id IS NULL
        AND NOT EXISTS (SELECT FROM legacy_certificate AS earlier WHERE earlier.superseded_by_id = renewal.id)
    GROUP BY newest.id
)
UPDATE legacy_certificate SET superseded_by_id = renewed.renewal_id FROM renewed
WHERE renewed.id = legacy_certificate.id
RETURNING legacy_certificate.id, legacy_certificate.number, legacy_certificate.superseded_by_id
"""


def settle(db: Session, trainee_ids: Collection[int]) -> dict[int, str]:
    """Supersede the legacy certificates of these people that a renewal follows; return their numbers by the renewal's id.

    The holders are locked, as `renewal.renew` locks them, so that a renewal and a match at the same moment see one another.
    """
    people = sorted(trainee_ids)
    db.flush()
    holders = select(Trainee.id).where(Trainee.id.in_(people)).order_by(Trainee.id)
    db.execute(holders.with_for_update(of=Trainee, key_share=True))
    rows = db.execute(text(_SUPERSEDE), {"people": people}).all()
    for row in rows:
        audit.record(
            db,
            "certificate.renew",
            f"legacy_certificate:{row.id}",
            before={"number": row.number},
            after={"superseded_by": row.superseded_by_id},
        )
    return {row.superseded_by_id: row.number for row in rows}


def settle_range(db: Session, first: int, last: int) -> None:
    """Do the same for the holders of certificates with ids above `first`, up to `last`, who were certified here."""
    people = db.scalars(
        select(LegacyCertificate.trainee_id)
        .where(
            LegacyCertificate.id > first,
            LegacyCertificate.id <= last,
            LegacyCertificate.trainee_id.is_not(None),
            LegacyCertificate.superseded_by_id.is_(None),
            LegacyCertificate.revoked_at.is_(None),
            exists(
                select(1)
                .select_from(Enrolment)
                .join(Certificate, Certificate.enrolment_id == Enrolment.id)
                .where(Enrolment.trainee_id == LegacyCertificate.trainee_id)
            ),
        )
        .distinct()
    ).all()
    if people:
        settle(db, [identity for identity in people if identity is not None])
