"""Certificates of a host's offerings: valid, and soon to expire."""

from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy.orm import Session

from certificates.host_certificates import SOON, HostCertificates, certificates_of_host
from certificates.models import Certificate
from lms.core.scope import EVERYTHING, Scope


def test_the_valid_and_the_expiring_are_counted(db: Session, issue: Callable[..., Certificate]) -> None:
    certificate = issue()
    host, last = certificate.enrolment.offering.organisation_id, certificate.valid_until or date.max
    days = {
        last - SOON - timedelta(days=1): (1, 0),
        last - SOON: (1, 1),
        last: (1, 1),
        last + timedelta(days=1): (0, 0),
    }
    for day, counts in days.items():
        assert certificates_of_host(db, host, EVERYTHING, day) == HostCertificates(*counts)
    assert certificates_of_host(db, host, Scope(organisation_ids=frozenset({host + 1})), last) == HostCertificates(0, 0)
    certificate.revoked_at, certificate.revoke_reason = certificate.issued_at, "误发"
    db.flush()
    assert certificates_of_host(db, host, EVERYTHING, last) == HostCertificates(0, 0)
